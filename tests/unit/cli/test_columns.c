/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static aff_status find(struct aff_columns *ret, enum aff_import_what what, const struct aff_rules *rules,
                       const char *names, struct aff_error *reterr)
{
    struct aff_text header[32];
    size_t n = 0;

    while (*names != '\0') {
        size_t size = strcspn(names, ",");
        header[n++] = (struct aff_text){names, size};
        names += size + (names[size] == ',');
    }
    return aff_columns_find(ret, what, rules, header, n, reterr);
}

static void columns_are_found_by_name_in_any_sequence_and_case(void **state)
{
    struct aff_rules rules = {0};
    struct aff_columns columns;
    struct aff_error error;

    (void)state;
    assert_int_equal(find(&columns, AFF_IMPORT_ORDERS, &rules,
                          "Quantity, unit_price ,note,PRODUCT_ID,ordered_at,order_id,channel", &error),
                     AFF_OK);
    assert_int_equal(columns.at[AFF_ORDER_FIELD_QUANTITY], 0);
    assert_int_equal(columns.at[AFF_ORDER_FIELD_UNIT_PRICE], 1);
    assert_int_equal(columns.at[AFF_ORDER_FIELD_PRODUCT_ID], 3);
    assert_int_equal(columns.at[AFF_ORDER_FIELD_ORDER_ID], 5);
    assert_int_equal(columns.at[AFF_ORDER_FIELD_CUSTOMER_ID], -1);
    assert_string_equal(columns.unknown, "note, channel");
}

static void missing_and_repeated_columns_are_named(void **state)
{
    struct aff_rules rules = {0};
    struct aff_columns columns;
    struct aff_error error;

    (void)state;
    assert_int_equal(
        find(&columns, AFF_IMPORT_ORDERS, &rules, "order_id,ordered_at,sku,quantity,unit_price", &error),
        AFF_IO);
    assert_non_null(strstr(error.text, "'product_id'"));
    assert_non_null(strstr(error.text, "sku"));
    assert_int_equal(find(&columns, AFF_IMPORT_CUSTOMERS, &rules, "customer_id,country,customer_id", &error),
                     AFF_IO);
    assert_non_null(strstr(error.text, "columns 1 and 3"));
}

static void a_rule_gives_a_column_another_name(void **state)
{
    struct aff_rules rules = {0};
    struct aff_columns columns;
    struct aff_error error;

    (void)state;
    assert_int_equal(aff_rules_set(&rules, AFF_IMPORT_CUSTOMERS, "column.customer_id", "mail", &error),
                     AFF_OK);
    assert_int_equal(find(&columns, AFF_IMPORT_CUSTOMERS, &rules, "customer_id,Mail", &error), AFF_OK);
    assert_int_equal(columns.at[AFF_CUSTOMER_FIELD_ID], 1);
    assert_string_equal(columns.unknown, "customer_id");
    assert_int_equal(find(&columns, AFF_IMPORT_CUSTOMERS, &rules, "customer_id,country", &error), AFF_IO);
    assert_non_null(strstr(error.text, "'mail'"));
    assert_int_equal(aff_rules_set(&rules, AFF_IMPORT_CUSTOMERS, "column.price", "x", &error), AFF_CONFIG);
}

static void attribute_columns_belong_to_products_and_customers(void **state)
{
    struct aff_rules rules = {0};
    struct aff_columns columns;
    struct aff_error error;

    (void)state;
    assert_int_equal(find(&columns, AFF_IMPORT_PRODUCTS, &rules, "attr.size,product_id,attr.colour", &error),
                     AFF_OK);
    assert_int_equal(columns.n_attributes, 2);
    assert_int_equal(columns.attributes[1], 2);
}

static void wrong_rules_are_refused(void **state)
{
    const struct {
        const char *key, *value;
    } wrong[] = {{"currency", "euro"},    {"separator", "ab"}, {"separator", "\""}, {"product_pattern", "["},
                 {"zero_price", "maybe"}, {"prices", "about"}, {"colour", "blue"},  {"separator", "\n"}};
    struct aff_rules rules = {0};
    struct aff_error error;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(aff_rules_set(&rules, AFF_IMPORT_ORDERS, wrong[i].key, wrong[i].value, &error),
                         AFF_CONFIG);
    assert_int_equal(aff_rules_set(&rules, AFF_IMPORT_ORDERS, "separator", "tab", &error), AFF_OK);
    assert_int_equal(rules.separator, '\t');
}

static void read_conf(const char *text, enum aff_import_what what, struct aff_rules *rules,
                      aff_status expected, const char *in_error)
{
    char path[] = "/tmp/aff_test_import_conf_XXXXXX";
    struct aff_error error = {.text = ""};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    aff_status status = aff_rules_read(rules, what, path, &error);
    (void)unlink(path);
    assert_int_equal(status, expected);
    assert_non_null(strstr(error.text, in_error));
}

static void a_file_of_rules_is_read_by_section(void **state)
{
    static const char text[] =
        "; how to read\n[orders]\ncurrency = GBP\ncancellation_prefix = C\n"
        "product_pattern = ^[0-9]{5}\ncolumn.order_id = invoice\n[customers]\nseparator = semicolon\n";
    struct aff_rules orders = {0}, products = {0}, customers = {0};

    (void)state;
    read_conf(text, AFF_IMPORT_ORDERS, &orders, AFF_OK, "");
    assert_string_equal(orders.currency, "GBP");
    assert_string_equal(orders.cancellation_prefix, "C");
    assert_string_equal(orders.product_pattern, "^[0-9]{5}");
    assert_int_equal(orders.n_columns, 1);
    read_conf(text, AFF_IMPORT_PRODUCTS, &products, AFF_OK, "");
    assert_string_equal(products.currency, "GBP");
    assert_string_equal(products.product_pattern, "^[0-9]{5}");
    assert_int_equal(products.n_columns, 0);
    read_conf(text, AFF_IMPORT_CUSTOMERS, &customers, AFF_OK, "");
    assert_int_equal(customers.separator, ';');
    assert_string_equal(customers.product_pattern, "");
}

static void mistakes_in_a_file_of_rules_are_named_with_their_line(void **state)
{
    struct aff_rules rules = {0};

    (void)state;
    read_conf("[orders]\ncurrency = pounds\n", AFF_IMPORT_ORDERS, &rules, AFF_CONFIG, ":2: currency");
    read_conf("[order]\ncurrency = GBP\n", AFF_IMPORT_ORDERS, &rules, AFF_CONFIG, "section [order]");
    read_conf("[orders]\n\ncolour = blue\n", AFF_IMPORT_PRODUCTS, &rules, AFF_CONFIG, ":3: there is no rule");
    read_conf("[orders]\ncurrency = GBP\n[products]\ncurrency = EUR\n", AFF_IMPORT_ORDERS, &rules, AFF_CONFIG,
              ":4: currency: a store has one");
    read_conf("[orders]\nnonsense\n", AFF_IMPORT_ORDERS, &rules, AFF_CONFIG, ":2: not an entry");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name_in_any_sequence_and_case),
        cmocka_unit_test(missing_and_repeated_columns_are_named),
        cmocka_unit_test(a_rule_gives_a_column_another_name),
        cmocka_unit_test(attribute_columns_belong_to_products_and_customers),
        cmocka_unit_test(wrong_rules_are_refused),
        cmocka_unit_test(a_file_of_rules_is_read_by_section),
        cmocka_unit_test(mistakes_in_a_file_of_rules_are_named_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
