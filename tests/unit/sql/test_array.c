/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void an_array_without_elements_can_be_read_and_filled_afterwards(void **state)
{
    struct aff_array array = {0};

    (void)state;
    assert_string_equal(aff_array_text(&array), "{}");
    aff_array_add_int64(&array, INT64_MIN);
    assert_string_equal(aff_array_text(&array), "{-9223372036854775808}");
    aff_array_add_bool(&array, true);
    aff_array_add_null(&array);
    assert_string_equal(aff_array_text(&array), "{-9223372036854775808,t,NULL}");
    aff_array_clear(&array);
    aff_array_add_bool(&array, false);
    assert_string_equal(aff_array_text(&array), "{f}");
    aff_array_done(&array);
    assert_string_equal(aff_array_text(&array), "{}");
    aff_array_done(&array);
}

static void texts_are_quoted_whatever_they_hold(void **state)
{
    struct aff_array array = {0};

    (void)state;
    aff_array_add_text(&array, aff_text_of(""));
    aff_array_add_text(&array, aff_text_of("NULL"));
    aff_array_add_text(&array, aff_text_of("a\"b\\c,{d} "));
    aff_array_add_text(&array, (struct aff_text){"tea and pot", 3});
    assert_string_equal(aff_array_text(&array), "{\"\",\"NULL\",\"a\\\"b\\\\c,{d} \",\"tea\"}");
    aff_array_done(&array);
}

static void an_array_grows_as_far_as_it_has_to(void **state)
{
    enum { N = 10000 };
    struct aff_array array = {0};

    (void)state;
    for (int i = 0; i < N; i++)
        aff_array_add_text(&array, aff_text_of("\\\\"));
    const char *text = aff_array_text(&array);
    assert_non_null(text);
    assert_int_equal(strlen(text), N * 7 + 1);
    aff_array_done(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_without_elements_can_be_read_and_filled_afterwards),
        cmocka_unit_test(texts_are_quoted_whatever_they_hold),
        cmocka_unit_test(an_array_grows_as_far_as_it_has_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
