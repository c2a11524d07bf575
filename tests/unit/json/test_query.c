/* SPDX-License-Identifier: Apache-2.0 */
#include "json/query.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_query query;
static struct aff_error error;

static int done(void **state)
{
    (void)state;
    aff_query_done(&query);
    return 0;
}

static void parses(const char *line)
{
    error.text[0] = '\0';
    if (aff_query_parse(&query, aff_text_of(line), &error) != AFF_OK)
        fail_msg("%s: %s", line, error.text);
}

static void refuses(const char *line, const char *with)
{
    assert_int_equal(aff_query_parse(&query, aff_text_of(line), &error), AFF_INVALID);
    if (strstr(error.text, with) == NULL)
        fail_msg("'%s' does not say '%s' for %s", error.text, with, line);
    assert_int_equal(query.n_cart, 0);
    assert_null(query.root);
}

static void text_is(struct aff_text text, const char *expected)
{
    assert_true(aff_text_equal(text, aff_text_of(expected)));
}

static void a_whole_query_is_read(void **state)
{
    (void)state;
    parses("{\"query_id\": \"q\\u00fc\", \"customer_id\": \"17850\", \"cart\": [\"a\", \"b\"], \"at\": 1.5, "
           "\"more\": {\"x\": []}}");
    text_is(query.id, "q\xc3\xbc");
    text_is(query.customer, "17850");
    assert_int_equal(query.n_cart, 2);
    text_is(query.cart[0], "a");
    text_is(query.cart[1], "b");
    assert_true(query.has_at);
    assert_int_equal(query.at_us, AFF_DAY_US * 3 / 2);
}

static void what_may_be_missing_is_missing(void **state)
{
    (void)state;
    parses("{\"query_id\": \"q\", \"cart\": []}");
    assert_int_equal(query.customer.size, 0);
    assert_false(query.has_at);
    parses("{\"query_id\": \"q\", \"customer_id\": null, \"cart\": [], \"at\": null}");
    assert_int_equal(query.customer.size, 0);
    parses("{\"query_id\": \"q\", \"customer_id\": \"\", \"cart\": []}");
    assert_int_equal(query.customer.size, 0);
}

static void a_query_id_may_be_a_whole_number(void **state)
{
    (void)state;
    parses("{\"query_id\": -7, \"cart\": []}");
    assert_true(query.id_is_number);
    assert_int_equal(query.id_number, -7);
    parses("{\"query_id\": \"7\", \"cart\": []}");
    assert_false(query.id_is_number);
}

static void a_query_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    parses("{\"query_id\": \"q\", \"customer_id\": \"c\", \"cart\": [\"a\"], \"at\": 3}");
    parses("{\"query_id\": \"r\", \"cart\": []}");
    assert_int_equal(query.customer.size, 0);
    assert_int_equal(query.n_cart, 0);
    assert_false(query.has_at);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refuses("", "not JSON");
    refuses("{\"query_id\": \"q\", \"cart\": [}", "not JSON at column 28");
    refuses("[1]", "not a JSON object");
    refuses("{\"cart\": []}", "query_id is missing");
    refuses("{\"query_id\": null, \"cart\": []}", "query_id must be");
    refuses("{\"query_id\": \"q\"}", "cart is missing");
    refuses("{\"query_id\": \"q\", \"cart\": \"a\"}", "cart must be a list");
    refuses("{\"query_id\": \"q\", \"cart\": [\"a\", 7]}", "cart[1]");
    refuses("{\"query_id\": \"q\", \"cart\": [\"\"]}", "cart[0]");
    refuses("{\"query_id\": \"q\", \"cart\": [\"a\\nb\"]}", "cart[0]");
    refuses("{\"query_id\": \"q\", \"customer_id\": 5, \"cart\": []}", "customer_id must be");
    refuses("{\"query_id\": \"q\", \"customer_id\": \"a\\tb\", \"cart\": []}", "customer_id must be");
    refuses("{\"query_id\": \"q\", \"cart\": [], \"at\": \"2026-01-01\"}", "at must be");
    refuses("{\"query_id\": \"q\", \"cart\": [], \"at\": 1e300}", "at must be");
    refuses("{\"query_id\": \"q\", \"cart\": [], \"cart\": [\"a\"]}", "not JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_whole_query_is_read, done),
        cmocka_unit_test_teardown(what_may_be_missing_is_missing, done),
        cmocka_unit_test_teardown(a_query_id_may_be_a_whole_number, done),
        cmocka_unit_test_teardown(a_query_leaves_nothing_to_the_next, done),
        cmocka_unit_test_teardown(what_is_wrong_is_named, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
