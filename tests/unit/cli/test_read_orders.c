/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_orders.h"
#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW_US (INT64_C(1700000000) * AFF_SECOND_US) /* 2023-11-14T22:13:20Z */

static const char *const header[] = {"order_id",   "customer_id", "ordered_at", "product_id", "quantity",
                                     "unit_price", "unit_cost",   "discounted", "currency"};
enum { N = sizeof header / sizeof header[0] };

struct setting {
    struct aff_rules rules;
    struct aff_columns columns;
    struct aff_order_reader reader;
};

static void set_up(struct setting *setting, const char *pattern)
{
    struct aff_text names[N];
    struct aff_error error;

    for (size_t i = 0; i < N; i++)
        names[i] = aff_text_of(header[i]);
    assert_int_equal(
        aff_columns_find(&setting->columns, AFF_IMPORT_ORDERS, &setting->rules, names, N, &error), AFF_OK);
    setting->reader =
        (struct aff_order_reader){.rules = &setting->rules,
                                  .columns = &setting->columns,
                                  .digits = 2,
                                  .currency = "EUR",
                                  .now_us = NOW_US,
                                  .cancellation_prefix = aff_text_of(setting->rules.cancellation_prefix)};
    assert_int_equal(aff_pattern_open(&setting->reader.pattern, pattern, &error), AFF_OK);
}

/* A good record with field `field` replaced by `value`. */
static enum aff_line_outcome read_with(struct setting *setting, int field, const char *value,
                                       struct aff_order_line *ret, enum aff_reject *ret_reason,
                                       int *ret_field)
{
    const char *const good[N] = {"A1", "K1", "2023-11-14T10:00:00Z", "P1", "2", "12.50", "", "", "EUR"};
    struct aff_text fields[N];

    for (int i = 0; i < N; i++)
        fields[i] = aff_text_of(i == field ? value : good[i]);
    struct aff_csv_record record = {.fields = fields, .n_fields = N, .line = 2};
    return aff_order_read(&setting->reader, &record, ret, ret_reason, ret_field);
}

static void a_good_record_becomes_a_line(void **state)
{
    struct setting setting = {0};
    struct aff_order_line line;
    enum aff_reject reason;
    int field;

    (void)state;
    set_up(&setting, "");
    assert_int_equal(read_with(&setting, -1, NULL, &line, &reason, &field), AFF_LINE_TAKEN);
    assert_true(aff_text_equal(line.order_id, aff_text_of("A1")));
    assert_true(aff_text_equal(line.customer_id, aff_text_of("K1")));
    assert_true(aff_text_equal(line.product_id, aff_text_of("P1")));
    assert_true(line.ordered_at_us == INT64_C(1699956000) * AFF_SECOND_US);
    assert_int_equal(line.quantity, 2);
    assert_int_equal(line.unit_price, 1250);
    assert_int_equal(line.unit_cost, AFF_COST_UNKNOWN);
    assert_false(line.discounted);
    assert_false(line.cancels);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_CUSTOMER_ID, "", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_int_equal(line.customer_id.size, 0);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_UNIT_COST, "0", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_int_equal(line.unit_cost, 0);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_QUANTITY, "-3.0", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_int_equal(line.quantity, -3);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_DISCOUNTED, "Yes", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_true(line.discounted);
}

