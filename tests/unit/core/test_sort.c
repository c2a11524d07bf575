/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/sort.h"

#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 3000 };

static int ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void numbers_of_any_count_and_range_sort_like_qsort(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {2, 300, 70000, UINT64_C(1) << 32};
    uint32_t values[MOST], expected[MOST], scratch[MOST];
    struct aff_random random = {11};

    for (int round = 0; round < 400; round++) {
        size_t n = (size_t)aff_random_below(&random, round % 2 == 0 ? 60 : MOST);
        for (size_t i = 0; i < n; i++)
            values[i] = expected[i] = (uint32_t)aff_random_below(&random, bounds[round % 4]);
        aff_sort_u32(values, n, scratch);
        qsort(expected, n, sizeof *expected, ascending);
        if (n > 0)
            assert_memory_equal(values, expected, n * sizeof *values);
    }
}

static void equal_keys_keep_their_order(void **state)
{
    (void)state;
    struct aff_keyed entries[MOST], scratch[MOST];
    struct aff_random random = {12};

    for (int round = 0; round < 200; round++) {
        size_t n = (size_t)aff_random_below(&random, round % 2 == 0 ? 60 : MOST);
        for (size_t i = 0; i < n; i++)
            entries[i] = (struct aff_keyed){aff_random_below(&random, 40) << (round % 57), (uint32_t)i};
        aff_sort_keyed(entries, n, scratch);
        for (size_t i = 1; i < n; i++)
            assert_true(entries[i - 1].key < entries[i].key ||
                        (entries[i - 1].key == entries[i].key && entries[i - 1].value < entries[i].value));
    }
}

static void signed_numbers_keep_their_order(void **state)
{
    (void)state;
    assert_true(aff_sort_signed(INT64_MIN) < aff_sort_signed(-1));
    assert_true(aff_sort_signed(-1) < aff_sort_signed(0));
    assert_true(aff_sort_signed(0) < aff_sort_signed(INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_any_count_and_range_sort_like_qsort),
        cmocka_unit_test(equal_keys_keep_their_order),
        cmocka_unit_test(signed_numbers_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
