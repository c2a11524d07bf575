/* SPDX-License-Identifier: Apache-2.0 */
/* What the database thread does with its connection: opens it, stores events, ships the spool. */
#include "server/events_internal.h"

#include "core/base/clock.h"
#include "sql/events/spool_mark.h"
#include "sql/migrate.h"

#include <stdlib.h>
#include <string.h>

/* Of one transaction that ships. */
#define SHIP_EVENTS 10000
#define SHIP_BYTES ((size_t)4 << 20)

void aff_events_disconnect(struct aff_events *events)
{
    (void)pthread_mutex_lock(&events->lock);
    events->socket = -1;
    events->connected = false;
    (void)pthread_mutex_unlock(&events->lock);
    aff_connection_close(&events->connection);
    events->connection = (struct aff_connection){0};
    events->store.name[0] = '\0';
}

/* Lets the spool go on where the database says that it was left. A mark beyond the spool's end comes from a
 * directory that was put back to an earlier state: then all is shipped again, which the events' keys allow.
 */
static aff_status find_mark(struct aff_events *events, struct aff_error *reterr)
{
    struct aff_spool_view view;
    uint64_t shipped;

    if (events->spool == NULL)
        return AFF_OK;
    aff_status status =
        aff_spool_mark_read(&events->connection, aff_spool_id(events->spool), &shipped, reterr);
    if (status != AFF_OK)
        return status;
    aff_spool_read_view(events->spool, &view);
    if (shipped <= view.durable)
        aff_spool_free(events->spool, shipped);
    aff_spool_rewind(events->spool, 0);
    return AFF_OK;
}

aff_status aff_events_connect(struct aff_events *events, struct aff_error *reterr)
{
    struct aff_config *config = &events->config;
    int timeout_s;

    (void)pthread_mutex_lock(&events->lock);
    memcpy(events->url, config->database_url, sizeof events->url);
    timeout_s = (int)config->database_connect_timeout_s;
    (void)pthread_mutex_unlock(&events->lock);
    aff_status status =
        aff_connection_open(events->url, "affinityd events", timeout_s, &events->connection, reterr);
    if (status != AFF_OK) {
        events->connection = (struct aff_connection){0};
        return status;
    }
    (void)pthread_mutex_lock(&events->lock);
    events->socket = aff_events_socket(&events->connection);
    bool stop = events->stop;
    (void)pthread_mutex_unlock(&events->lock);
    if (stop)
        return aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
    status = aff_migrate_check(&events->connection, reterr);
    if (status == AFF_OK)
        status = aff_events_prepare(&events->connection, reterr);
    if (status == AFF_OK)
        status = find_mark(events, reterr);
    return status;
}

static aff_status find_store(struct aff_events *events, struct aff_text name, struct aff_error *reterr)
{
    if (aff_text_equal(name, aff_text_of(events->store.name)))
        return AFF_OK;
    events->store.name[0] = '\0';
    aff_status status = aff_events_store(&events->connection, name, &events->store.number, reterr);
    if (status == AFF_OK) {
        memcpy(events->store.name, name.at, name.size);
        events->store.name[name.size] = '\0';
    }
    return status;
}

/* Adds a batch's events to the rows. */
static aff_status add_rows(struct aff_events *events, const void *bytes, size_t size,
                           struct aff_error *reterr)
{
    struct aff_event_reader reader;
    struct aff_event event;
    aff_status status = aff_event_read_begin(&reader, bytes, size);

    while (status == AFF_OK && reader.left > 0) {
        status = aff_event_read(&reader, &event);
        if (status == AFF_OK)
            status = aff_event_rows_add(&events->rows, &event);
    }
    if (status == AFF_DATA)
        return aff_error_set(reterr, AFF_DATA,
                             "the spool holds events in a form that this version cannot read");
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

static void note_stored(void *context, const unsigned char *key)
{
    struct aff_events *events = context;

    if (events->n_stored == events->stored_capacity) {
        size_t capacity = events->stored_capacity == 0 ? 1024 : events->stored_capacity * 2;
        unsigned char *stored = realloc(events->stored, capacity * AFF_EVENT_KEY);
        if (stored == NULL) {
            events->stored_failed = true;
            return;
        }
        events->stored = stored;
        events->stored_capacity = capacity;
    }
    memcpy(events->stored + events->n_stored++ * AFF_EVENT_KEY, key, AFF_EVENT_KEY);
}

static aff_status put(struct aff_events *events, struct aff_error *reterr)
{
    events->n_stored = 0;
    events->stored_failed = false;
    return aff_events_put(&events->connection, events->store.number, events->writer, &events->rows,
                          note_stored, events, reterr);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, AFF_EVENT_KEY);
}

/* Tells each job how many of its events were there before. An event that comes twice in one statement is
 * stored for the first of the two. */
static void count_duplicates(struct aff_events *events, struct aff_event_jobs *jobs)
{
    if (events->n_stored == events->rows.n || events->stored_failed)
        return;
    bool *taken = calloc(events->n_stored + 1, sizeof *taken);
    if (taken == NULL)
        return;
    if (events->n_stored > 0)
        qsort(events->stored, events->n_stored, AFF_EVENT_KEY, compare_keys);
    for (struct aff_event_job *job = jobs->first; job != NULL; job = job->next) {
        struct aff_event_reader reader;
        struct aff_event event;
        aff_status status = aff_event_read_begin(&reader, job->pack.bytes, job->pack.size);
        job->duplicates = 0;
        while (status == AFF_OK && reader.left > 0 && (status = aff_event_read(&reader, &event)) == AFF_OK) {
            const unsigned char *found =
                events->n_stored == 0
                    ? NULL
                    : bsearch(event.key, events->stored, events->n_stored, AFF_EVENT_KEY, compare_keys);
            size_t index =
                found == NULL ? events->n_stored : (size_t)(found - events->stored) / AFF_EVENT_KEY;
            job->duplicates += taken[index] || found == NULL;
            taken[index] = true;
        }
    }
    free(taken);
}

