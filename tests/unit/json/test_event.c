/* SPDX-License-Identifier: Apache-2.0 */
#include "json/event.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1790000000000000)

static struct aff_event_parser parser = {.prefix = {1, 2, 3, 4, 5, 6, 7, 8}};
static struct aff_event event;

static int done(void **state)
{
    (void)state;
    aff_event_parser_done(&parser);
    return 0;
}

static void takes(const char *text)
{
    if (aff_event_parse(&parser, aff_text_of(text), NOW, &event) != AFF_OK)
        fail_msg("%s: %.*s", text, (int)parser.errors.size, parser.errors.bytes);
}

/* The only reason is about this field and has this in its text. */
static void refuses(const char *text, const char *field, const char *reason)
{
    char member[128], list[2048];

    assert_int_equal(aff_event_parse(&parser, aff_text_of(text), NOW, &event), AFF_INVALID);
    (void)snprintf(member, sizeof member, "\"field\":\"%s\"", field);
    (void)snprintf(list, sizeof list, "%.*s", (int)parser.errors.size, parser.errors.bytes);
    if (parser.n_errors != 1 || strstr(list, member) == NULL || strstr(list, reason) == NULL)
        fail_msg("%s: %s", text, list);
}

static void text_is(struct aff_text text, const char *expected)
{
    if (!aff_text_equal(text, aff_text_of(expected)))
        fail_msg("'%.*s' is not '%s'", (int)text.size, text.at == NULL ? "" : text.at, expected);
}

static void members_of_a_view_are_taken(void **state)
{
    (void)state;
    takes("{\"event_id\":\"e1\",\"kind\":\"view\",\"at\":\"2026-09-21T10:00:00Z\",\"session\":\"s1\","
          "\"customer\":\"ann\",\"product\":\"t\xc3\xa4\",\"recommendation_id\":"
          "\"000102030405060708090a0b0c0d0e0f\",\"price\":null}");
    assert_int_equal(event.kind, AFF_EVENT_KIND_VIEW);
    assert_int_equal(event.at_us, INT64_C(1789984800000000));
    assert_true(event.has_session && event.session == aff_text_hash(aff_text_of("s1")));
    text_is(event.customer, "ann");
    text_is(event.product, "t\xc3\xa4");
    assert_true(event.has_recommendation && event.recommendation[15] == 15);
    assert_false(event.has_order || event.has_quantity || event.has_amount || event.removes);
    assert_int_equal(event.data.size, 0);
}

static void members_without_a_column_become_data(void **state)
{
    (void)state;
    takes("{\"kind\":\"usage\",\"customer\":\"ann\",\"feature\":\"ex\\\"port\",\"value\":1.5,\"limit\":10,"
          "\"attributes\":{\"a\":[1,{\"b\":null}]}}");
    text_is(event.data, "{\"feature\":\"ex\\\"port\",\"value\":1.5,\"limit\":10,"
                        "\"attributes\":{\"a\":[1,{\"b\":null}]}}");
    takes("{\"kind\":\"cart\",\"session\":\"s\",\"product\":\"p\",\"action\":\"remove\",\"quantity\":3}");
    assert_true(event.removes && event.has_quantity && event.quantity == 3);
    text_is(event.data, "{\"action\":\"remove\"}");
    takes("{\"kind\":\"purchase\",\"session\":\"s\",\"order\":\"o1\",\"amount\":1000000000000000}");
    assert_true(event.has_order && event.order_key == aff_text_hash(aff_text_of("o1")));
    assert_int_equal(event.amount, INT64_C(1000000000000000));
}

static void the_same_event_id_gives_the_same_key_and_none_gives_always_another(void **state)
{
    struct aff_event first, second;

    (void)state;
    takes("{\"event_id\":\"e1\",\"kind\":\"view\",\"session\":\"s\",\"product\":\"p\"}");
    first = event;
    takes("{\"event_id\":\"e1\",\"kind\":\"search\",\"session\":\"s\",\"term\":\"x\"}");
    assert_memory_equal(first.key, event.key, sizeof event.key);
    takes("{\"event_id\":\"e2\",\"kind\":\"search\",\"session\":\"s\",\"term\":\"x\"}");
    assert_memory_not_equal(first.key, event.key, sizeof event.key);
    takes("{\"kind\":\"search\",\"session\":\"s\",\"term\":\"x\"}");
    first = event;
    takes("{\"kind\":\"search\",\"session\":\"s\",\"term\":\"x\"}");
    second = event;
    assert_memory_not_equal(first.key, second.key, sizeof event.key);
    assert_memory_equal(first.key, parser.prefix, sizeof parser.prefix);
    assert_int_equal(event.at_us, NOW);
}

