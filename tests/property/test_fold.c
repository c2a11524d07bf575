/* SPDX-License-Identifier: Apache-2.0 */
/* Random streams of orders that come, change, lose lines, move in time, change their customer and go, taken
 * in random batches: what is added up from deltas must equal a full count of the orders as they are in the
 * end, bit for bit, and so must neighbour rows that were made again twice. */
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/learn/delta.h"
#include "core/learn/live_pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SEEDS = 60,
    PRODUCTS = 14,
    ORDERS = 30,
    CUSTOMERS = 4,
    LINES = 5,
    STEPS = 40,
    BATCH = 6,
    CAP = 4,
    KEPT = 5,
    MONTHS = 3
};

static const struct aff_delta_settings settings = {
    .half_life_s = 30 * 86400,
    .cap = CAP,
    .frame = {.landmark_us = 60 * AFF_DAY_US, .counted_from_us = 5 * AFF_DAY_US}};

/* Keys with gaps; the second half is met for the first time while the stream runs. */
static int32_t key_of(uint32_t product)
{
    return (int32_t)(3 + product * 7 % (PRODUCTS * 7 / 2 + 1) + product * 100);
}

struct order {
    bool exists, changed;
    uint32_t n;
    struct aff_line lines[LINES];
};

/* Everything that the tables hold. */
struct tables {
    struct aff_delta_product products[PRODUCTS];
    struct aff_delta_pair pairs[PRODUCTS][PRODUCTS];
    struct aff_delta_next next[PRODUCTS][PRODUCTS];
    int32_t gaps[PRODUCTS][PRODUCTS][AFF_GAP_BUCKETS];
    struct aff_delta_next_stat stats[PRODUCTS];
    int32_t months[PRODUCTS + 1][MONTHS]; /* the last: all baskets */
    int64_t orders, lines, weight, next_orders, truncated_orders, truncated_lines;
};

static uint32_t number_of(int32_t key)
{
    for (uint32_t product = 0; product < PRODUCTS; product++)
        if (key_of(product) == key)
            return product;
    fail();
    return 0;
}

static void add(struct tables *tables, const struct aff_delta *delta)
{
    for (size_t i = 0; i < delta->n_products; i++) {
        const struct aff_delta_product *change = &delta->products[i];
        struct aff_delta_product *stored = &tables->products[number_of(change->product)];
        stored->orders += change->orders;
        stored->discounted += change->discounted;
        stored->weight += change->weight;
        stored->revenue += change->revenue;
        stored->margin += change->margin;
    }
    for (size_t i = 0; i < delta->n_pairs; i++) {
        const struct aff_delta_pair *change = &delta->pairs[i];
        struct aff_delta_pair *stored = &tables->pairs[number_of(change->a)][number_of(change->b)];
        assert_true(change->a < change->b);
        stored->orders += change->orders;
        stored->discounted += change->discounted;
        stored->weight += change->weight;
        stored->revenue_a += change->revenue_a;
        stored->revenue_b += change->revenue_b;
        stored->margin_a += change->margin_a;
        stored->margin_b += change->margin_b;
    }
    for (size_t i = 0; i < delta->n_next; i++) {
        const struct aff_delta_next *change = &delta->next[i];
        uint32_t a = number_of(change->a), b = number_of(change->b);
        tables->next[a][b].orders += change->orders;
        tables->next[a][b].weight += change->weight;
        for (uint32_t g = 0; g < change->n_gaps; g++)
            tables->gaps[a][b][change->gaps[g].bucket] += change->gaps[g].by;
    }
    for (size_t i = 0; i < delta->n_next_stats; i++) {
        const struct aff_delta_next_stat *change = &delta->next_stats[i];
        struct aff_delta_next_stat *stored = &tables->stats[number_of(change->product)];
        stored->firsts += change->firsts;
        stored->seconds += change->seconds;
        stored->firsts_weight += change->firsts_weight;
    }
    for (size_t i = 0; i < delta->n_months; i++) {
        const struct aff_delta_month *change = &delta->months[i];
        bool every = change->product == AFF_EVERY_PRODUCT;
        assert_true(change->orders != 0 && change->month >= 0 && change->month < MONTHS);
        tables->months[every ? PRODUCTS : number_of(change->product)][change->month] += change->orders;
    }
    tables->orders += delta->orders;
    tables->lines += delta->lines;
    tables->weight += delta->weight;
    tables->next_orders += delta->next_orders;
    tables->truncated_orders += delta->truncated_orders;
    tables->truncated_lines += delta->truncated_lines;
}

