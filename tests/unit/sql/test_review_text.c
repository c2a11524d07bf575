/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/review/review.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_cursor_reads_back(void **state)
{
    static const struct aff_review_cursor cursors[] = {
        {0, 0}, {12, 34}, {INT32_MAX, INT32_MIN}, {INT32_MIN, INT32_MAX}, {7, -1}};

    (void)state;
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        char text[AFF_REVIEW_CURSOR_TEXT];
        struct aff_review_cursor read = {99, 99};
        aff_review_cursor_write(cursors[i], text);
        assert_true(aff_review_cursor_parse(aff_text_of(text), &read));
        assert_int_equal(read.product, cursors[i].product);
        assert_int_equal(read.other, cursors[i].other);
    }
}

static void anything_else_is_no_cursor(void **state)
{
    static const char *const wrong[] = {"",
                                        ".",
                                        "1",
                                        "1.",
                                        ".1",
                                        "1.2.3",
                                        "1.2 ",
                                        " 1.2",
                                        "-.1",
                                        "1.-",
                                        "+1.2",
                                        "1,2",
                                        "0x1.2",
                                        "1e3.2",
                                        "--1.2",
                                        "2147483648.1",
                                        "1.-2147483649",
                                        "1.99999999999999999999"};
    struct aff_review_cursor cursor = {5, 6};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (aff_review_cursor_parse(aff_text_of(wrong[i]), &cursor))
            fail_msg("'%s' was taken", wrong[i]);
    assert_true(cursor.product == 5 && cursor.other == 6);
    assert_false(aff_review_cursor_parse((struct aff_text){"1.2", 2}, &cursor));
}

static void texts_are_short_utf8_without_control_characters(void **state)
{
    (void)state;
    assert_true(aff_review_text_is_fit(aff_text_of(""), 4));
    assert_true(aff_review_text_is_fit(aff_text_of("abcd"), 4));
    assert_false(aff_review_text_is_fit(aff_text_of("abcde"), 4));
    assert_false(aff_review_text_is_fit(aff_text_of("a\tb"), 4));
    assert_false(aff_review_text_is_fit(aff_text_of("a\x7f"), 4));
    assert_false(aff_review_text_is_fit(aff_text_of("\xc3"), 4));
    assert_true(aff_review_text_is_fit(aff_text_of("\xc3\xa4"), 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_reads_back),
        cmocka_unit_test(anything_else_is_no_cursor),
        cmocka_unit_test(texts_are_short_utf8_without_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
