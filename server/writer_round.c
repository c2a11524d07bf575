/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of one transaction: keys, entries, answers. */
#include "server/writer_internal.h"

#include "core/base/clock.h"
#include "sql/catalogue_version.h"
#include "sql/idempotency.h"

#include <stdlib.h>
#include <string.h>

/* A row of the database is locked for so long at most while the index is busy. */
#define PUBLISH_WAIT_US AFF_SECOND_US

/* How the answer about products ends. */
#define VISIBLE "\"visible\":true}"
#define NOT_VISIBLE "\"visible\":false}"

void aff_round_drop_settled(struct aff_round *round)
{
    size_t n = 0;

    for (size_t i = 0; i < round->n; i++)
        if (!round->writes[i]->settled)
            round->writes[n++] = round->writes[i];
    round->n = n;
}

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

/* Answers a request whose key was seen before. */
static void answer_known(struct aff_round *round, struct aff_write *write, struct aff_idempotent *known)
{
    if (!known->same) {
        aff_writer_settle_problem(round->thread, write, AFF_PROBLEM_CONFLICT, 0,
                                  "this Idempotency-Key was given to another request; nothing was done");
        return;
    }
    aff_json_reset(&write->draft);
    write->draft.comma = false;
    aff_json_raw(&write->draft, known->answer, known->answer_size);
    write->draft_status = known->status;
    aff_writer_settle_draft(round->thread, write, true);
}

static aff_status claim_keys(struct aff_round *round, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;

    for (size_t i = 0; i < round->n; i++) {
        struct aff_write *write = round->writes[i];
        struct aff_idempotent known = {0};
        if (write->key[0] == '\0')
            continue;
        thread->claiming = true;
        aff_status status =
            aff_idempotency_claim(&thread->connection, thread->store, aff_text_of(write->key),
                                  (struct aff_text){write->digest, sizeof write->digest}, &known, reterr);
        if (status != AFF_OK)
            return status;
        thread->claiming = false;
        if (known.known)
            answer_known(round, write, &known);
        free(known.answer);
    }
    aff_round_drop_settled(round);
    return AFF_OK;
}

/* Lists what is to be written of all requests. */
static aff_status gather(struct aff_round *round, enum aff_batch_kind kind, struct aff_error *reterr)
{
    size_t n = 0;

    for (size_t i = 0; i < round->n; i++)
        n += round->writes[i]->batch.n;
    if (kind == AFF_BATCH_ORDERS)
        round->orders = calloc(n + 1, sizeof *round->orders);
    else
        round->rows = calloc(n + 1, sizeof *round->rows);
    if ((kind == AFF_BATCH_ORDERS && round->orders == NULL) ||
        (kind != AFF_BATCH_ORDERS && round->rows == NULL))
        return no_memory(reterr);
    n = 0;
    for (size_t i = 0; i < round->n; i++) {
        const struct aff_batch *batch = &round->writes[i]->batch;
        for (size_t j = 0; j < batch->n; j++) {
            const struct aff_entry *entry = &batch->entries[j];
            if (entry->status == AFF_ENTRY_REFUSED)
                continue;
            if (kind == AFF_BATCH_ORDERS)
                round->orders[n++] =
                    (struct aff_put_order){.id = entry->id, .lines = entry->lines, .n_lines = entry->n_lines};
            else
                round->rows[n++] =
                    (struct aff_put_entry){.id = entry->id, .given = entry->given, .values = entry->values};
        }
    }
    round->n_entries = n;
    return AFF_OK;
}

/* The orders in calls that are not too large, one after the other. */
static aff_status put_orders(struct aff_round *round, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;

    for (size_t from = 0; from < round->n_entries;) {
        struct aff_put_orders_report report;
        size_t n = 0, lines = 0;
        while (from + n < round->n_entries && n < AFF_PUT_ORDERS_MAX &&
               lines + round->orders[from + n].n_lines <= AFF_PUT_LINES_MAX)
            lines += round->orders[from + n++].n_lines;
        aff_status status =
            aff_orders_put(&thread->connection, thread->store, &round->orders[from], n, &report, reterr);
        if (status != AFF_OK)
            return status;
        thread->catalogue_changed =
            thread->catalogue_changed || report.products_new > 0 || report.products_priced > 0;
        from += n;
    }
    return AFF_OK;
}