static void random_order(struct aff_random *random, uint32_t number, uint32_t known, struct order *order)
{
    /* Few times, so that orders of one customer often have the same. */
    int64_t at_us = (int64_t)aff_random_below(random, 12) * 7 * AFF_DAY_US;
    uint64_t customer = aff_random_below(random, CUSTOMERS + 1);

    order->exists = aff_random_below(random, 6) != 0;
    order->n = order->exists ? 1 + (uint32_t)aff_random_below(random, LINES) : 0;
    for (uint32_t i = 0; i < order->n; i++)
        order->lines[i] = (struct aff_line){.order_key = (int64_t)number * 1000 - 12000,
                                            .customer = customer == 0 ? AFF_NO_CUSTOMER : (int64_t)customer,
                                            .at_us = at_us,
                                            .revenue = (int64_t)aff_random_below(random, 900),
                                            .margin = (int64_t)aff_random_below(random, 400) - 100,
                                            .product = key_of((uint32_t)aff_random_below(random, known)),
                                            .discounted = aff_random_below(random, 4) == 0};
}

static bool counts(const struct order *order)
{
    return order->exists && order->n > 0 && order->lines[0].at_us >= settings.frame.counted_from_us;
}

static bool before_in_list(const struct order *x, const struct order *y)
{
    if (x->lines[0].at_us != y->lines[0].at_us)
        return x->lines[0].at_us < y->lines[0].at_us;
    return x->lines[0].order_key < y->lines[0].order_key;
}

/* Marks the unchanged counted orders on either side of `place` in its customer's list. */
static void mark_beside(const struct order orders[ORDERS], const struct order *place, bool marked[ORDERS])
{
    int nearest_before = -1, nearest_behind = -1;

    if (!counts(place) || place->lines[0].customer == AFF_NO_CUSTOMER)
        return;
    for (int o = 0; o < ORDERS; o++) {
        const struct order *other = &orders[o];
        if (other->changed || !counts(other) || other->lines[0].customer != place->lines[0].customer)
            continue;
        if (before_in_list(other, place)) {
            if (nearest_before < 0 || before_in_list(&orders[nearest_before], other))
                nearest_before = o;
        } else if (nearest_behind < 0 || before_in_list(other, &orders[nearest_behind])) {
            nearest_behind = o;
        }
    }
    if (nearest_before >= 0)
        marked[nearest_before] = true;
    if (nearest_behind >= 0)
        marked[nearest_behind] = true;
}

static size_t put_lines(const struct order *order, struct aff_line *lines, size_t n)
{
    for (uint32_t i = 0; i < order->n; i++)
        lines[n++] = order->lines[i];
    return n;
}

/* The delta from `old` to `now`, given the changed orders and those beside them only. */
static struct aff_delta *delta_of(const struct order old[ORDERS], const struct order now[ORDERS])
{
    static struct aff_line before[ORDERS * LINES], after[ORDERS * LINES];
    bool beside[ORDERS] = {false};
    size_t n_before = 0, n_after = 0;
    struct aff_delta *delta = NULL;

    for (int o = 0; o < ORDERS; o++)
        if (now[o].changed) {
            mark_beside(now, &old[o], beside);
            mark_beside(now, &now[o], beside);
        }
    for (int o = 0; o < ORDERS; o++)
        if (now[o].changed || beside[o]) {
            n_before = put_lines(&old[o], before, n_before);
            n_after = put_lines(&now[o], after, n_after);
        }
    assert_int_equal(aff_delta_build(&settings, before, n_before, after, n_after, &delta), AFF_OK);
    return delta;
}

static void count_all(const struct order orders[ORDERS], struct tables *ret_tables)
{
    static const struct order none[ORDERS];
    struct order all[ORDERS];
    struct aff_delta *delta;

    memcpy(all, orders, sizeof all);
    for (int o = 0; o < ORDERS; o++)
        all[o].changed = true;
    delta = delta_of(none, all);
    memset(ret_tables, 0, sizeof *ret_tables);
    add(ret_tables, delta);
    aff_delta_free(delta);
}

