/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers: lift, interval and G^2 computed by hand from the formulas in evidence.h with 15 digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/learn/evidence.h"
#include "core/learn/floors.h"

#include <math.h>

static bool is_near(double value, double expected)
{
    return fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected));
}

struct known {
    uint64_t n_ab, n_a, n_b, n;
    struct aff_evidence evidence;
};

static const struct known known[] = {
    {30, 100, 200, 1000, {0.03, 0.3, 0.15, 1.5, 1.08483539623352, 2.07404736959344, 6.33790112668438}},
    {20, 100, 200, 1000, {0.02, 0.2, 0.1, 1, 0.662903722802963, 1.50851468411082, 0}},
    {10, 40, 10, 1000, {0.01, 0.25, 1, 25, 11.0376264958248, 56.6244926150039, 67.0162571401901}},
    {1, 1, 1, 2, {0.5, 1, 1, 2, 0.500195306519813, 7.99687631583476, 2.77258872223978}},
    {5, 5, 5, 5, {1, 1, 1, 1, 1, 1, 0}},
};

static void evidence_has_the_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct aff_evidence got = aff_evidence_of(known[i].n_ab, known[i].n_a, known[i].n_b, known[i].n);
        struct aff_evidence want = known[i].evidence;
        assert_true(is_near(got.support, want.support));
        assert_true(is_near(got.confidence, want.confidence));
        assert_true(is_near(got.reverse_confidence, want.reverse_confidence));
        assert_true(is_near(got.lift, want.lift));
        assert_true(is_near(got.lift_low, want.lift_low));
        assert_true(is_near(got.lift_high, want.lift_high));
        assert_true(is_near(got.llr, want.llr));
    }
}

static void nothing_together_is_no_evidence(void **state)
{
    const uint64_t empty[][4] = {{0, 5, 5, 10}, {0, 0, 0, 0}, {0, 0, 3, 10}, {0, 3, 0, 10}, {0, 0, 0, 10}};

    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct aff_evidence got = aff_evidence_of(empty[i][0], empty[i][1], empty[i][2], empty[i][3]);
        assert_true(got.support == 0 && got.confidence == 0 && got.reverse_confidence == 0 && got.lift == 0);
        assert_true(got.lift_low == 0 && got.lift_high == 0 && got.llr == 0);
    }
}

/* All tables of up to 12 orders, also those at the edges. */
static void no_table_gives_nan_or_an_interval_without_its_lift(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 12; n++) {
        for (uint64_t n_a = 0; n_a <= n; n_a++) {
            for (uint64_t n_b = 0; n_b <= n; n_b++) {
                uint64_t most = n_a < n_b ? n_a : n_b, least = n_a + n_b > n ? n_a + n_b - n : 0;
                for (uint64_t n_ab = least; n_ab <= most; n_ab++) {
                    struct aff_evidence got = aff_evidence_of(n_ab, n_a, n_b, n);
                    struct aff_evidence mirrored = aff_evidence_of(n_ab, n_b, n_a, n);
                    assert_true(got.lift_low <= got.lift && got.lift <= got.lift_high);
                    assert_true(isfinite(got.lift_high) && isfinite(got.llr) && got.llr >= 0);
                    assert_true(got.confidence <= 1 && got.support <= got.confidence);
                    assert_true(is_near(got.lift, mirrored.lift) && is_near(got.llr, mirrored.llr));
                    assert_true(got.confidence == mirrored.reverse_confidence);
                }
            }
        }
    }
}

static void weighted_evidence_has_no_interval(void **state)
{
    struct aff_evidence got = aff_evidence_weighted(1.5, 3, 5, 40);

    (void)state;
    assert_true(is_near(got.support, 0.0375) && is_near(got.confidence, 0.5));
    assert_true(is_near(got.reverse_confidence, 0.3) && is_near(got.lift, 4));
    assert_true(got.lift_low == 0 && got.lift_high == 0 && got.llr == 0);
    got = aff_evidence_weighted(0, 3, 5, 40);
    assert_true(got.support == 0 && got.lift == 0);
}

