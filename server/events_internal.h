/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct aff_events; for server/events*.c only. */
#pragma once

#include "core/base/random.h"
#include "core/spool/spool.h"
#include "server/events.h"
#include "server/failure_log.h"
#include "sql/events/put_events.h"

#include <pthread.h>

/* Bytes of events that wait for the threads, at most; more are refused. */
#define AFF_EVENTS_QUEUE_BYTES ((size_t)64 << 20)

struct aff_events {
    struct aff_memory *memory;
    struct aff_log *log;
    struct aff_spool *spool; /* NULL: none */
    int writer;              /* number of this run, in affinity.event */
    pthread_t database_thread, keeper_thread, follower_thread;
    bool has_database_thread, has_keeper_thread, has_follower_thread;

    pthread_mutex_t lock; /* of the following */
    pthread_cond_t for_database, for_keeper, for_follower;
    struct aff_event_jobs waiting;
    struct aff_event_jobs sent; /* that the database thread has given to the database and waits for */
    int64_t sent_us;            /* monotonic */
    enum aff_events_mode mode;
    bool connected;     /* the database takes events, as far as is known */
    bool bridged;       /* it has been logged that the database does not get the events */
    bool handing_over;  /* the spool is nearly empty: the keeper leaves what waits to the database */
    bool keeping;       /* the keeper is writing into the spool */
    bool stop, stopped; /* stopped: the database thread has ended */
    int follower_socket;
    int socket; /* of the open connection; -1: none */
    struct aff_config config;
    unsigned changes; /* of the configuration */
    struct aff_events_view view;

    /* The database thread's own. */
    struct aff_connection connection;
    char url[AFF_CONFIG_TEXT];
    struct aff_random random;
    unsigned attempts;
    int64_t retry_us; /* monotonic; no attempt before it */
    struct aff_event_rows rows;
    unsigned char *stored; /* keys of the events that were new in one statement */
    size_t n_stored, stored_capacity;
    bool stored_failed; /* no memory for them */
    struct {
        char name[AFF_ID_MAX + 1];
        int number;
    } store;                     /* that was looked up last; an empty name: none */
    struct aff_failure_log said; /* under the lock */
};

/* Sets what went wrong last, for /health. With `say` it is logged, too, once, and once a minute while it
 * lasts; that the database is away or has another schema is said by the loader already. */
void aff_events_failed(struct aff_events *events, const struct aff_error *error, bool say);

/* Lets memory know of the job's events, then ends it with this outcome. */
void aff_events_end(struct aff_events *events, struct aff_event_job *job, enum aff_event_outcome outcome);

/* True once the threads have been told to end. */
bool aff_events_must_stop(struct aff_events *events);

/* Stores a list of jobs in one transaction; each job then knows its duplicates. On a failure it is unknown
 * whether they were stored. */
AFF_MUST_CHECK aff_status aff_events_commit(struct aff_events *events, struct aff_event_jobs *jobs,
                                            struct aff_error *reterr);

/* Lets memory know of what the spool held at the start. */
void aff_events_recall_spool(struct aff_events *events);

/* Ships a piece of the spool. *ret_more: there is more. */
AFF_MUST_CHECK aff_status aff_events_ship(struct aff_events *events, bool *ret_more,
                                          struct aff_error *reterr);

/* Opens the connection and looks how far the spool was shipped. */
AFF_MUST_CHECK aff_status aff_events_connect(struct aff_events *events, struct aff_error *reterr);
void aff_events_disconnect(struct aff_events *events);

/* The threads. */
void *aff_events_database(void *argument);
void *aff_events_keeper(void *argument);
void *aff_events_follower(void *argument);