/* ---- rows ---- */

struct rows {
    uint32_t n[PRODUCTS];
    int32_t others[PRODUCTS][KEPT];
    float scores[PRODUCTS][KEPT];
    struct aff_pair_counts counts[PRODUCTS][KEPT];
};

struct taking {
    struct rows *rows;
    const struct aff_live_pairs *live; /* or */
    const struct aff_pairs *pairs;
};

static int32_t product_at(const struct taking *taking, uint32_t row)
{
    return taking->live != NULL ? aff_live_pairs_key(taking->live, row) : taking->pairs->stats[row].product;
}

static aff_status take(void *context, int thread, uint32_t a, float residual,
                       const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                       uint32_t n)
{
    const struct taking *taking = context;
    uint32_t product = number_of(product_at(taking, a));

    (void)thread;
    (void)residual;
    taking->rows->n[product] = n;
    for (uint32_t i = 0; i < n; i++) {
        taking->rows->others[product][i] = product_at(taking, neighbours[i].row);
        taking->rows->scores[product][i] = neighbours[i].score;
        taking->rows->counts[product][i] = counts[i];
    }
    return AFF_OK;
}

static struct aff_pairs *pairs_of(const struct order orders[ORDERS])
{
    const struct aff_baskets_settings fixed = {
        .half_life_s = settings.half_life_s, .cap = CAP, .frame = &settings.frame};
    struct aff_baskets_builder *builder = NULL;
    struct aff_baskets *baskets = NULL;
    struct aff_pairs *pairs = NULL;

    assert_int_equal(aff_baskets_builder_new(&builder), AFF_OK);
    for (int o = 0; o < ORDERS; o++)
        for (uint32_t i = 0; i < orders[o].n; i++)
            assert_int_equal(aff_baskets_builder_add(builder, &orders[o].lines[i]), AFF_OK);
    assert_int_equal(aff_baskets_builder_finish(builder, &fixed, &baskets), AFF_OK);
    aff_baskets_builder_free(builder);
    assert_int_equal(aff_pairs_count(baskets, 1, NULL, &pairs), AFF_OK);
    aff_baskets_free(baskets);
    return pairs;
}

/* What is left of the months in memory, against counting each order as it is in the end. */
static void months_are_those_of_the_orders(const struct aff_live_pairs *live, const struct tables *folded,
                                           const struct order orders[ORDERS])
{
    int32_t all[MONTHS] = {0};

    for (int o = 0; o < ORDERS; o++)
        if (counts(&orders[o]))
            all[aff_month_of(orders[o].lines[0].at_us)]++;
    assert_memory_equal(folded->months[PRODUCTS], all, sizeof all);
    for (uint32_t product = 0; product <= PRODUCTS; product++) {
        int32_t key = product == PRODUCTS ? AFF_EVERY_PRODUCT : key_of(product), kept[MONTHS] = {0};
        struct aff_month_row row = aff_live_pairs_months(live, key);
        for (uint32_t i = 0; i < row.n; i++) {
            assert_true(row.orders[i] > 0 && (i == 0 || row.months[i] > row.months[i - 1]));
            kept[row.months[i]] = row.orders[i];
        }
        assert_memory_equal(folded->months[product], kept, sizeof kept);
    }
}

static void rows_are_those_of_a_full_build(struct aff_live_pairs *live, struct aff_rows_room *room,
                                           const struct order orders[ORDERS])
{
    static struct rows full, swept;
    struct aff_pairs *pairs = pairs_of(orders);
    struct taking taking = {.rows = &full, .pairs = pairs};
    int32_t keys[PRODUCTS];

    memset(&full, 0, sizeof full);
    memset(&swept, 0, sizeof swept);
    assert_int_equal(aff_rows_build(pairs, aff_rows_room_settings(room), 2, NULL, take, &taking), AFF_OK);
    for (uint32_t product = 0; product < PRODUCTS; product++)
        keys[product] = key_of(product);
    taking = (struct taking){.rows = &swept, .live = live};
    for (int sweep = 0; sweep < 2; sweep++)
        for (uint32_t product = 0; product < PRODUCTS; product++)
            assert_int_equal(aff_live_pairs_rows(live, room, &keys[product], 1, NULL, take, &taking), AFF_OK);
    assert_memory_equal(&swept, &full, sizeof full);
    assert_int_equal(aff_live_pairs_count(live), pairs->n_pairs);
    aff_pairs_free(pairs);
}

