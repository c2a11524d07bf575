/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "server/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct aff_batch batch;
static struct aff_error error;
static struct aff_batch_frame frame;

static int set_up(void **state)
{
    (void)state;
    frame = (struct aff_batch_frame){.kind = AFF_BATCH_ORDERS,
                                     .most = 100,
                                     .store = {"main", 4},
                                     .currency = "EUR",
                                     .now_us = INT64_C(1800000000) * AFF_SECOND_US};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aff_batch_done(&batch);
    return 0;
}

static aff_status read_text(const char *text)
{
    aff_batch_done(&batch);
    error = (struct aff_error){0};
    return aff_batch_read(&frame, aff_text_of(text), &batch, &error);
}

static void takes(const char *text)
{
    if (read_text(text) != AFF_OK)
        fail_msg("%s", error.text);
}

static bool says(const struct aff_entry *entry, const char *text)
{
    return memmem(entry->errors.at, entry->errors.size, text, strlen(text)) != NULL;
}

static void an_order_becomes_its_lines(void **state)
{
    (void)state;
    takes("{\"id\":\"o1\",\"customer\":\"ann\",\"ordered_at\":\"2026-11-20T10:00:00+01:00\",\"lines\":["
          "{\"product\":\"tea\",\"quantity\":2,\"unit_price\":500,\"unit_cost\":0,\"discounted\":true},"
          "{\"product\":\"pot\",\"quantity\":-1,\"unit_price\":0,\"unit_cost\":null}]}");
    assert_int_equal(batch.n, 1);
    assert_int_equal(batch.n_lines, 2);
    const struct aff_entry *entry = &batch.entries[0];
    assert_int_equal(entry->status, AFF_ENTRY_UNCHANGED);
    assert_int_equal(entry->n_lines, 2);
    const struct aff_order_line *line = &entry->lines[0];
    assert_true(aff_text_equal(line->order_id, aff_text_of("o1")));
    assert_true(aff_text_equal(line->customer_id, aff_text_of("ann")));
    assert_true(aff_text_equal(line->product_id, aff_text_of("tea")));
    assert_int_equal(line->ordered_at_us, INT64_C(1795165200) * AFF_SECOND_US);
    assert_int_equal(line->quantity, 2);
    assert_int_equal(line->unit_price, 500);
    assert_int_equal(line->unit_cost, 0);
    assert_true(line->discounted && !line->cancels);
    assert_int_equal(entry->lines[1].unit_cost, AFF_COST_UNKNOWN);
    assert_int_equal(entry->lines[1].quantity, -1);
}

static void members_may_come_in_any_sequence(void **state)
{
    (void)state;
    takes("{\"lines\":[{\"unit_price\":1,\"quantity\":-1,\"product\":\"p\"}],\"cancels\":true,"
          "\"ordered_at\":\"2026-11-20T09:00:00Z\",\"customer\":\"c\",\"id\":\"o\"}");
    const struct aff_order_line *line = &batch.entries[0].lines[0];
    assert_true(aff_text_equal(line->order_id, aff_text_of("o")));
    assert_true(aff_text_equal(line->customer_id, aff_text_of("c")));
    assert_true(line->cancels && line->ordered_at_us > 0);
}

