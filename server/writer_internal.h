/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the writer share; nobody else includes it. */
#pragma once

#include "core/base/random.h"
#include "server/failure_log.h"
#include "server/problem.h"
#include "server/write.h"
#include "server/writer.h"
#include "sql/cancel.h"
#include "sql/connection.h"
#include "sql/intake/put_catalogue.h"
#include "sql/intake/put_orders.h"

#include <pthread.h>

/* Of one transaction: so that it stays short, and orders within AFF_PUT_ORDERS_ALONE, above which they would
 * lock the store. A larger request is alone in its transaction. */
#define AFF_GROUP_ENTRIES 400
#define AFF_GROUP_WRITES 64
#define AFF_GROUP_BYTES ((size_t)256 * 1024)

/* How far the transaction of a thread is. */
enum aff_stage {
    AFF_STAGE_IDLE,
    AFF_STAGE_WRITING,
    AFF_STAGE_COMMITTING, /* its end is not in our hands any more */
    AFF_STAGE_ABANDONED,  /* somebody was told that nothing was done: must not commit */
};

struct aff_writer_thread {
    struct aff_writer *writer;
    pthread_t thread;
    bool started;
    unsigned number;

    /* Under the writer's lock. */
    enum aff_stage stage;
    struct aff_write *held; /* what the thread has taken from the queue */
    struct aff_cancel *cancel;

    /* The thread's own. */
    struct aff_connection connection;
    uint64_t config_number; /* with which the connection was opened */
    char store_name[AFF_ID_MAX + 1];
    int store; /* the number of store_name */
    char currency[4];
    int64_t store_until_us; /* looked up again after this */
    int64_t trim_at_us;     /* old answers are thrown away then */
    bool failure_known;     /* the newest failure has been said and counted */
    bool claiming;          /* the transaction waits for an Idempotency-Key, if for anything */
    bool catalogue_changed; /* by the transaction */
};

struct aff_writer {
    struct aff_stores *stores;
    struct aff_board *board;
    struct aff_log *log;
    struct aff_writer_thread *threads;
    unsigned n_threads;
    pthread_t clock;
    bool clock_started;

    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t work;  /* something is queued, or must_stop */
    pthread_cond_t tick;  /* must_stop, for the clock */
    struct aff_config config;
    uint64_t config_number;
    struct aff_write *queue, **queue_end; /* oldest first */
    size_t queue_bytes;
    bool must_stop;

    /* The database cannot be written, as far as the writer knows. */
    bool away;
    unsigned attempts;
    int64_t next_try_us;
    struct aff_error why;
    struct aff_random random;
    struct aff_failure_log said;
};

/* Takes the right to answer; false: it is answered already. The writer's lock is held. */
bool aff_writer_claim(struct aff_write *write);

/* Answers with a problem, unless it is answered already. The writer's lock is held. */
void aff_writer_refuse(struct aff_write *write, enum aff_problem problem, unsigned retry_after_s,
                       const char *detail);

/* The same for the thread that holds the write, without the lock. */
void aff_writer_settle_problem(struct aff_writer_thread *thread, struct aff_write *write,
                               enum aff_problem problem, unsigned retry_after_s, const char *detail);

/* Answers with the write's draft, unless it is answered already. Without the lock. */
void aff_writer_settle_draft(struct aff_writer_thread *thread, struct aff_write *write, bool replayed);

/* A thread's life. */
void *aff_writer_run(void *argument);

/* Writes these, all of one kind and read, in one transaction, and answers them; if that fails one by one. */
void aff_writer_commit(struct aff_writer_thread *thread, struct aff_write **writes, size_t n);

/* Connects if need be. A failure is known to all threads and has been said. */
AFF_MUST_CHECK aff_status aff_writer_connect(struct aff_writer_thread *thread, struct aff_error *reterr);
void aff_writer_disconnect(struct aff_writer_thread *thread);

/* Whether an error means that nothing can be written for now. */
bool aff_writer_means_away(const struct aff_error *error);

/* Logs a failure: the same one once, and once a minute while it lasts. */
void aff_writer_say(struct aff_writer *writer, const struct aff_error *error);

/* Says and counts a failure that concerns everything, and answers 503 until the next attempt. */
void aff_writer_failed(struct aff_writer_thread *thread, const struct aff_error *error);
void aff_writer_is_away(struct aff_writer *writer, const struct aff_error *error);
unsigned aff_writer_retry_after_s(struct aff_writer *writer); /* with the lock held */

/* What is written in one transaction. */
struct aff_round {
    struct aff_writer_thread *thread;
    struct aff_write **writes; /* those that are still to be answered */
    size_t n;
    size_t n_entries;             /* that are not refused */
    struct aff_put_order *orders; /* n_entries, or: */
    struct aff_put_entry *rows;
    struct aff_put_result result;
    struct aff_store *store; /* whose publish lock is held; NULL: none is */
};

/* Takes out of the round what has been answered. */
void aff_round_drop_settled(struct aff_round *round);

/* Everything from BEGIN up to, but without, COMMIT; the drafts are then what is true after it. */
AFF_MUST_CHECK aff_status aff_round_fill(struct aff_round *round, struct aff_error *reterr);

/* Parts of it: writes decisions about pairs and judges the entries; makes the drafts of lists. */
AFF_MUST_CHECK aff_status aff_round_review(struct aff_round *round, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_round_list(struct aff_round *round, struct aff_error *reterr);

/* The index could not take the products in: the drafts do not claim that it shows them. */
void aff_round_invisible(struct aff_round *round);

/* Gives the publish lock back. */
void aff_round_unlock(struct aff_round *round);

/* Frees what the round has made. */
void aff_round_done(struct aff_round *round);
