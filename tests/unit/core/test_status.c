/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/status.h"
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_its_text(void **state)
{
    (void)state;
    assert_string_equal(aff_status_text(AFF_OK), "ok");
    assert_string_equal(aff_status_text(AFF_CANCELLED), "cancelled");
    assert_string_equal(aff_status_text((aff_status)999), "unknown status");
}

static void setting_an_error_replaces_all_of_it_and_returns_the_status(void **state)
{
    (void)state;
    struct aff_error error = {.status = AFF_DATA, .sqlstate = "42P01", .text = "old"};

    assert_int_equal(aff_error_set(&error, AFF_IO, "%s:%d", "file", 3), AFF_IO);
    assert_int_equal(error.status, AFF_IO);
    assert_string_equal(error.sqlstate, "");
    assert_string_equal(error.text, "file:3");
    assert_int_equal(aff_error_set(NULL, AFF_LIMIT, "nobody reads this"), AFF_LIMIT);
}

static void a_prefix_goes_before_the_text_and_keeps_the_sqlstate(void **state)
{
    (void)state;
    struct aff_error error = {.status = AFF_DATA, .sqlstate = "23505", .text = "duplicate key"};

    assert_int_equal(aff_error_prefix(&error, AFF_DATA, "store '%s'", "main"), AFF_DATA);
    assert_string_equal(error.text, "store 'main': duplicate key");
    assert_string_equal(error.sqlstate, "23505");
    assert_int_equal(aff_error_prefix(NULL, AFF_DATA, "x"), AFF_DATA);
}

/* Whatever the length, a text that is cut stays well-formed UTF-8. */
static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char *const characters[] = {"a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    for (size_t c = 0; c < sizeof characters / sizeof characters[0]; c++) {
        for (size_t lead = 0; lead < 8; lead++) {
            char text[2048] = "";
            struct aff_error error = {0};
            memset(text, 'x', lead);
            for (size_t size = lead; size < 1024; size = strlen(text))
                (void)snprintf(text + size, sizeof text - size, "%s", characters[c]);
            (void)aff_error_set(&error, AFF_DATA, "%s", text);
            assert_true(aff_text_is_utf8(aff_text_of(error.text)));
            assert_true(strlen(error.text) >= sizeof error.text - 5);
            assert_memory_equal(error.text, text, strlen(error.text));
            (void)aff_error_prefix(&error, AFF_DATA, "\xC3\xA4");
            assert_true(aff_text_is_utf8(aff_text_of(error.text)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_text),
        cmocka_unit_test(setting_an_error_replaces_all_of_it_and_returns_the_status),
        cmocka_unit_test(a_prefix_goes_before_the_text_and_keeps_the_sqlstate),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
