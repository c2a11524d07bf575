/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N = 9 };

static const struct aff_text header[N] = {{"product_id", 10}, {"price", 5},        {"stock", 5},
                                          {"available", 9},   {"durable", 7},      {"attributes", 10},
                                          {"attr.size", 9},   {"attr.mat\"x", 10}, {"name", 4}};

static enum aff_reject read(const char *const values[N], struct aff_text ret[AFF_PRODUCT_COLUMNS],
                            int *ret_column, struct aff_catalogue_reader *reader)
{
    struct aff_rules rules = {0};
    struct aff_columns columns;
    struct aff_error error;
    struct aff_text fields[N], id;

    for (int i = 0; i < N; i++)
        fields[i] = aff_text_of(values[i]);
    struct aff_csv_record record = {.fields = fields, .n_fields = N};
    assert_int_equal(aff_columns_find(&columns, AFF_IMPORT_PRODUCTS, &rules, header, N, &error), AFF_OK);
    reader->what = AFF_IMPORT_PRODUCTS;
    reader->rules = &rules;
    reader->columns = &columns;
    reader->header = header;
    reader->digits = 2;
    return aff_catalogue_read(reader, &record, &id, ret, ret_column);
}

static void expect(struct aff_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.at, expected, text.size);
}

static void a_good_record_becomes_columns(void **state)
{
    static const char *const values[N] = {"P1", "1.225", "7",           "no", "", " {\"a\": 1 } ",
                                          "L",  "",      "Cup, \"big\""};
    struct aff_catalogue_reader reader = {0};
    struct aff_text columns[AFF_PRODUCT_COLUMNS];
    int column = 0;

    (void)state;
    assert_int_equal(read(values, columns, &column, &reader), AFF_REJECT_NONE);
    expect(columns[AFF_PRODUCT_NAME], "Cup, \"big\"");
    expect(columns[AFF_PRODUCT_PRICE], "123"); /* a catalogue's prices are shown, not added up: rounded */
    assert_int_equal(reader.rounded, 1);
    expect(columns[AFF_PRODUCT_STOCK], "7");
    expect(columns[AFF_PRODUCT_AVAILABLE], "false");
    expect(columns[AFF_PRODUCT_DURABLE], "false");
    expect(columns[AFF_PRODUCT_ATTRIBUTES], "{\"a\": 1,\"size\":\"L\"}");
    aff_catalogue_reader_done(&reader);
}

static void empty_fields_have_their_meaning(void **state)
{
    static const char *const values[N] = {"P1", "", "", "", "", "{ }", "", "7\"", ""};
    struct aff_catalogue_reader reader = {0};
    struct aff_text columns[AFF_PRODUCT_COLUMNS];
    int column = 0;

    (void)state;
    assert_int_equal(read(values, columns, &column, &reader), AFF_REJECT_NONE);
    assert_null(columns[AFF_PRODUCT_PRICE].at);
    assert_null(columns[AFF_PRODUCT_STOCK].at);
    expect(columns[AFF_PRODUCT_AVAILABLE], "true");
    expect(columns[AFF_PRODUCT_NAME], "");
    expect(columns[AFF_PRODUCT_ATTRIBUTES], "{\"mat\\\"x\":\"7\\\"\"}");
    aff_catalogue_reader_done(&reader);
}

static void bad_values_are_rejected_with_their_column(void **state)
{
    const struct {
        int column;
        const char *value;
        enum aff_reject reason;
    } cases[] = {
        {0, "", AFF_REJECT_ID},
        {1, "free", AFF_REJECT_AMOUNT},
        {1, "-2", AFF_REJECT_AMOUNT_NEGATIVE},
        {2, "1.5", AFF_REJECT_STOCK},
        {3, "2", AFF_REJECT_FLAG},
        {5, "[]", AFF_REJECT_ATTRIBUTES},
        {5, "{\"a\":1,\"a\":2}", AFF_REJECT_ATTRIBUTES},
        {5, "{", AFF_REJECT_ATTRIBUTES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *values[N] = {"P1", "1", "1", "1", "1", "", "", "", ""};
        struct aff_catalogue_reader reader = {0};
        struct aff_text columns[AFF_PRODUCT_COLUMNS];
        int column = -1;
        values[cases[i].column] = cases[i].value;
        assert_int_equal(read(values, columns, &column, &reader), cases[i].reason);
        assert_int_equal(column, cases[i].column);
        aff_catalogue_reader_done(&reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_record_becomes_columns),
        cmocka_unit_test(empty_fields_have_their_meaning),
        cmocka_unit_test(bad_values_are_rejected_with_their_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