static void what_a_kind_needs_must_be_there_and_nothing_else_may(void **state)
{
    (void)state;
    refuses("{\"kind\":\"cart\",\"session\":\"s\"}", "product", "is missing; cart needs it");
    refuses("{\"kind\":\"view\",\"session\":\"s\"}", "product", "a product or a category");
    refuses("{\"kind\":\"view\",\"product\":\"p\"}", "session", "needs a session or a customer");
    refuses("{\"kind\":\"health\",\"session\":\"s\",\"score\":1}", "customer", "health needs it");
    refuses("{\"kind\":\"view\",\"session\":\"s\",\"product\":\"p\",\"term\":\"x\"}", "term",
            "not for events of kind view");
    refuses("{\"kind\":\"view\",\"session\":\"s\",\"product\":\"p\",\"colour\":\"x\"}", "colour",
            "is not a member of an event");
    refuses("{\"session\":\"s\"}", "kind", "is missing");
    refuses("{\"kind\":7}", "kind", "is not a kind of event");
    takes("{\"kind\":\"price_change\",\"product\":\"p\",\"price\":0}");
    takes("{\"kind\":\"view\",\"customer\":\"c\",\"category\":\"Garden > Tools\"}");
}

static const char *view_at(const char *at)
{
    static char text[256];

    (void)snprintf(text, sizeof text, "{\"kind\":\"view\",\"session\":\"s\",\"product\":\"p\",\"at\":\"%s\"}",
                   at);
    return text;
}

static void times_are_from_1970_to_an_hour_from_now(void **state)
{
    char at[AFF_TIME_TEXT];

    (void)state;
    aff_time_format(NOW + AFF_EVENT_AHEAD_US, at);
    takes(view_at(at));
    aff_time_format(NOW + AFF_EVENT_AHEAD_US + AFF_SECOND_US, at);
    refuses(view_at(at), "at", "in the future");
    takes(view_at("1970-01-01T00:00:00Z"));
    refuses(view_at("1969-12-31T23:59:59Z"), "at", "before 1970");
    refuses(view_at("yesterday"), "at", "RFC 3339");
    refuses("{\"kind\":\"view\",\"session\":\"s\",\"product\":\"p\",\"at\":5}", "at", "RFC 3339");
}

static void values_beyond_their_bounds_are_refused(void **state)
{
    (void)state;
    refuses("{\"kind\":\"review\",\"product\":\"p\",\"rating\":5.5}", "rating", "from 1 to 5");
    refuses("{\"kind\":\"cart\",\"session\":\"s\",\"product\":\"p\",\"quantity\":0}", "quantity",
            "from 1 to 1000000");
    refuses("{\"kind\":\"cart\",\"session\":\"s\",\"product\":\"p\",\"quantity\":1.5}", "quantity", "whole");
    refuses("{\"kind\":\"cart\",\"session\":\"s\",\"product\":\"p\",\"price\":1000000000000001}", "price",
            "whole number from 0");
    refuses("{\"kind\":\"cart\",\"session\":\"s\",\"product\":\"p\",\"action\":\"steal\"}", "action",
            "add or remove");
    refuses("{\"kind\":\"click\",\"product\":\"p\",\"recommendation_id\":\"000102\"}", "recommendation_id",
            "of /recommend");
    refuses("{\"kind\":\"search\",\"session\":\"s\",\"term\":\"\"}", "term", "1 to 256 bytes");
    refuses("{\"kind\":\"search\",\"session\":\"a\\u0007b\",\"term\":\"x\"}", "session",
            "control characters");
    refuses("{\"kind\":\"impression\",\"recommendation_id\":\"000102030405060708090a0b0c0d0e0f\","
            "\"placement\":\"roof\"}",
            "placement", "must be a placement");
    refuses("[1]", "", "must be a JSON object");
    refuses("{\"kind\":", "", "not JSON");
}

static void rubbish_makes_a_short_list_of_reasons(void **state)
{
    char text[8192] = "{\"kind\":\"view\"";

    (void)state;
    for (int i = 0; i < 100; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), ",\"nonsense%d\":1", i);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "}");
    assert_int_equal(aff_event_parse(&parser, aff_text_of(text), NOW, &event), AFF_INVALID);
    assert_true(parser.n_errors > 8 && parser.errors.size < 2000);
}

static void an_event_that_is_too_large_is_refused(void **state)
{
    static char text[AFF_EVENT_BYTES_MAX + 2];

    (void)state;
    memset(text, ' ', sizeof text - 1);
    text[0] = '{';
    text[sizeof text - 2] = '}';
    refuses(text, "", "at most 16384 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_a_view_are_taken),
        cmocka_unit_test(members_without_a_column_become_data),
        cmocka_unit_test(the_same_event_id_gives_the_same_key_and_none_gives_always_another),
        cmocka_unit_test(what_a_kind_needs_must_be_there_and_nothing_else_may),
        cmocka_unit_test(times_are_from_1970_to_an_hour_from_now),
        cmocka_unit_test(values_beyond_their_bounds_are_refused),
        cmocka_unit_test(rubbish_makes_a_short_list_of_reasons),
        cmocka_unit_test(an_event_that_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