static void a_refused_entry_names_all_that_is_wrong_up_to_a_limit(void **state)
{
    char text[4000] = "[{\"id\":\"\",\"lines\":[", part[32];

    (void)state;
    for (int i = 0; i < 30; i++) {
        (void)snprintf(part, sizeof part, "%s{\"x\":%d}", i == 0 ? "" : ",", i);
        (void)strcat(text, part);
    }
    (void)strcat(text, "]},{\"id\":\"good\",\"ordered_at\":\"2020-01-01T00:00:00Z\",\"lines\":[]}]");
    takes(text);
    assert_int_equal(batch.entries[0].status, AFF_ENTRY_REFUSED);
    assert_int_equal(batch.entries[0].n_errors, 2 + 30 * 4);
    assert_true(says(&batch.entries[0], "\"ordered_at\",\"reason\":\"is missing\""));
    assert_true(says(&batch.entries[0], "\"lines[3].x\""));
    assert_false(says(&batch.entries[0], "\"lines[9].x\""));
    assert_int_equal(batch.entries[1].status, AFF_ENTRY_UNCHANGED);
    struct aff_json json = {0};
    aff_json_open_object(&json);
    aff_batch_write(&batch, &json);
    aff_json_close_object(&json);
    aff_json_raw(&json, "", 1);
    assert_non_null(
        strstr(json.bytes, "\"counts\":{\"created\":0,\"changed\":0,\"unchanged\":1,\"refused\":1}"));
    assert_non_null(strstr(json.bytes, "\"errors_not_listed\":102"));
    assert_non_null(
        strstr(json.bytes, "{\"index\":1,\"id\":\"good\",\"status\":\"unchanged\",\"errors\":[]}"));
    aff_json_done(&json);
}

static void an_order_is_worth_what_can_be_summed(void **state)
{
    static const struct {
        const char *lines;
        bool good;
    } cases[] = {
        {"{\"product\":\"p\",\"quantity\":1,\"unit_price\":1000000000000000}", true},
        {"{\"product\":\"p\",\"quantity\":1,\"unit_price\":1000000000000001}", false},
        {"{\"product\":\"p\",\"quantity\":2,\"unit_price\":500000000000000}", true},
        {"{\"product\":\"p\",\"quantity\":-2,\"unit_price\":500000000000001}", false},
        {"{\"product\":\"p\",\"quantity\":2147483647,\"unit_price\":465661}", true},
        {"{\"product\":\"p\",\"quantity\":2147483647,\"unit_price\":465662}", false},
        {"{\"product\":\"p\",\"quantity\":1,\"unit_price\":0,\"unit_cost\":1000000000000001}", false},
        {"{\"product\":\"p\",\"quantity\":2,\"unit_price\":0,\"unit_cost\":1000000000000000}", false},
        {"{\"product\":\"p\",\"quantity\":1,\"unit_price\":1},{\"product\":\"p\",\"quantity\":1,"
         "\"unit_price\":999999999999999}",
         true},
        {"{\"product\":\"p\",\"quantity\":1,\"unit_price\":9223372036854775807}", false},
        {"{\"product\":\"p\",\"quantity\":1,\"unit_price\":9223372036854775808}", false},
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"id\":\"o\",\"ordered_at\":\"2020-01-01T00:00:00Z\",\"lines\":[%s]}",
                       cases[i].lines);
        takes(text);
        if ((batch.entries[0].status != AFF_ENTRY_REFUSED) != cases[i].good)
            fail_msg("%s: %.*s", cases[i].lines, (int)batch.entries[0].errors.size,
                     batch.entries[0].errors.at);
    }
}

static void what_a_product_says_is_given_and_null_clears(void **state)
{
    (void)state;
    frame.kind = AFF_BATCH_PRODUCTS;
    takes("{\"products\":[{\"id\":\"p\",\"price\":5,\"brand\":null,\"stock\":null,\"available\":false,"
          "\"attributes\":{\"a\":[1,\"\xC3\xA9\"]}},{\"id\":\"q\"},{\"id\":\"r\",\"durable\":null},"
          "{\"id\":\"s\",\"stock\":-2147483648},{\"id\":\"t\",\"name\":\"a\\nb\"},{\"id\":\"p\"}]}");
    const struct aff_entry *entry = &batch.entries[0];
    assert_int_equal(entry->given, 1u << AFF_PRODUCT_PRICE | 1u << AFF_PRODUCT_BRAND |
                                       1u << AFF_PRODUCT_STOCK | 1u << AFF_PRODUCT_AVAILABLE |
                                       1u << AFF_PRODUCT_ATTRIBUTES);
    assert_true(aff_text_equal(entry->values[AFF_PRODUCT_PRICE], aff_text_of("5")));
    assert_non_null(entry->values[AFF_PRODUCT_BRAND].at);
    assert_int_equal(entry->values[AFF_PRODUCT_BRAND].size, 0);
    assert_null(entry->values[AFF_PRODUCT_STOCK].at);
    assert_true(aff_text_equal(entry->values[AFF_PRODUCT_AVAILABLE], aff_text_of("f")));
    assert_true(
        aff_text_equal(entry->values[AFF_PRODUCT_ATTRIBUTES], aff_text_of("{\"a\":[1,\"\xC3\xA9\"]}")));
    assert_int_equal(batch.entries[1].given, 0);
    assert_int_equal(batch.entries[1].status, AFF_ENTRY_UNCHANGED);
    assert_true(says(&batch.entries[2], "must be true or false, not null"));
    assert_true(says(&batch.entries[3], "must be from -2147483647"));
    assert_true(says(&batch.entries[4], "without control characters"));
    assert_true(says(&batch.entries[5], "entry 0 of the request has the same id"));
}

