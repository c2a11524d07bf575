/* SPDX-License-Identifier: Apache-2.0 */
#include "json/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void objects_are_told_from_everything_else(void **state)
{
    static const char *const objects[] = {"{}", " {\"a\": [1, {\"b\": null}]} ", "{\"\\u00e4\": 1e5}"};
    static const char *const others[] = {"",
                                         "[]",
                                         "1",
                                         "\"{}\"",
                                         "{",
                                         "{} {}",
                                         "{\"a\":}",
                                         "{\"a\":1,\"a\":2}",
                                         "{'a': 1}",
                                         "{a: 1}",
                                         "{\"a\": nan}",
                                         "{\"a\": \"\\u0000\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++)
        assert_true(aff_json_is_object(aff_text_of(objects[i])));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(aff_json_is_object(aff_text_of(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_told_from_everything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