static void default_floors_ask_for_two_orders_and_an_interval_above_one(void **state)
{
    struct aff_floors floors = aff_floors_default();

    (void)state;
    assert_true(aff_floors_pass(&floors, 35, 100, 200, 1000));
    assert_false(aff_floors_pass(&floors, 20, 100, 200, 1000)); /* lift 1, interval from 0.66 */
    assert_false(aff_floors_pass(&floors, 1, 1, 1, 1000));      /* one order */
    assert_true(aff_floors_pass(&floors, 2, 2, 2, 1000));
    assert_false(aff_floors_pass(&floors, 0, 10, 10, 1000));
}

static void default_floors_keep_out_what_chance_alone_brings_in_one_of_forty_pairs(void **state)
{
    const struct aff_floors floors = aff_floors_default();
    struct aff_evidence evidence = aff_evidence_of(28, 200, 900, 10000);

    (void)state;
    assert_true(evidence.lift_low > 1 && evidence.llr < floors.min_llr); /* a bestseller met a little often */
    assert_false(aff_floors_pass(&floors, 28, 200, 900, 10000));
    assert_true(aff_floors_pass(&floors, 34, 200, 900, 10000));
}

static void classic_floors_ask_for_support_and_lift(void **state)
{
    struct aff_floors floors = aff_floors_classic();

    (void)state;
    assert_true(aff_floors_pass(&floors, 30, 100, 200, 1000)); /* support 3 %, lift 1.5: both exactly */
    assert_false(aff_floors_pass(&floors, 29, 100, 190, 1000));
    assert_false(aff_floors_pass(&floors, 30, 100, 201, 1000));
}

static void each_floor_holds_by_itself(void **state)
{
    const struct aff_floors none = {0}, confidence = {.min_confidence = 0.31}, orders = {.min_orders = 31};

    (void)state;
    assert_true(aff_floors_pass(&none, 1, 900, 900, 1000));
    assert_false(aff_floors_pass(&confidence, 30, 100, 200, 1000));
    assert_true(aff_floors_pass(&confidence, 31, 100, 200, 1000));
    assert_false(aff_floors_pass(&orders, 30, 100, 200, 1000));
}

/* 1000 orders; a in 100 of them, reduced in 40; b in 80, reduced in 30; both in 50, one of them reduced
 * in 38. What is left: 12 with both, 60 and 50: lift 12 x 1000 / (60 x 50) = 4, against 50 x 1000 / (100 x
 * 80). */
static void a_promotion_is_taken_out_of_all_counts(void **state)
{
    struct aff_evidence with = aff_evidence_of(50, 100, 80, 1000);
    struct aff_evidence without = aff_evidence_without(50, 38, 100, 40, 80, 30, 1000);
    struct aff_evidence plain = aff_evidence_of(12, 60, 50, 1000);

    (void)state;
    assert_true(fabs(with.lift - 6.25) < 1e-12);
    assert_true(fabs(without.lift - 4) < 1e-12);
    assert_memory_equal(&without, &plain, sizeof plain);
    struct aff_evidence none = aff_evidence_without(50, 50, 100, 40, 80, 30, 1000);
    assert_true(none.lift == 0 && none.lift_low == 0 && none.lift_high == 0);
    struct aff_evidence torn = aff_evidence_without(50, 51, 100, 140, 80, 30, 1000);
    assert_true(torn.lift == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_has_the_known_answers),
        cmocka_unit_test(nothing_together_is_no_evidence),
        cmocka_unit_test(no_table_gives_nan_or_an_interval_without_its_lift),
        cmocka_unit_test(weighted_evidence_has_no_interval),
        cmocka_unit_test(default_floors_ask_for_two_orders_and_an_interval_above_one),
        cmocka_unit_test(default_floors_keep_out_what_chance_alone_brings_in_one_of_forty_pairs),
        cmocka_unit_test(classic_floors_ask_for_support_and_lift),
        cmocka_unit_test(each_floor_holds_by_itself),
        cmocka_unit_test(a_promotion_is_taken_out_of_all_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