static void a_customer_has_columns_of_its_own(void **state)
{
    (void)state;
    frame.kind = AFF_BATCH_CUSTOMERS;
    frame.lines = true;
    takes(
        "{\"id\":\"c\",\"country\":\"AT\"}\n{\"id\":\"d\",\"price\":5}\n{\"id\":\"e\",\"attributes\":[]}\n");
    assert_int_equal(batch.n, 3);
    assert_int_equal(batch.entries[0].given, 1u << AFF_CUSTOMER_COUNTRY);
    assert_true(says(&batch.entries[1], "is not a member of a customer"));
    assert_true(says(&batch.entries[2], "must be an object or null, not an array"));
}

static void large_attributes_are_refused(void **state)
{
    static char text[40000];

    (void)state;
    frame.kind = AFF_BATCH_CUSTOMERS;
    int head = snprintf(text, sizeof text, "{\"id\":\"c\",\"attributes\":{\"a\":\"");
    size_t fill = AFF_ENTRY_ATTRIBUTES_MAX - strlen("{\"a\":\"\"}");
    memset(text + head, 'x', fill);
    (void)strcpy(text + head + fill, "\"}}");
    takes(text);
    assert_int_equal(batch.entries[0].n_errors, 0);
    (void)strcpy(text + head + fill, "x\"}}");
    takes(text);
    assert_true(says(&batch.entries[0], "at most 16384 bytes"));
}

static void a_body_without_entries_is_no_batch(void **state)
{
    (void)state;
    assert_int_equal(read_text("[]"), AFF_INVALID);
    assert_non_null(strstr(error.text, "without any entry"));
    assert_int_equal(read_text("[1"), AFF_INVALID);
    frame.most = 1;
    assert_int_equal(read_text("[1,2]"), AFF_LIMIT);
    frame.lines = true;
    assert_int_equal(read_text("\n\n"), AFF_INVALID);
}

static void an_entry_can_be_refused_later(void **state)
{
    size_t counts[AFF_ENTRY_STATUSES];

    (void)state;
    takes("[{\"id\":\"a\",\"ordered_at\":\"2020-01-01T00:00:00Z\",\"lines\":[]}]");
    assert_int_equal(aff_batch_refuse(&batch, 0, "id", "is \"taken\""), AFF_OK);
    assert_true(says(&batch.entries[0], "{\"field\":\"id\",\"reason\":\"is \\\"taken\\\"\"}"));
    aff_batch_count(&batch, counts);
    assert_int_equal(counts[AFF_ENTRY_REFUSED], 1);
}

#define BATCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BATCH_TEST(an_order_becomes_its_lines),
        BATCH_TEST(members_may_come_in_any_sequence),
        BATCH_TEST(a_refused_entry_names_all_that_is_wrong_up_to_a_limit),
        BATCH_TEST(an_order_is_worth_what_can_be_summed),
        BATCH_TEST(what_a_product_says_is_given_and_null_clears),
        BATCH_TEST(a_customer_has_columns_of_its_own),
        BATCH_TEST(large_attributes_are_refused),
        BATCH_TEST(a_body_without_entries_is_no_batch),
        BATCH_TEST(an_entry_can_be_refused_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
