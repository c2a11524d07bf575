/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/reviews.h"

#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void nobody_has_decided_about_a_pair_at_first(void **state)
{
    struct aff_reviews none = {0};

    (void)state;
    assert_int_equal(aff_reviews_find(NULL, 1, 2), AFF_VERDICT_OPEN);
    assert_int_equal(aff_reviews_find(&none, 1, 2), AFF_VERDICT_OPEN);
}

static void a_verdict_holds_for_both_orders_of_a_pair_and_can_be_taken_back(void **state)
{
    struct aff_reviews reviews = {0};

    (void)state;
    assert_int_equal(aff_reviews_put(&reviews, 9, 2, AFF_VERDICT_REJECT), AFF_OK);
    assert_int_equal(aff_reviews_find(&reviews, 2, 9), AFF_VERDICT_REJECT);
    assert_int_equal(aff_reviews_find(&reviews, 9, 2), AFF_VERDICT_REJECT);
    assert_int_equal(aff_reviews_find(&reviews, 2, 8), AFF_VERDICT_OPEN);
    assert_int_equal(aff_reviews_put(&reviews, 2, 9, AFF_VERDICT_OPEN), AFF_OK);
    assert_int_equal(aff_reviews_find(&reviews, 9, 2), AFF_VERDICT_OPEN);
    assert_int_equal(reviews.n, 1);
    aff_reviews_clear(&reviews);
    assert_int_equal(reviews.n, 0);
    aff_reviews_done(&reviews);
}

static void many_verdicts_in_any_order_are_found(void **state)
{
    enum { KEYS = 40 };
    static enum aff_verdict expected[KEYS][KEYS];
    struct aff_reviews reviews = {0};
    struct aff_random random = {7};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        int x = (int)aff_random_below(&random, KEYS), y = (int)aff_random_below(&random, KEYS);
        enum aff_verdict verdict = (enum aff_verdict)aff_random_below(&random, 3);
        if (x == y)
            continue;
        expected[x][y] = expected[y][x] = verdict;
        assert_int_equal(aff_reviews_put(&reviews, x, y, verdict), AFF_OK);
    }
    for (int x = 0; x < KEYS; x++)
        for (int y = 0; y < KEYS; y++)
            assert_int_equal(aff_reviews_find(&reviews, x, y), expected[x][y]);
    aff_reviews_done(&reviews);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_has_decided_about_a_pair_at_first),
        cmocka_unit_test(a_verdict_holds_for_both_orders_of_a_pair_and_can_be_taken_back),
        cmocka_unit_test(many_verdicts_in_any_order_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
