/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/reviews.h"
#include "server/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct aff_batch batch;
static struct aff_error error;

static int tear_down(void **state)
{
    (void)state;
    aff_batch_done(&batch);
    return 0;
}

static void takes(const char *text)
{
    const struct aff_batch_frame frame = {
        .kind = AFF_BATCH_REVIEWS, .most = 20, .store = {"main", 4}, .currency = "EUR"};

    aff_batch_done(&batch);
    if (aff_batch_read(&frame, aff_text_of(text), &batch, &error) != AFF_OK)
        fail_msg("%s", error.text);
}

static bool is(struct aff_text text, const char *expected)
{
    return aff_text_equal(text, aff_text_of(expected));
}

static bool says(const struct aff_entry *entry, const char *text)
{
    return memmem(entry->errors.at, entry->errors.size, text, strlen(text)) != NULL;
}

static void a_decision_is_read_whole(void **state)
{
    (void)state;
    takes(
        "{\"pairs\":[{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"reject\",\"by\":\"ann\",\"note\":null},"
        "{\"other\":\"d\",\"product\":\"c\",\"verdict\":\"approve\"},"
        "{\"product\":\"e\",\"other\":\"f\",\"verdict\":\"open\",\"by\":\"\"}]}");
    assert_int_equal(batch.n, 3);
    const struct aff_entry *entry = &batch.entries[0];
    assert_int_equal(entry->status, AFF_ENTRY_UNCHANGED);
    assert_int_equal(entry->given, AFF_VERDICT_REJECT);
    assert_true(is(entry->values[AFF_REVIEW_PRODUCT], "a") && is(entry->values[AFF_REVIEW_OTHER], "b"));
    assert_true(is(entry->values[AFF_REVIEW_BY], "ann") && is(entry->values[AFF_REVIEW_NOTE], ""));
    assert_int_equal(batch.entries[1].given, AFF_VERDICT_APPROVE);
    assert_true(is(batch.entries[1].values[AFF_REVIEW_OTHER], "d"));
    assert_int_equal(batch.entries[2].given, AFF_VERDICT_OPEN);
    assert_int_equal(batch.entries[2].n_errors, 0);
}

static void everything_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"{\"product\":\"a\",\"verdict\":\"open\"}", "\"other\""},
        {"{\"product\":\"a\",\"other\":\"b\"}", "\"verdict\""},
        {"{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"no\"}", "approve, reject or open"},
        {"{\"product\":\"a\",\"other\":\"b\",\"verdict\":1}", "must be a text"},
        {"{\"product\":\"a\",\"other\":\"a\",\"verdict\":\"open\"}", "another product"},
        {"{\"product\":\"\",\"other\":\"a\",\"verdict\":\"open\"}", "\"product\""},
        {"{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"open\",\"note\":\"x\\u0007\"}", "control"},
        {"{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"open\",\"by\":[]}", "a text or null"},
        {"{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"open\",\"id\":\"x\"}", "\"id\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        takes(wrong[i].text);
        assert_int_equal(batch.n, 1);
        assert_int_equal(batch.entries[0].status, AFF_ENTRY_REFUSED);
        if (batch.entries[0].n_errors != 1 || !says(&batch.entries[0], wrong[i].says))
            fail_msg("%s: %.*s", wrong[i].text, (int)batch.entries[0].errors.size,
                     batch.entries[0].errors.at);
    }
}

static void a_text_of_a_decision_may_be_as_long_as_it_may_be(void **state)
{
    char by[140], text[400];

    (void)state;
    memset(by, 'b', sizeof by);
    for (int size = 128; size <= 129; size++) {
        (void)snprintf(text, sizeof text,
                       "{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"open\",\"by\":\"%.*s\"}", size, by);
        takes(text);
        assert_int_equal(batch.entries[0].n_errors, size - 128);
    }
}

static void a_pair_may_come_once_in_whatever_order(void **state)
{
    (void)state;
    takes("[{\"product\":\"ab\",\"other\":\"c\",\"verdict\":\"open\"},"
          "{\"product\":\"c\",\"other\":\"ab\",\"verdict\":\"reject\"},"
          "{\"product\":\"a\",\"other\":\"bc\",\"verdict\":\"open\"}]");
    assert_int_equal(batch.entries[0].status, AFF_ENTRY_UNCHANGED);
    assert_int_equal(batch.entries[1].status, AFF_ENTRY_REFUSED);
    assert_true(says(&batch.entries[1], "entry 0 of the request has the same pair"));
    assert_int_equal(batch.entries[2].status, AFF_ENTRY_UNCHANGED);
}

static void results_name_both_products(void **state)
{
    struct aff_json json = {0};

    (void)state;
    takes("[{\"product\":\"a\",\"other\":\"b\",\"verdict\":\"open\"},{\"product\":7}]");
    aff_json_open_object(&json);
    aff_batch_write(&batch, &json);
    aff_json_close_object(&json);
    const char *expected = "{\"index\":0,\"product\":\"a\",\"other\":\"b\",\"status\":\"unchanged\","
                           "\"errors\":[]},{\"index\":1,\"product\":null,\"other\":null,"
                           "\"status\":\"refused\"";
    assert_non_null(memmem(json.bytes, json.size, expected, strlen(expected)));
    aff_json_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_decision_is_read_whole, tear_down),
        cmocka_unit_test_teardown(everything_wrong_is_named, tear_down),
        cmocka_unit_test_teardown(a_text_of_a_decision_may_be_as_long_as_it_may_be, tear_down),
        cmocka_unit_test_teardown(a_pair_may_come_once_in_whatever_order, tear_down),
        cmocka_unit_test_teardown(results_name_both_products, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
