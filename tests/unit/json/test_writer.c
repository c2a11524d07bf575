/* SPDX-License-Identifier: Apache-2.0 */
#include "json/writer.h"

#include "core/base/random.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Expects that `json` holds exactly `text`, and frees it. */
static void assert_written(struct aff_json *json, const char *text)
{
    assert_false(json->failed);
    assert_int_equal(json->size, strlen(text));
    assert_memory_equal(json->bytes, text, json->size);
    aff_json_done(json);
}

static void commas_stand_between_values_and_nowhere_else(void **state)
{
    (void)state;
    struct aff_json json = {0};

    aff_json_open_object(&json);
    aff_json_name(&json, "a");
    aff_json_open_array(&json);
    aff_json_int(&json, 1);
    aff_json_open_object(&json);
    aff_json_close_object(&json);
    aff_json_open_array(&json);
    aff_json_close_array(&json);
    aff_json_null(&json);
    aff_json_close_array(&json);
    aff_json_name(&json, "b");
    aff_json_bool(&json, true);
    aff_json_name(&json, "c");
    aff_json_raw(&json, "{\"x\":0}", 7);
    aff_json_name(&json, "d");
    aff_json_string(&json, "");
    aff_json_close_object(&json);
    assert_written(&json, "{\"a\":[1,{},[],null],\"b\":true,\"c\":{\"x\":0},\"d\":\"\"}");
}

static void what_json_forbids_in_strings_is_escaped(void **state)
{
    (void)state;
    struct aff_json json = {0};

    aff_json_text(&json, (struct aff_text){"\"\\/\b\f\n\r\t\0\x01\x1F\x7F'<>&", 16});
    assert_written(&json, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u0001\\u001f\\u007f'<>&\"");
    aff_json_string(&json, "T\xC3\xA4\xC3\x9F"
                           "chen \xE2\x82\xAC \xF0\x9F\x98\x80");
    assert_written(&json, "\"T\xC3\xA4\xC3\x9F"
                          "chen \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

static void whole_numbers_are_exact_at_their_limits(void **state)
{
    (void)state;
    struct aff_json json = {0};

    aff_json_open_array(&json);
    aff_json_int(&json, 0);
    aff_json_int(&json, -1);
    aff_json_int(&json, INT64_MAX);
    aff_json_int(&json, INT64_MIN);
    aff_json_uint(&json, UINT64_MAX);
    aff_json_close_array(&json);
    assert_written(&json, "[0,-1,9223372036854775807,-9223372036854775808,18446744073709551615]");
}

static void what_is_no_number_becomes_null(void **state)
{
    (void)state;
    struct aff_json json = {0};

    aff_json_open_array(&json);
    aff_json_double(&json, NAN);
    aff_json_double(&json, INFINITY);
    aff_json_score(&json, -INFINITY);
    aff_json_score(&json, NAN);
    aff_json_close_array(&json);
    assert_written(&json, "[null,null,null,null]");
}

static void doubles_read_back_exactly(void **state)
{
    (void)state;
    struct aff_random random = {.state = 1};

    for (int i = 0; i < 20000; i++) {
        uint64_t bits = aff_random_next(&random);
        double value;
        struct aff_json json = {0};
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        aff_json_double(&json, value);
        aff_json_raw(&json, "", 1); /* ends the text */
        assert_true(strtod(json.bytes, NULL) == value);
        aff_json_done(&json);
    }
}

static void short_doubles_stay_short(void **state)
{
    (void)state;
    struct aff_json json = {0};

    aff_json_open_array(&json);
    aff_json_double(&json, 0.1);
    aff_json_double(&json, -2.5);
    aff_json_double(&json, 1e300);
    aff_json_double(&json, 0.1 + 0.2);
    aff_json_close_array(&json);
    assert_written(&json, "[0.1,-2.5,1e+300,0.30000000000000004]");
}

static void scores_have_at_most_six_decimals(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {0.5, "0.5"},
        {0.1234565, "0.123457"},
        {0.000001, "0.000001"},
        {0.0000004, "0"},
        {-0.0000004, "0"},
        {-1.25, "-1.25"},
        {0.9999999, "1"},
        {123456789.5, "123456789.5"},
        {1e12, "1000000000000"},
        {0.100000, "0.1"},
        {10.01, "10.01"},
        {-99.999999, "-99.999999"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct aff_json json = {0};
        aff_json_score(&json, known[i].value);
        assert_written(&json, known[i].text);
    }
}

/* Runs with a locale whose decimal sign is a comma where one is installed; elsewhere it shows nothing. */
static void numbers_do_not_follow_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    bool found = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++)
        found = setlocale(LC_ALL, names[i]) != NULL;
    if (!found)
        skip();
    struct aff_json json = {0};
    aff_json_open_array(&json);
    aff_json_double(&json, 1.5);
    aff_json_double(&json, 0.1 + 0.2);
    aff_json_score(&json, 0.25);
    aff_json_close_array(&json);
    (void)setlocale(LC_ALL, "C");
    assert_written(&json, "[1.5,0.30000000000000004,0.25]");
}

static void a_reset_writer_begins_anew_in_the_same_memory(void **state)
{
    (void)state;
    struct aff_json json = {0};

    aff_json_int(&json, 1);
    aff_json_int(&json, 2);
    char *before = json.bytes;
    aff_json_reset(&json);
    aff_json_int(&json, 3);
    assert_ptr_equal(json.bytes, before);
    assert_written(&json, "3");
    aff_json_done(&json);
}

static void a_text_of_many_escapes_grows_the_buffer(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    struct aff_json json = {0};
    char *text = calloc(1, SIZE);

    assert_non_null(text);
    memset(text, '\x01', SIZE);
    aff_json_text(&json, (struct aff_text){text, SIZE});
    assert_false(json.failed);
    assert_int_equal(json.size, 6 * SIZE + 2);
    aff_json_done(&json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values_and_nowhere_else),
        cmocka_unit_test(what_json_forbids_in_strings_is_escaped),
        cmocka_unit_test(whole_numbers_are_exact_at_their_limits),
        cmocka_unit_test(what_is_no_number_becomes_null),
        cmocka_unit_test(doubles_read_back_exactly),
        cmocka_unit_test(short_doubles_stay_short),
        cmocka_unit_test(scores_have_at_most_six_decimals),
        cmocka_unit_test(numbers_do_not_follow_the_locale),
        cmocka_unit_test(a_reset_writer_begins_anew_in_the_same_memory),
        cmocka_unit_test(a_text_of_many_escapes_grows_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
