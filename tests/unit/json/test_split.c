/* SPDX-License-Identifier: Apache-2.0 */
#include "json/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct aff_text entries[4];
static size_t n;
static struct aff_error error;

static aff_status split(const char *text)
{
    n = 99;
    return aff_split_json(aff_text_of(text), "orders", entries, 4, &n, &error);
}

static void is(const char *text, size_t wanted, const char *first, const char *last)
{
    if (split(text) != AFF_OK)
        fail_msg("%s: %s", text, error.text);
    assert_int_equal(n, wanted);
    if (n > 0 && !(aff_text_equal(entries[0], aff_text_of(first)) &&
                   aff_text_equal(entries[n - 1], aff_text_of(last))))
        fail_msg("%s: '%.*s' and '%.*s'", text, (int)entries[0].size, entries[0].at, (int)entries[n - 1].size,
                 entries[n - 1].at);
}

static void an_array_is_cut_into_its_elements(void **state)
{
    (void)state;
    is("[]", 0, "", "");
    is(" [ ] ", 0, "", "");
    is("[{\"a\":[1,{}]} , {}]", 2, "{\"a\":[1,{}]}", "{}");
    is("[1,\"x\",null,[2]]\n", 4, "1", "[2]");
    is("[{\"a\":\"]},\\\"{\"},{\"b\\\\\":1}]", 2, "{\"a\":\"]},\\\"{\"}", "{\"b\\\\\":1}");
}

static void a_list_may_stand_in_an_object(void **state)
{
    (void)state;
    is("{\"orders\":[{\"id\":1},2]}", 2, "{\"id\":1}", "2");
    is(" { \"orders\" : [ ] } ", 0, "", "");
}

static void another_object_is_the_only_entry(void **state)
{
    (void)state;
    is(" {\"id\":\"a\",\"lines\":[1,2]} ", 1, "{\"id\":\"a\",\"lines\":[1,2]}",
       "{\"id\":\"a\",\"lines\":[1,2]}");
    is("{}", 1, "{}", "{}");
}

static void what_is_around_the_entries_must_be_json(void **state)
{
    static const char *const wrong[] = {"",
                                        " ",
                                        "1",
                                        "\"[]\"",
                                        "[",
                                        "[1",
                                        "[1,]",
                                        "[,1]",
                                        "[1 2]",
                                        "[1]]",
                                        "[1]x",
                                        "[{]",
                                        "[\"a]",
                                        "{",
                                        "{\"orders\"",
                                        "{\"orders\":[1",
                                        "{\"orders\"1",
                                        "{\"orders\":1}",
                                        "{\"orders\":[1]}]",
                                        "{orders:[]}",
                                        "{\"orders\":[],}",
                                        "{\"orders\":[],\"x\":1}",
                                        "{\"orders\":[],\"orders\":[]}",
                                        "[\"\\",
                                        "[:]",
                                        "{\"a\":}"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error = (struct aff_error){0};
        if (split(wrong[i]) != AFF_INVALID)
            fail_msg("'%s' was taken", wrong[i]);
        assert_int_equal(n, 99);
        assert_true(error.text[0] != '\0');
    }
}

static void an_entry_that_is_not_json_is_left_to_its_reader(void **state)
{
    (void)state;
    is("[{\"a\"], nonsense, {\"b\":1}]", 3, "{\"a\"]", "{\"b\":1}");
}

static void more_entries_than_wanted_are_refused(void **state)
{
    (void)state;
    assert_int_equal(split("[1,2,3,4]"), AFF_OK);
    assert_int_equal(split("[1,2,3,4,5]"), AFF_LIMIT);
    assert_non_null(strstr(error.text, "at most 4 entries"));
    assert_int_equal(aff_split_lines(aff_text_of("1\n2\n3\n4\n5"), entries, 4, &n, &error), AFF_LIMIT);
}

static void lines_are_entries_without_blanks(void **state)
{
    (void)state;
    assert_int_equal(aff_split_lines(aff_text_of("{}\r\n\n  \n [1] \nx"), entries, 4, &n, &error), AFF_OK);
    assert_int_equal(n, 3);
    assert_true(aff_text_equal(entries[0], aff_text_of("{}")));
    assert_true(aff_text_equal(entries[1], aff_text_of("[1]")));
    assert_true(aff_text_equal(entries[2], aff_text_of("x")));
    assert_int_equal(aff_split_lines(aff_text_of(""), entries, 4, &n, &error), AFF_OK);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_is_cut_into_its_elements),
        cmocka_unit_test(a_list_may_stand_in_an_object),
        cmocka_unit_test(another_object_is_the_only_entry),
        cmocka_unit_test(what_is_around_the_entries_must_be_json),
        cmocka_unit_test(an_entry_that_is_not_json_is_left_to_its_reader),
        cmocka_unit_test(more_entries_than_wanted_are_refused),
        cmocka_unit_test(lines_are_entries_without_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
