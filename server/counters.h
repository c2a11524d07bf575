/* SPDX-License-Identifier: Apache-2.0 */
/* What workers count. Each worker has a block of its own on cache lines of its own and is its only writer;
 * whoever scrapes sums the blocks. Relaxed atomics: a scrape may see one request in one counter and not yet
 * in another. */
#pragma once

#include "core/base/status.h"
#include "core/event/event.h"

#include <stdatomic.h>
#include <stdint.h>

/* Names under which requests are counted: those of routes.def, then those that reached no route. */
#define AFF_SERIES_LIST(X)                                                                                   \
    X(recommend)                                                                                             \
    X(events)                                                                                                \
    X(affinities)                                                                                            \
    X(orders)                                                                                                \
    X(products)                                                                                              \
    X(customers)                                                                                             \
    X(reviews)                                                                                               \
    X(health)                                                                                                \
    X(health_live)                                                                                           \
    X(health_ready)                                                                                          \
    X(metrics)                                                                                               \
    X(openapi)                                                                                               \
    X(unmatched) /* no such path */                                                                          \
    X(refused)   /* by the guard */

enum aff_series {
#define X(name) AFF_SERIES_##name,
    AFF_SERIES_LIST(X)
#undef X
        AFF_SERIES_MAX
};

/* Status codes that are counted one by one: all that the service itself answers with. */
#define AFF_CODE_LIST(X)                                                                                     \
    X(200)                                                                                                   \
    X(202)                                                                                                   \
    X(204)                                                                                                   \
    X(400)                                                                                                   \
    X(403)                                                                                                   \
    X(404)                                                                                                   \
    X(405)                                                                                                   \
    X(409)                                                                                                   \
    X(413)                                                                                                   \
    X(414)                                                                                                   \
    X(415)                                                                                                   \
    X(417)                                                                                                   \
    X(422)                                                                                                   \
    X(431)                                                                                                   \
    X(500)                                                                                                   \
    X(501)                                                                                                   \
    X(503)                                                                                                   \
    X(505)

enum aff_code {
#define X(code) AFF_CODE_##code,
    AFF_CODE_LIST(X)
#undef X
        AFF_CODE_MAX
};

/* Upper bounds of the latency histogram's buckets in microseconds; one more bucket takes the rest. */
#define AFF_LATENCY_LIST(X)                                                                                  \
    X(10) X(25) X(50) X(100) X(250) X(500) X(1000) X(2500) X(5000) X(10000) X(25000) X(100000) X(1000000)

enum {
#define X(bound) AFF_LATENCY_AT_##bound,
    AFF_LATENCY_LIST(X)
#undef X
        AFF_LATENCY_BOUNDS
};

typedef _Atomic uint64_t aff_counter;

struct aff_counters {
    _Alignas(64) aff_counter requests[AFF_SERIES_MAX][AFF_CODE_MAX];
    aff_counter latency[AFF_SERIES_MAX][AFF_LATENCY_BOUNDS + 1];
    aff_counter latency_us[AFF_SERIES_MAX];          /* sum */
    aff_counter in_flight;                           /* requests begun and not yet completed */
    aff_counter open;                                /* connections */
    aff_counter waiting;                             /* requests that wait for another thread */
    aff_counter events_accepted[AFF_EVENT_KIND_MAX]; /* stored or spooled, duplicates among them */
    aff_counter events_refused[AFF_EVENT_KIND_MAX];  /* 0: of no known kind */
#define COUNTER(field, name, help) aff_counter field;
#include "server/counters.def"
#undef COUNTER
};

/* For the block's own writer only: no locked instruction. */
static inline void aff_count(aff_counter *counter, uint64_t by)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, now + by, memory_order_relaxed);
}

static inline void aff_uncount(aff_counter *counter, uint64_t by)
{
    aff_count(counter, 0 - by);
}

/* Counts one answer: series, HTTP status and time. A status that is not in AFF_CODE_LIST counts as 500. */
void aff_counters_answer(struct aff_counters *counters, enum aff_series series, unsigned status,
                         int64_t took_us);

/* Adds `from` to `sum`, counter by counter; `sum` belongs to the caller alone. */
void aff_counters_add(struct aff_counters *sum, const struct aff_counters *from);

const char *aff_series_name(enum aff_series series);
unsigned aff_code_number(enum aff_code code);
int64_t aff_latency_bound_us(unsigned bucket);