static aff_status put_rows(struct aff_round *round, enum aff_batch_kind kind, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;

    if (round->n_entries == 0)
        return AFF_OK;
    aff_put_result_done(&round->result);
    aff_status status =
        aff_catalogue_put(&thread->connection, thread->store,
                          kind == AFF_BATCH_PRODUCTS ? AFF_CATALOGUE_PRODUCTS : AFF_CATALOGUE_CUSTOMERS,
                          round->rows, round->n_entries, &round->result, reterr);
    if (status == AFF_OK && round->result.added + round->result.changed > 0)
        thread->catalogue_changed = true;
    return status;
}

/* False: somebody loads the whole store. Tried again and again, since no lock with a limit on the monotonic
 * clock is known to the thread sanitizer of gcc 12. */
static bool lock_soon(pthread_mutex_t *lock)
{
    const struct timespec pause = {.tv_nsec = 500000};
    int64_t until_us = aff_clock_monotonic_us() + PUBLISH_WAIT_US;

    while (pthread_mutex_trylock(lock) != 0) {
        if (aff_clock_monotonic_us() >= until_us)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

/* Rows that changed cannot be changed by others before our COMMIT, and the publish lock keeps what we commit
 * and what the index gets in one sequence. Rows that are as they were anyway are locked by nobody: they are
 * read again, under the publish lock, if somebody has changed the catalogue since. */
static aff_status lock_index(struct aff_round *round, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;
    int64_t version;

    struct aff_store *store = aff_stores_find(thread->writer->stores, aff_text_of(thread->store_name));
    if (round->n_entries == 0 || store == NULL || !lock_soon(&store->publish))
        return AFF_OK;
    round->store = store;
    if (round->result.added + round->result.changed > 0)
        return AFF_OK;
    aff_status status = aff_catalogue_version(&thread->connection, thread->store, &version, reterr);
    if (status == AFF_OK && version != round->result.version)
        status = put_rows(round, AFF_BATCH_PRODUCTS, reterr);
    return status;
}

void aff_round_unlock(struct aff_round *round)
{
    if (round->store != NULL)
        (void)pthread_mutex_unlock(&round->store->publish);
    round->store = NULL;
}

/* Takes over what became of the orders. */
static aff_status judge_order(struct aff_batch *batch, size_t index, enum aff_put_order_outcome outcome)
{
    struct aff_entry *entry = &batch->entries[index];

    switch (outcome) {
    case AFF_ORDER_CREATED:
        entry->status = AFF_ENTRY_CREATED;
        break;
    case AFF_ORDER_UNCHANGED:
        entry->status = AFF_ENTRY_UNCHANGED;
        break;
    case AFF_ORDER_COLLIDING:
        return aff_batch_refuse(batch, index, "id",
                                "another order's id has the same 64-bit hash; give the order another id");
    case AFF_ORDER_CHANGED:
    case AFF_ORDER_DELETED:
    case AFF_ORDER_REPEATED: /* written, and replaced by a later request of the same transaction */
        entry->status = AFF_ENTRY_CHANGED;
        break;
    }
    return AFF_OK;
}

static aff_status judge(struct aff_round *round, struct aff_error *reterr)
{
    static const enum aff_entry_status of_rows[] = {
        [AFF_PUT_ADDED] = AFF_ENTRY_CREATED,
        [AFF_PUT_CHANGED] = AFF_ENTRY_CHANGED,
        [AFF_PUT_UNCHANGED] = AFF_ENTRY_UNCHANGED,
    };
    size_t at = 0;

    for (size_t i = 0; i < round->n; i++) {
        struct aff_batch *batch = &round->writes[i]->batch;
        for (size_t j = 0; j < batch->n; j++) {
            if (batch->entries[j].status == AFF_ENTRY_REFUSED)
                continue;
            if (round->rows != NULL)
                batch->entries[j].status = of_rows[round->rows[at].outcome];
            else if (judge_order(batch, j, round->orders[at].outcome) != AFF_OK)
                return no_memory(reterr);
            at++;
        }
    }
    return AFF_OK;
}

static void draft(struct aff_write *write)
{
    struct aff_json *json = &write->draft;
    size_t counts[AFF_ENTRY_STATUSES];

    aff_json_reset(json);
    aff_batch_count(&write->batch, counts);
    if (counts[AFF_ENTRY_REFUSED] == write->batch.n) {
        struct aff_reply reply = {.body = json};
        aff_problem_open(&reply, AFF_PROBLEM_ALL_REFUSED, aff_text_of(write->request_id),
                         "every entry is wrong; results says why");
        write->draft_status = reply.status;
    } else {
        aff_json_open_object(json);
        write->draft_status = 200;
    }
    aff_json_name(json, "store");
    aff_json_string(json, write->store);
    aff_batch_write(&write->batch, json);
    if (write->kind == AFF_BATCH_PRODUCTS && write->draft_status == 200) {
        aff_json_name(json, "visible");
        aff_json_bool(json, true);
    }
    aff_json_close_object(json);
}

void aff_round_invisible(struct aff_round *round)
{
    for (size_t i = 0; i < round->n; i++) {
        struct aff_write *write = round->writes[i];
        struct aff_json *json = &write->draft;
        if (write->draft_status != 200 || json->failed)
            continue;
        json->size -= sizeof VISIBLE - 1;
        json->comma = false;
        aff_json_raw(json, NOT_VISIBLE, sizeof NOT_VISIBLE - 1);
    }
}

static aff_status make_drafts(struct aff_round *round, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;

    for (size_t i = 0; i < round->n; i++) {
        struct aff_write *write = round->writes[i];
        draft(write);
        if (write->draft.failed)
            return no_memory(reterr);
        if (write->key[0] == '\0')
            continue;
        aff_status status = aff_idempotency_keep(
            &thread->connection, thread->store, aff_text_of(write->key), write->draft_status,
            (struct aff_text){write->draft.bytes, write->draft.size}, reterr);
        if (status != AFF_OK)
            return status;
    }
    return AFF_OK;
}

static aff_status put(struct aff_round *round, enum aff_batch_kind kind, struct aff_error *reterr)
{
    aff_status status = gather(round, kind, reterr);

    if (status == AFF_OK)
        status = kind == AFF_BATCH_ORDERS ? put_orders(round, reterr) : put_rows(round, kind, reterr);
    if (status == AFF_OK && kind == AFF_BATCH_PRODUCTS)
        status = lock_index(round, reterr);
    return status == AFF_OK ? judge(round, reterr) : status;
}

/* Everything up to COMMIT. */
aff_status aff_round_fill(struct aff_round *round, struct aff_error *reterr)
{
    struct aff_writer_thread *thread = round->thread;
    enum aff_batch_kind kind = round->writes[0]->kind;

    aff_status status = aff_execute(&thread->connection, "BEGIN ISOLATION LEVEL READ COMMITTED", reterr);
    if (status == AFF_OK)
        status = claim_keys(round, reterr);
    if (status != AFF_OK || round->n == 0)
        return status;
    if (kind == AFF_BATCH_REVIEW_LIST)
        return aff_round_list(round, reterr);
    status = kind == AFF_BATCH_REVIEWS ? aff_round_review(round, reterr) : put(round, kind, reterr);
    if (status == AFF_OK)
        status = make_drafts(round, reterr);
    return status;
}

void aff_round_done(struct aff_round *round)
{
    free(round->orders);
    free(round->rows);
    aff_put_result_done(&round->result);
    round->orders = NULL;
    round->rows = NULL;
    round->result = (struct aff_put_result){0};
    round->n_entries = 0;
}
