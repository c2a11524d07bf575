/* SPDX-License-Identifier: Apache-2.0 */
#include "server/counters.h"

_Static_assert(sizeof(struct aff_counters) % 64 == 0, "blocks of two workers share no cache line");

static const unsigned codes[] = {
#define X(code) code,
    AFF_CODE_LIST(X)
#undef X
};

static const int64_t bounds_us[] = {
#define X(bound) bound,
    AFF_LATENCY_LIST(X)
#undef X
};

const char *aff_series_name(enum aff_series series)
{
    static const char *const names[] = {
#define X(name) #name,
        AFF_SERIES_LIST(X)
#undef X
    };
    return names[series];
}

unsigned aff_code_number(enum aff_code code)
{
    return codes[code];
}

int64_t aff_latency_bound_us(unsigned bucket)
{
    return bounds_us[bucket];
}

void aff_counters_answer(struct aff_counters *counters, enum aff_series series, unsigned status,
                         int64_t took_us)
{
    unsigned code = 0, bucket = 0;

    while (code < AFF_CODE_MAX && codes[code] != status)
        code++;
    if (code == AFF_CODE_MAX)
        code = AFF_CODE_500;
    while (bucket < AFF_LATENCY_BOUNDS && took_us > bounds_us[bucket])
        bucket++;
    aff_count(&counters->requests[series][code], 1);
    aff_count(&counters->latency[series][bucket], 1);
    aff_count(&counters->latency_us[series], (uint64_t)(took_us < 0 ? 0 : took_us));
}

static void add(aff_counter *sum, const aff_counter *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        aff_count(&sum[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

void aff_counters_add(struct aff_counters *sum, const struct aff_counters *from)
{
    add(&sum->requests[0][0], &from->requests[0][0], (size_t)AFF_SERIES_MAX * AFF_CODE_MAX);
    add(&sum->latency[0][0], &from->latency[0][0], (size_t)AFF_SERIES_MAX * (AFF_LATENCY_BOUNDS + 1));
    add(sum->latency_us, from->latency_us, AFF_SERIES_MAX);
    add(&sum->in_flight, &from->in_flight, 1);
    add(&sum->open, &from->open, 1);
    add(&sum->waiting, &from->waiting, 1);
    add(sum->events_accepted, from->events_accepted, AFF_EVENT_KIND_MAX);
    add(sum->events_refused, from->events_refused, AFF_EVENT_KIND_MAX);
#define COUNTER(field, name, help) add(&sum->field, &from->field, 1);
#include "server/counters.def"
#undef COUNTER
}
