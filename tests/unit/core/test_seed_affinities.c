/* SPDX-License-Identifier: Apache-2.0 */
/* Golden test: a published table of five affinity pairs comes out of 10 000 orders that were made to hold
 * them. */
#include "baskets_of.h"
#include "core/learn/evidence.h"
#include "core/learn/pairs.h"
#include "core/learn/rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ORDERS = 10000, PAIRS = 5 };

/* The table as printed, and the counts that give it to the rounding shown. */
static const struct {
    const char *a, *b;
    int support, confidence; /* percent */
    int lift;                /* tenths */
    int n_ab, n_a, n_b;
} table[PAIRS] = {
    {"Running shoes", "Performance socks", 12, 65, 32, 1200, 1846, 2031},
    {"CRM module", "Email marketing module", 18, 72, 28, 1800, 2500, 2571},
    {"Laptop", "Laptop bag", 15, 58, 25, 1500, 2586, 2320},
    {"Coffee machine", "Coffee beans (subscription)", 22, 78, 35, 2200, 2820, 2229},
    {"Basic plan", "Analytics add-on", 8, 45, 21, 800, 1778, 2143},
};

/* A product of every order, so that no order is empty. */
#define BAG (2 * PAIRS)

/* Each pair's orders (with both, with the first only, with the second only) are strewn over the 10 000 with a
 * step of their own, so that products of different pairs meet by chance only. */
static struct aff_baskets *make_orders(void)
{
    static const int steps[PAIRS] = {1, 3, 7, 9, 11}; /* without a common factor with 10 000 */
    struct aff_line *lines = calloc((size_t)(2 * PAIRS + 1) * ORDERS, sizeof *lines);
    size_t n = 0;

    assert_non_null(lines);
    for (int i = 0; i < ORDERS; i++)
        lines[n++] = (struct aff_line){.order_key = i, .at_us = AFF_DAY_US, .product = BAG};
    for (int pair = 0; pair < PAIRS; pair++) {
        int n_orders = table[pair].n_a + table[pair].n_b - table[pair].n_ab;
        for (int i = 0; i < n_orders; i++) {
            struct aff_line line = {
                .order_key = i * steps[pair] % ORDERS, .at_us = AFF_DAY_US, .product = 2 * pair};
            if (i < table[pair].n_a)
                lines[n++] = line;
            line.product++;
            if (i < table[pair].n_ab || i >= table[pair].n_a)
                lines[n++] = line;
        }
    }
    struct aff_baskets *baskets = baskets_of(lines, n);
    free(lines);
    return baskets;
}

static void table_comes_out_of_the_orders(void **state)
{
    (void)state;
    struct aff_baskets *baskets = make_orders();
    struct aff_pairs *pairs = NULL;
    const struct aff_floors floors = aff_floors_classic();

    assert_int_equal(baskets->n_baskets, ORDERS);
    assert_int_equal(aff_pairs_count(baskets, 2, NULL, &pairs), AFF_OK);
    for (uint32_t i = 0; i < PAIRS; i++) {
        const struct aff_pair *pair = aff_pairs_find(pairs, 2 * i, 2 * i + 1);
        uint32_t n_a = pairs->stats[2 * i].orders, n_b = pairs->stats[2 * i + 1].orders;
        assert_non_null(pair);
        assert_int_equal(pair->orders, table[i].n_ab);
        assert_int_equal(n_a, table[i].n_a);
        assert_int_equal(n_b, table[i].n_b);
        struct aff_evidence evidence = aff_evidence_of(pair->orders, n_a, n_b, pairs->orders);
        assert_int_equal(lround(evidence.support * 100), table[i].support);
        assert_int_equal(lround(evidence.confidence * 100), table[i].confidence);
        assert_int_equal(lround(evidence.lift * 10), table[i].lift);
        assert_true(aff_floors_pass(&floors, pair->orders, n_a, n_b, pairs->orders));
    }
    aff_pairs_free(pairs);
    aff_baskets_free(baskets);
}

static aff_status take_first(void *context, int thread, uint32_t a, float residual,
                             const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                             uint32_t n)
{
    uint32_t *first = context;

    (void)thread, (void)residual, (void)counts;
    if (n > 0)
        first[a] = neighbours[0].row;
    return AFF_OK;
}

static void every_method_puts_the_partner_first_under_the_classic_floors(void **state)
{
    (void)state;
    struct aff_baskets *baskets = make_orders();
    struct aff_pairs *pairs = NULL;

    assert_int_equal(aff_pairs_count(baskets, 2, NULL, &pairs), AFF_OK);
    for (int method = AFF_METHOD_RIDGE; method <= AFF_METHOD_LIFT; method++) {
        const struct aff_rows_settings settings = {.method = (enum aff_method)method,
                                                   .neighbours = 5,
                                                   .others = 2 * PAIRS,
                                                   .lambda = 4,
                                                   .floors = aff_floors_classic()};
        uint32_t first[2 * PAIRS + 1] = {0};
        assert_int_equal(aff_rows_build(pairs, &settings, 1, NULL, take_first, first), AFF_OK);
        for (uint32_t i = 0; i < 2 * PAIRS; i++)
            assert_int_equal(first[i], i ^ 1);
    }
    aff_pairs_free(pairs);
    aff_baskets_free(baskets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_comes_out_of_the_orders),
        cmocka_unit_test(every_method_puts_the_partner_first_under_the_classic_floors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
