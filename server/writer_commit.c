/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction for several requests, and what happens when it fails. */
#include "server/writer_internal.h"

#include "server/writer_publish.h"

#include <stdio.h>
#include <string.h>

/* From here on whoever is answered early keeps the round from committing. */
static void enter(struct aff_round *round)
{
    struct aff_writer *writer = round->thread->writer;

    (void)pthread_mutex_lock(&writer->lock);
    for (size_t i = 0; i < round->n; i++) {
        round->writes[i]->settled = round->writes[i]->settled || round->writes[i]->answered;
        round->writes[i]->in_transaction = !round->writes[i]->settled;
    }
    round->thread->stage = writer->must_stop ? AFF_STAGE_ABANDONED : AFF_STAGE_WRITING;
    (void)pthread_mutex_unlock(&writer->lock);
    aff_round_drop_settled(round);
}

static void leave(struct aff_round *round)
{
    struct aff_writer *writer = round->thread->writer;

    (void)pthread_mutex_lock(&writer->lock);
    for (size_t i = 0; i < round->n; i++)
        round->writes[i]->in_transaction = false;
    round->thread->stage = AFF_STAGE_IDLE;
    (void)pthread_mutex_unlock(&writer->lock);
}

/* False: somebody was told that nothing was done. */
static bool may_commit(struct aff_round *round)
{
    struct aff_writer *writer = round->thread->writer;

    (void)pthread_mutex_lock(&writer->lock);
    bool may = round->thread->stage == AFF_STAGE_WRITING;
    if (may)
        round->thread->stage = AFF_STAGE_COMMITTING;
    (void)pthread_mutex_unlock(&writer->lock);
    return may;
}

static void roll_back(struct aff_round *round)
{
    struct aff_error ignored = {0};

    if (round->thread->connection.pg != NULL &&
        aff_execute(&round->thread->connection, "ROLLBACK", &ignored) != AFF_OK)
        aff_writer_disconnect(round->thread);
}

/* Answers everybody that nobody knows. */
static void settle_unknown(struct aff_round *round, const struct aff_error *error)
{
    char detail[700];

    (void)snprintf(
        detail, sizeof detail,
        "the database was lost while it committed, so the request may have been carried out; repeat "
        "it: what is there already is left as it is (%s)",
        error->text);
    for (size_t i = 0; i < round->n; i++)
        aff_writer_settle_problem(round->thread, round->writes[i], AFF_PROBLEM_UNKNOWN_OUTCOME, 1, detail);
}

/* *ret_known false: the end is not known, and everybody has been told so. */
static aff_status commit(struct aff_round *round, bool *ret_known, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;

    if (!may_commit(round))
        return aff_error_set(reterr, AFF_CANCELLED, "the request was given up");
    aff_status status = aff_execute(&thread->connection, "COMMIT", reterr);
    *ret_known = !(status == AFF_BACKEND && aff_writer_means_away(reterr));
    if (*ret_known)
        return status;
    settle_unknown(round, reterr);
    aff_writer_failed(thread, reterr);
    return AFF_OK;
}

/* The transaction is committed. */
static void publish_and_answer(struct aff_round *round)
{
    bool publish = round->writes[0]->kind == AFF_BATCH_PRODUCTS && round->n_entries > 0;
    if (publish &&
        (round->store == NULL || !aff_writer_publish(round->store, &round->result, round->n_entries)))
        aff_round_invisible(round);
    aff_round_unlock(round);
    for (size_t i = 0; i < round->n; i++)
        aff_writer_settle_draft(round->thread, round->writes[i], false);
}

/* Writes the round's requests and answers them, or says why not. */
static aff_status attempt(struct aff_round *round, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;
    bool known = true;

    enter(round);
    if (round->n == 0)
        return AFF_OK;
    thread->claiming = false;
    aff_status status = aff_writer_connect(thread, reterr);
    if (status == AFF_OK)
        status = aff_round_fill(round, reterr);
    if (status == AFF_OK)
        status = commit(round, &known, reterr);
    if (status != AFF_OK)
        roll_back(round);
    else if (known)
        publish_and_answer(round);
    aff_round_unlock(round);
    leave(round);
    aff_round_done(round);
    return status;
}

/* A connection may have ended since it was used last; a new one tells whether the database is really away. */
static aff_status attempt_twice(struct aff_round *round, struct aff_error *reterr)
{
    bool used = round->thread->connection.pg != NULL;
    aff_status status = attempt(round, reterr);

    if (status == AFF_OK || !used || !aff_writer_means_away(reterr))
        return status;
    aff_writer_disconnect(round->thread);
    return attempt(round, reterr);
}

static bool is(const struct aff_error *error, const char *sqlstate)
{
    return strcmp(error->sqlstate, sqlstate) == 0;
}

/* Nothing can be written for now, whoever asks. */
static void refuse_away(struct aff_round *round, const struct aff_error *error)
{
    struct aff_writer_thread *thread = round->thread;
    char detail[700];

    if (!thread->failure_known)
        aff_writer_failed(thread, error);
    (void)snprintf(detail, sizeof detail, "nothing was done: %s", error->text);
    (void)pthread_mutex_lock(&thread->writer->lock);
    unsigned retry_after_s = aff_writer_retry_after_s(thread->writer);
    (void)pthread_mutex_unlock(&thread->writer->lock);
    for (size_t i = 0; i < round->n; i++)
        aff_writer_settle_problem(thread, round->writes[i], AFF_PROBLEM_DATABASE, retry_after_s, detail);
}

/* A single request could not be written. */
static void refuse(struct aff_round *round, const struct aff_error *error)
{
    struct aff_writer_thread *thread = round->thread;
    struct aff_write *write = round->writes[0];
    char detail[700];

    (void)snprintf(detail, sizeof detail, "nothing was done: %s", error->text);
    if (aff_writer_means_away(error)) {
        refuse_away(round, error);
    } else if (thread->claiming && is(error, "55P03")) {
        aff_writer_settle_problem(thread, write, AFF_PROBLEM_CONFLICT, 1,
                                  "nothing was done: another request with this Idempotency-Key is being "
                                  "carried out");
    } else if (memcmp(error->sqlstate, "40", 2) == 0 || is(error, "55P03") || is(error, "57014")) {
        aff_writer_settle_problem(thread, write, AFF_PROBLEM_DATABASE, 1, detail);
    } else if (error->status == AFF_CANCELLED || error->status == AFF_NOMEM) {
        aff_writer_settle_problem(thread, write, AFF_PROBLEM_UNAVAILABLE, 1, detail);
    } else {
        aff_writer_say(thread->writer, error);
        aff_writer_settle_problem(thread, write, AFF_PROBLEM_INTERNAL, 0, detail);
    }
}

void aff_writer_commit(struct aff_writer_thread *thread, struct aff_write **writes, size_t n)
{
    struct aff_round round = {.thread = thread, .writes = writes, .n = n};
    struct aff_error error = {0};

    if (attempt_twice(&round, &error) == AFF_OK)
        return;
    if (aff_writer_means_away(&error)) {
        refuse_away(&round, &error);
        return;
    }
    if (round.n == 1) {
        refuse(&round, &error);
        return;
    }
    n = round.n;
    for (size_t i = 0; i < n; i++) {
        struct aff_round single = {.thread = thread, .writes = &writes[i], .n = 1};
        error = (struct aff_error){0};
        if (attempt_twice(&single, &error) != AFF_OK && single.n == 1)
            refuse(&single, &error);
    }
}
