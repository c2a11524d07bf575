/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Kept rows from an array. */
struct kept {
    const struct aff_compared *rows;
    size_t n, at;
};

static const struct aff_compared_names names = {
    .key = {"product"}, .values = {"orders", "weight"}, .bytes = "gaps"};

static aff_status next(void *context, struct aff_compared *ret_row, bool *ret_more, struct aff_error *reterr)
{
    struct kept *kept = context;

    (void)reterr;
    *ret_more = kept->at < kept->n;
    if (*ret_more)
        *ret_row = kept->rows[kept->at++];
    return AFF_OK;
}

static struct aff_comparison compare(const struct aff_compared *rows, size_t n,
                                     const struct aff_compared *counted, size_t n_counted)
{
    struct kept kept = {rows, n, 0};
    struct aff_comparison comparison = {.names = &names, .next = next, .context = &kept};

    for (size_t i = 0; i < n_counted; i++)
        assert_int_equal(aff_compare_counted(&comparison, &counted[i]), AFF_OK);
    assert_int_equal(aff_compare_end(&comparison), AFF_OK);
    return comparison;
}

static void the_same_rows_have_the_same_digest_and_no_difference(void **state)
{
    const struct aff_compared rows[] = {{.key = {1}, .values = {2, 3}, .bytes = "abc", .size = 3},
                                        {.key = {4}, .values = {5, -6}}};
    struct aff_comparison found = compare(rows, 2, rows, 2);

    (void)state;
    assert_int_equal(found.differing, 0);
    assert_int_equal(found.rows_kept, 2);
    assert_true(found.digest_kept == found.digest_counted && found.digest_kept != 0);
    assert_string_equal(found.first, "");
}

static void a_value_that_differs_is_named_with_both_numbers(void **state)
{
    const struct aff_compared kept[] = {{.key = {1}, .values = {2, 3}}, {.key = {4}, .values = {5, 6}}};
    const struct aff_compared counted[] = {{.key = {1}, .values = {2, 3}}, {.key = {4}, .values = {5, 7}}};
    struct aff_comparison found = compare(kept, 2, counted, 2);

    (void)state;
    assert_int_equal(found.differing, 1);
    assert_int_equal(found.first_key[0], 4);
    assert_string_equal(found.first, "weight is 6, counted anew 7");
    assert_true(found.digest_kept != found.digest_counted);
}

static void rows_on_one_side_only_are_counted_on_both_ends(void **state)
{
    const struct aff_compared kept[] = {
        {.key = {0}, .values = {9}}, {.key = {2}, .values = {1}}, {.key = {8}, .values = {1}}};
    const struct aff_compared counted[] = {{.key = {1}, .values = {3}}, {.key = {2}, .values = {1}}};
    struct aff_comparison found = compare(kept, 3, counted, 2);

    (void)state;
    assert_int_equal(found.differing, 3);
    assert_int_equal(found.first_key[0], 0);
    assert_string_equal(found.first, "the row is kept (orders 9), but nothing counts for it");
    found = compare(kept + 1, 2, counted, 2);
    assert_int_equal(found.differing, 2);
    assert_string_equal(found.first, "the row is missing (orders 3 counted anew)");
}

static void bytes_that_differ_are_seen_also_behind_equal_numbers(void **state)
{
    const struct aff_compared kept[] = {{.key = {1}, .values = {2}, .bytes = "abcdefghi", .size = 9}};
    const struct aff_compared counted[] = {{.key = {1}, .values = {2}, .bytes = "abcdefghj", .size = 9}};
    struct aff_comparison found = compare(kept, 1, counted, 1);

    (void)state;
    assert_int_equal(found.differing, 1);
    assert_true(found.digest_kept != found.digest_counted);
    assert_non_null(strstr(found.first, "gaps: 9 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_rows_have_the_same_digest_and_no_difference),
        cmocka_unit_test(a_value_that_differs_is_named_with_both_numbers),
        cmocka_unit_test(rows_on_one_side_only_are_counted_on_both_ends),
        cmocka_unit_test(bytes_that_differ_are_seen_also_behind_equal_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