static void bad_values_are_rejected_with_their_reason(void **state)
{
    static const char long_id[] = "0123456789012345678901234567890123456789012345678901234567890123"
                                  "0123456789012345678901234567890123456789012345678901234567890123x";
    const struct {
        int field;
        const char *value;
        enum aff_reject reason;
    } cases[] = {
        {AFF_ORDER_FIELD_ORDER_ID, "", AFF_REJECT_ID},
        {AFF_ORDER_FIELD_ORDER_ID, long_id, AFF_REJECT_ID},
        {AFF_ORDER_FIELD_ORDER_ID, "A\n1", AFF_REJECT_ID},
        {AFF_ORDER_FIELD_PRODUCT_ID, "", AFF_REJECT_ID},
        {AFF_ORDER_FIELD_CUSTOMER_ID, "K\t", AFF_REJECT_ID},
        {AFF_ORDER_FIELD_ORDERED_AT, "", AFF_REJECT_TIME},
        {AFF_ORDER_FIELD_ORDERED_AT, "14.11.2023", AFF_REJECT_TIME},
        {AFF_ORDER_FIELD_ORDERED_AT, "2023-02-29", AFF_REJECT_TIME},
        {AFF_ORDER_FIELD_ORDERED_AT, "1969-12-31T23:59:59Z", AFF_REJECT_TIME_RANGE},
        {AFF_ORDER_FIELD_ORDERED_AT, "2023-11-15T22:13:21Z", AFF_REJECT_TIME_RANGE},
        {AFF_ORDER_FIELD_QUANTITY, "0", AFF_REJECT_QUANTITY},
        {AFF_ORDER_FIELD_QUANTITY, "1.5", AFF_REJECT_QUANTITY},
        {AFF_ORDER_FIELD_QUANTITY, "two", AFF_REJECT_QUANTITY},
        {AFF_ORDER_FIELD_QUANTITY, "2147483648", AFF_REJECT_QUANTITY},
        {AFF_ORDER_FIELD_QUANTITY, "-2147483648", AFF_REJECT_QUANTITY},
        {AFF_ORDER_FIELD_UNIT_PRICE, "", AFF_REJECT_AMOUNT},
        {AFF_ORDER_FIELD_UNIT_PRICE, "12,50", AFF_REJECT_AMOUNT},
        {AFF_ORDER_FIELD_UNIT_PRICE, "-1", AFF_REJECT_AMOUNT_NEGATIVE},
        {AFF_ORDER_FIELD_UNIT_PRICE, "-0.001", AFF_REJECT_AMOUNT_NEGATIVE},
        {AFF_ORDER_FIELD_UNIT_PRICE, "1.001", AFF_REJECT_AMOUNT_DECIMALS},
        {AFF_ORDER_FIELD_UNIT_PRICE, "10000000000000.01", AFF_REJECT_AMOUNT_LARGE},
        {AFF_ORDER_FIELD_UNIT_PRICE, "99999999999999999999", AFF_REJECT_AMOUNT_LARGE},
        {AFF_ORDER_FIELD_UNIT_PRICE, "5000000000000.01",
         AFF_REJECT_AMOUNT_LARGE}, /* two of them are too much */
        {AFF_ORDER_FIELD_UNIT_COST, "-1", AFF_REJECT_AMOUNT_NEGATIVE},
        {AFF_ORDER_FIELD_DISCOUNTED, "maybe", AFF_REJECT_FLAG},
        {AFF_ORDER_FIELD_CURRENCY, "USD", AFF_REJECT_CURRENCY},
    };
    struct setting setting = {0};
    struct aff_order_line line;

    (void)state;
    set_up(&setting, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum aff_reject reason = AFF_REJECT_NONE;
        int field = -1;
        assert_int_equal(read_with(&setting, cases[i].field, cases[i].value, &line, &reason, &field),
                         AFF_LINE_REJECTED);
        if (reason != cases[i].reason || field != cases[i].field)
            print_error("'%s' as %s: %s\n", cases[i].value, header[cases[i].field], aff_reject_text(reason));
        assert_int_equal(reason, cases[i].reason);
        assert_int_equal(field, cases[i].field);
    }
}

static void limits_themselves_are_accepted(void **state)
{
    struct setting setting = {0};
    struct aff_order_line line;
    enum aff_reject reason;
    int field;

    (void)state;
    set_up(&setting, "");
    assert_int_equal(
        read_with(&setting, AFF_ORDER_FIELD_ORDERED_AT, "2023-11-15T22:13:20Z", &line, &reason, &field),
        AFF_LINE_TAKEN);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_ORDERED_AT, "1970-01-01", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_QUANTITY, "-2147483647", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_UNIT_PRICE, "5000000000000", &line, &reason, &field),
                     AFF_LINE_TAKEN);
}

static void lines_that_are_no_products_are_left_out_before_anything_else_is_checked(void **state)
{
    struct setting setting = {0};
    struct aff_order_line line;
    enum aff_reject reason;
    int field;

    (void)state;
    set_up(&setting, "^[0-9]{5}|^P");
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_PRODUCT_ID, "POSTAGE", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    for (int round = 0; round < 2; round++) { /* found out, then remembered */
        assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_PRODUCT_ID, "12", &line, &reason, &field),
                         AFF_LINE_NO_PRODUCT);
        assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_PRODUCT_ID, "85123A", &line, &reason, &field),
                         AFF_LINE_TAKEN);
    }
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_PRODUCT_ID, "", &line, &reason, &field),
                     AFF_LINE_REJECTED);
    aff_pattern_close(&setting.reader.pattern);
}

static void cancellations_only_take_back(void **state)
{
    struct setting setting = {.rules = {.cancellation_prefix = "C"}};
    struct aff_order_line line;
    enum aff_reject reason;
    int field;

    (void)state;
    set_up(&setting, "");
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_ORDER_ID, "C77", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_true(line.cancels);
    assert_int_equal(line.quantity, -2);
    assert_int_equal(setting.reader.turned, 1);
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_ORDER_ID, "77C", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_false(line.cancels);
    assert_int_equal(line.quantity, 2);
}

static void free_lines_and_further_decimals_follow_the_rules(void **state)
{
    struct setting setting = {0};
    struct aff_order_line line;
    enum aff_reject reason;
    int field;

    (void)state;
    set_up(&setting, "");
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_UNIT_PRICE, "0.00", &line, &reason, &field),
                     AFF_LINE_FREE);
    setting.rules.keep_free = true;
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_UNIT_PRICE, "0.00", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    setting.rules.prices = AFF_PRICES_ROUND;
    assert_int_equal(read_with(&setting, AFF_ORDER_FIELD_UNIT_PRICE, "1.6667", &line, &reason, &field),
                     AFF_LINE_TAKEN);
    assert_int_equal(line.unit_price, 167);
    assert_int_equal(setting.reader.rounded, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_record_becomes_a_line),
        cmocka_unit_test(bad_values_are_rejected_with_their_reason),
        cmocka_unit_test(limits_themselves_are_accepted),
        cmocka_unit_test(lines_that_are_no_products_are_left_out_before_anything_else_is_checked),
        cmocka_unit_test(cancellations_only_take_back),
        cmocka_unit_test(free_lines_and_further_decimals_follow_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
