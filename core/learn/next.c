/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/next.h"

#include "core/base/sort.h"
#include "core/learn/decay.h"
#include "core/learn/gap.h"
#include "core/learn/top.h"

#include <stdlib.h>

enum { CHUNK = 16, SHRINKAGE = 5 };

static bool holds(const struct aff_baskets *baskets, uint32_t basket, uint32_t row)
{
    uint32_t low = baskets->starts[basket], high = baskets->starts[basket + 1];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (baskets->lines[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < baskets->starts[basket + 1] && baskets->lines[low].row == row;
}

static void note_consecutive(struct aff_next *next, uint32_t first, uint32_t second)
{
    const struct aff_baskets *baskets = next->baskets;

    next->following[first] = second;
    next->gaps[first] = aff_gap_bucket(baskets->at_us[second] - baskets->at_us[first]);
    next->consecutive++;
    for (uint32_t i = baskets->starts[first]; i < baskets->starts[first + 1]; i++) {
        struct aff_next_stat *stat = &next->stats[baskets->lines[i].row];
        stat->firsts++;
        stat->firsts_weight += baskets->weights[second];
    }
    for (uint32_t i = baskets->starts[second]; i < baskets->starts[second + 1]; i++)
        if (!holds(baskets, first, baskets->lines[i].row))
            next->stats[baskets->lines[i].row].seconds++;
}

aff_status aff_next_new(const struct aff_baskets *baskets, struct aff_next **ret_next)
{
    struct aff_next *next = calloc(1, sizeof *next);
    size_t n = baskets->n_baskets;

    if (next == NULL)
        return AFF_NOMEM;
    next->baskets = baskets;
    next->following = malloc((n + 1) * sizeof *next->following);
    next->gaps = malloc((n + 1) * sizeof *next->gaps);
    next->stats = calloc((size_t)baskets->n_products + 1, sizeof *next->stats);
    if (next->following == NULL || next->gaps == NULL || next->stats == NULL) {
        aff_next_free(next);
        return AFF_NOMEM;
    }
    for (size_t o = 0; o < n; o++)
        next->following[o] = AFF_NO_BASKET;
    for (uint32_t c = 0; c < baskets->n_customers; c++)
        for (uint32_t i = baskets->customer_starts[c]; i + 1 < baskets->customer_starts[c + 1]; i++) {
            uint32_t first = baskets->customer_baskets[i], second = baskets->customer_baskets[i + 1];
            if (baskets->at_us[first] < baskets->at_us[second])
                note_consecutive(next, first, second);
        }
    *ret_next = next;
    return AFF_OK;
}

void aff_next_free(struct aff_next *next)
{
    if (next == NULL)
        return;
    free(next->following);
    free(next->gaps);
    free(next->stats);
    free(next);
}

/* ---- counting ---- */

/* What one thread needs. Arrays without a size in the comment are by product row. */
struct counter {
    int64_t *weights;
    uint32_t *orders; /* 0 where nothing was added */
    uint32_t *places; /* where the next gap of the product goes */
    uint32_t *touched, *scratch;
    struct aff_next_pair *pairs;
    uint64_t *events; /* one each time: product row and gap bucket */
    uint8_t *gaps;    /* buckets, grouped by product */
    size_t n_events, capacity;
};

struct counting {
    const struct aff_next *next;
    aff_next_sink sink;
    void *context;
    struct counter *counters;
};

static aff_status make_room(struct counter *counter, size_t more)
{
    size_t wanted = counter->n_events + more;

    if (wanted <= counter->capacity)
        return AFF_OK;
    if (wanted > UINT32_MAX)
        return AFF_LIMIT;
    wanted += wanted / 2 + 1024;
    uint64_t *events = realloc(counter->events, wanted * sizeof *events);
    if (events == NULL)
        return AFF_NOMEM;
    counter->events = events;
    uint8_t *gaps = realloc(counter->gaps, wanted);
    if (gaps == NULL)
        return AFF_NOMEM;
    counter->gaps = gaps;
    counter->capacity = wanted;
    return AFF_OK;
}

/* Adds the products of `second` that `first` does not hold; both are sorted by row. Returns the number of
 * products touched so far. */
static uint32_t add_basket(struct counter *counter, const struct aff_next *next, uint32_t first, uint32_t n)
{
    const struct aff_baskets *baskets = next->baskets;
    uint32_t second = next->following[first], seen = baskets->starts[first];
    int64_t weight = baskets->weights[second];

    for (uint32_t i = baskets->starts[second]; i < baskets->starts[second + 1]; i++) {
        uint32_t b = baskets->lines[i].row;
        while (seen < baskets->starts[first + 1] && baskets->lines[seen].row < b)
            seen++;
        if (seen < baskets->starts[first + 1] && baskets->lines[seen].row == b)
            continue;
        counter->touched[n] = b;
        n += counter->orders[b] == 0;
        counter->orders[b]++;
        counter->weights[b] += weight;
        counter->events[counter->n_events++] = (uint64_t)next->gaps[first] << 32 | b;
    }
    return n;
}

/* Sorts a product's buckets: few as a rule, so insertion; many by counting. */
static void sort_gaps(uint8_t *gaps, uint32_t n)
{
    if (n <= 32) {
        for (uint32_t i = 1; i < n; i++) {
            uint8_t gap = gaps[i];
            uint32_t at = i;
            for (; at > 0 && gaps[at - 1] > gap; at--)
                gaps[at] = gaps[at - 1];
            gaps[at] = gap;
        }
        return;
    }
    uint32_t count[AFF_GAP_BUCKETS] = {0};
    for (uint32_t i = 0; i < n; i++)
        count[gaps[i]]++;
    for (uint32_t bucket = 0, at = 0; bucket < AFF_GAP_BUCKETS; bucket++)
        for (uint32_t i = 0; i < count[bucket]; i++)
            gaps[at++] = (uint8_t)bucket;
}

/* Groups the events by product and hands the row on; the dense arrays are empty again afterwards. */
static aff_status emit(struct counting *counting, int thread, uint32_t a, uint32_t n)
{
    struct counter *counter = &counting->counters[thread];
    uint32_t place = 0;

    aff_sort_u32(counter->touched, n, counter->scratch);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t b = counter->touched[i];
        counter->pairs[i] = (struct aff_next_pair){.b = b,
                                                   .orders = counter->orders[b],
                                                   .weight = counter->weights[b],
                                                   .gaps = counter->gaps + place};
        counter->places[b] = place;
        place += counter->orders[b];
        counter->orders[b] = 0;
        counter->weights[b] = 0;
    }
    for (size_t i = 0; i < counter->n_events; i++)
        counter->gaps[counter->places[(uint32_t)counter->events[i]]++] = (uint8_t)(counter->events[i] >> 32);
    place = 0;
    for (uint32_t i = 0; i < n; i++) {
        sort_gaps(counter->gaps + place, counter->pairs[i].orders);
        place += counter->pairs[i].orders;
    }
    counter->n_events = 0;
    return n == 0 ? AFF_OK : counting->sink(counting->context, thread, a, counter->pairs, n);
}

static aff_status count_products(void *context, int thread, uint32_t from, uint32_t to)
{
    struct counting *counting = context;
    const struct aff_next *next = counting->next;
    const struct aff_baskets *baskets = next->baskets;
    struct counter *counter = &counting->counters[thread];

    for (uint32_t a = from; a < to; a++) {
        uint32_t n = 0;
        for (uint32_t i = baskets->product_starts[a]; i < baskets->product_starts[a + 1]; i++) {
            uint32_t first = baskets->basket_of[baskets->positions[i]], second = next->following[first];
            if (second == AFF_NO_BASKET)
                continue;
            aff_status status = make_room(counter, baskets->starts[second + 1] - baskets->starts[second]);
            if (status != AFF_OK)
                return status;
            n = add_basket(counter, next, first, n);
        }
        aff_status status = emit(counting, thread, a, n);
        if (status != AFF_OK)
            return status;
    }
    return AFF_OK;
}

static aff_status make_counter(struct counter *counter, size_t n)
{
    counter->weights = calloc(n, sizeof *counter->weights);
    counter->orders = calloc(n, sizeof *counter->orders);
    counter->places = malloc(n * sizeof *counter->places);
    counter->touched = malloc(n * sizeof *counter->touched);
    counter->scratch = malloc(n * sizeof *counter->scratch);
    counter->pairs = malloc(n * sizeof *counter->pairs);
    if (counter->weights == NULL || counter->orders == NULL || counter->places == NULL ||
        counter->touched == NULL || counter->scratch == NULL || counter->pairs == NULL)
        return AFF_NOMEM;
    return AFF_OK;
}

aff_status aff_next_count(const struct aff_next *next, int n_threads, const struct aff_watch *watch,
                          aff_next_sink sink, void *context)
{
    struct counting counting = {.next = next, .sink = sink, .context = context};
    uint32_t n = next->baskets->n_products;
    aff_status status = AFF_OK;

    counting.counters = calloc((size_t)n_threads, sizeof *counting.counters);
    if (counting.counters == NULL)
        return AFF_NOMEM;
    for (int i = 0; i < n_threads && status == AFF_OK; i++)
        status = make_counter(&counting.counters[i], (size_t)n + 1);
    if (status == AFF_OK)
        status = aff_parallel_run(n_threads, n, CHUNK, count_products, &counting, watch);
    for (int i = 0; i < n_threads; i++) {
        struct counter *counter = &counting.counters[i];
        free(counter->weights);
        free(counter->orders);
        free(counter->places);
        free(counter->touched);
        free(counter->scratch);
        free(counter->pairs);
        free(counter->events);
        free(counter->gaps);
    }
    free(counting.counters);
    return status;
}

aff_status aff_next_row(const struct aff_next *next, uint32_t a, const struct aff_next_pair *pairs,
                        uint32_t n_pairs, const struct aff_next_row_settings *settings,
                        struct aff_neighbour *ret_neighbours, struct aff_pair_counts *ret_counts,
                        uint32_t *ret_n)
{
    struct aff_top top = {.capacity = settings->neighbours};
    double base = (double)next->stats[a].firsts_weight + (double)SHRINKAGE * (double)AFF_WEIGHT_ONE;

    top.entries = malloc(settings->neighbours * sizeof *top.entries);
    if (top.entries == NULL)
        return AFF_NOMEM;
    for (uint32_t i = 0; i < n_pairs; i++) {
        const struct aff_next_pair *pair = &pairs[i];
        struct aff_scored entry = {
            .score = (float)((double)pair->weight / base), .row = pair->b, .payload = i};
        if (entry.score > 0 && aff_top_takes(&top, entry) &&
            aff_floors_pass(&settings->floors, pair->orders, next->stats[a].firsts,
                            next->stats[pair->b].seconds, next->consecutive))
            aff_top_offer(&top, entry);
    }
    aff_top_sort(&top);
    for (uint32_t i = 0; i < top.n; i++) {
        const struct aff_next_pair *pair = &pairs[top.entries[i].payload];
        ret_neighbours[i] = (struct aff_neighbour){top.entries[i].row, top.entries[i].score};
        ret_counts[i] =
            (struct aff_pair_counts){.orders = pair->orders,
                                     .weight = pair->weight,
                                     .gap_days = (float)aff_gap_median_of(pair->gaps, pair->orders)};
    }
    *ret_n = top.n;
    free(top.entries);
    return AFF_OK;
}