static void note_commit(struct aff_events *events, int64_t took_us)
{
    static const int64_t bounds_ms[] = {
#define X(bound) bound,
        AFF_EVENTS_COMMIT_LIST(X)
#undef X
    };
    int bucket = 0;

    while (bucket < AFF_EVENTS_COMMIT_BOUNDS && took_us > bounds_ms[bucket] * 1000)
        bucket++;
    (void)pthread_mutex_lock(&events->lock);
    events->view.commits++;
    events->view.commit_us += (uint64_t)took_us;
    events->view.commit_buckets[bucket]++;
    events->view.error[0] = '\0';
    aff_failure_log_clear(&events->said);
    (void)pthread_mutex_unlock(&events->lock);
}

aff_status aff_events_commit(struct aff_events *events, struct aff_event_jobs *jobs, struct aff_error *reterr)
{
    int64_t started_us = aff_clock_monotonic_us();
    aff_status status = AFF_OK;

    aff_event_rows_reset(&events->rows);
    for (const struct aff_event_job *job = jobs->first; job != NULL && status == AFF_OK; job = job->next) {
        struct aff_event_reader reader;
        if (job == jobs->first) {
            status = aff_event_read_begin(&reader, job->pack.bytes, job->pack.size);
            if (status == AFF_OK)
                status = find_store(events, reader.store, reterr);
        }
        if (status == AFF_OK)
            status = add_rows(events, job->pack.bytes, job->pack.size, reterr);
    }
    /* From here on the keeper may take the jobs away, so they are not looked at before they are back. */
    (void)pthread_mutex_lock(&events->lock);
    events->sent = *jobs;
    events->sent_us = started_us;
    (void)pthread_cond_signal(&events->for_keeper);
    (void)pthread_mutex_unlock(&events->lock);
    if (status == AFF_OK)
        status = put(events, reterr);
    (void)pthread_mutex_lock(&events->lock);
    *jobs = events->sent;
    events->sent = (struct aff_event_jobs){0};
    (void)pthread_mutex_unlock(&events->lock);
    if (status == AFF_OK) {
        count_duplicates(events, jobs);
        note_commit(events, aff_clock_monotonic_us() - started_us);
    }
    return status;
}

void aff_events_recall_spool(struct aff_events *events)
{
    struct aff_spool_record record;
    struct aff_error error;

    if (events->spool == NULL)
        return;
    while (!aff_events_must_stop(events) && aff_spool_next(events->spool, &record, &error) == AFF_OK) {
        struct aff_event_reader reader;
        struct aff_event event;
        if (aff_event_read_begin(&reader, record.content, record.size) != AFF_OK)
            continue;
        while (reader.left > 0 && aff_event_read(&reader, &event) == AFF_OK)
            aff_memory_note(events->memory, reader.store, &event);
    }
    aff_spool_rewind(events->spool, 0);
}

/* Gathers records of one store. *ret_last: the number of the last one; 0: there is none. */
static aff_status gather(struct aff_events *events, uint64_t *ret_last, uint64_t *ret_records,
                         struct aff_error *reterr)
{
    uint64_t last = 0, records = 0;

    aff_event_rows_reset(&events->rows);
    while (events->rows.n < SHIP_EVENTS && aff_event_rows_bytes(&events->rows) < SHIP_BYTES) {
        struct aff_spool_record record;
        struct aff_event_reader reader;
        aff_status status = aff_spool_next(events->spool, &record, reterr);
        if (status == AFF_NOTFOUND)
            break;
        if (status != AFF_OK)
            return status;
        if (aff_event_read_begin(&reader, record.content, record.size) == AFF_OK && last != 0 &&
            !aff_text_equal(reader.store, aff_text_of(events->store.name))) {
            aff_spool_rewind(events->spool, record.number - 1);
            break;
        }
        status = last != 0 ? AFF_OK : find_store(events, reader.store, reterr);
        if (status == AFF_OK)
            status = add_rows(events, record.content, record.size, reterr);
        if (status != AFF_OK)
            return status;
        last = record.number;
        records++;
    }
    *ret_last = last;
    *ret_records = records;
    return AFF_OK;
}

/* The rows and the mark, together or not at all. */
static aff_status ship_rows(struct aff_events *events, uint64_t last, struct aff_error *reterr)
{
    aff_status status = aff_execute(&events->connection, "BEGIN", reterr);

    if (status == AFF_OK)
        status = put(events, reterr);
    if (status == AFF_OK)
        status = aff_spool_mark_write(&events->connection, aff_spool_id(events->spool), last, reterr);
    if (status == AFF_OK)
        status = aff_execute(&events->connection, "COMMIT", reterr);
    return status;
}

aff_status aff_events_ship(struct aff_events *events, bool *ret_more, struct aff_error *reterr)
{
    int64_t started_us = aff_clock_monotonic_us();
    uint64_t last = 0, records = 0;
    aff_status status;

    *ret_more = false;
    if (events->spool == NULL)
        return AFF_OK;
    status = gather(events, &last, &records, reterr);
    if (status != AFF_OK || last == 0)
        return status;
    status = ship_rows(events, last, reterr);
    if (status != AFF_OK)
        return status;
    aff_spool_free(events->spool, last);
    note_commit(events, aff_clock_monotonic_us() - started_us);
    (void)pthread_mutex_lock(&events->lock);
    events->view.shipped += records;
    (void)pthread_mutex_unlock(&events->lock);
    *ret_more = true;
    return AFF_OK;
}