static void run_stream(uint64_t seed, struct aff_rows_room *room)
{
    static struct order orders[ORDERS], old[ORDERS];
    static struct tables folded, full;
    struct aff_random random = {seed};
    struct aff_live_pairs *live = NULL;
    int32_t known[] = {key_of(1), key_of(2), key_of(3)};

    memset(orders, 0, sizeof orders);
    memset(&folded, 0, sizeof folded);
    assert_int_equal(aff_live_pairs_new(known, 3, &live), AFF_OK);
    for (int step = 0; step < STEPS; step++) {
        memcpy(old, orders, sizeof old);
        for (uint64_t i = 1 + aff_random_below(&random, BATCH); i > 0; i--) {
            uint32_t o = (uint32_t)aff_random_below(&random, ORDERS);
            random_order(&random, o, step < STEPS / 2 ? PRODUCTS / 2 : PRODUCTS, &orders[o]);
            orders[o].changed = true;
        }
        struct aff_delta *delta = delta_of(old, orders);
        for (int o = 0; o < ORDERS; o++)
            orders[o].changed = false;
        add(&folded, delta);
        assert_int_equal(aff_live_pairs_apply(live, delta), AFF_OK);
        aff_delta_free(delta);
    }
    count_all(orders, &full);
    assert_memory_equal(&folded, &full, sizeof full);
    months_are_those_of_the_orders(live, &folded, orders);
    rows_are_those_of_a_full_build(live, room, orders);
    aff_live_pairs_free(live);
}

static void folded_counts_and_swept_rows_equal_a_full_count(void **state)
{
    static const enum aff_method methods[] = {AFF_METHOD_RIDGE, AFF_METHOD_COSINE, AFF_METHOD_CONFIDENCE,
                                              AFF_METHOD_LIFT};
    struct aff_reviews reviews = {0};

    (void)state;
    assert_int_equal(aff_reviews_put(&reviews, key_of(1), key_of(2), AFF_VERDICT_REJECT), AFF_OK);
    assert_int_equal(aff_reviews_put(&reviews, key_of(0), key_of(3), AFF_VERDICT_APPROVE), AFF_OK);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const struct aff_rows_settings rows = {.method = methods[seed % 4],
                                               .neighbours = KEPT,
                                               .others = 6,
                                               .lambda = 0.5,
                                               .season_damping = 0.3,
                                               .reviews = &reviews};
        struct aff_rows_room *room = NULL;
        assert_int_equal(aff_rows_room_new(&rows, 1, &room), AFF_OK);
        run_stream(seed, room);
        aff_rows_room_free(room);
    }
    aff_reviews_done(&reviews);
}

static void an_order_that_comes_twice_changes_nothing(void **state)
{
    static struct order orders[ORDERS];
    struct aff_random random = {9};

    (void)state;
    for (uint32_t o = 0; o < ORDERS; o++) {
        random_order(&random, o, PRODUCTS, &orders[o]);
        orders[o].changed = true;
    }
    struct aff_delta *delta = delta_of(orders, orders);
    assert_int_equal(delta->n_products + delta->n_pairs + delta->n_next + delta->n_next_stats, 0);
    assert_int_equal(delta->orders, 0);
    assert_int_equal(delta->weight, 0);
    aff_delta_free(delta);
}

static void a_delta_of_other_counts_is_refused(void **state)
{
    static struct order orders[ORDERS], none[ORDERS];
    struct aff_random random = {9};
    struct aff_live_pairs *live = NULL;

    (void)state;
    for (uint32_t o = 0; o < ORDERS; o++) {
        random_order(&random, o, PRODUCTS, &orders[o]);
        none[o].changed = true;
    }
    struct aff_delta *delta = delta_of(orders, none);
    assert_int_equal(aff_live_pairs_new(NULL, 0, &live), AFF_OK);
    assert_int_equal(aff_live_pairs_apply(live, delta), AFF_DATA);
    aff_live_pairs_free(live);
    aff_delta_free(delta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folded_counts_and_swept_rows_equal_a_full_count),
        cmocka_unit_test(an_order_that_comes_twice_changes_nothing),
        cmocka_unit_test(a_delta_of_other_counts_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
