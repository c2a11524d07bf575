/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/customer/customers.h"

#include <stdio.h>

static void a_customer_is_found_with_a_copy_of_the_purchases(void **state)
{
    struct aff_purchase purchases[] = {{4, 2, 100, 300}, {9, 1, 200, 200}};
    struct aff_customers_builder *builder;
    struct aff_customers *customers;

    (void)state;
    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of("ann"), 3, purchases, 2), AFF_OK);
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of("bob"), 0, NULL, 0), AFF_OK);
    purchases[0].row = 77;
    assert_int_equal(aff_customers_builder_finish(builder, &customers), AFF_OK);
    aff_customers_builder_free(builder);
    assert_int_equal(aff_customers_size(customers), 2);
    const struct aff_history *history = aff_customers_find(customers, aff_text_of("ann"));
    assert_non_null(history);
    assert_int_equal(history->orders, 3);
    assert_int_equal(history->n, 2);
    assert_int_equal(history->purchases[0].row, 4);
    assert_int_equal(history->purchases[1].last_s, 200);
    assert_int_equal(aff_customers_find(customers, aff_text_of("bob"))->n, 0);
    assert_null(aff_customers_find(customers, aff_text_of("cy")));
    assert_null(aff_customers_find(customers, aff_text_of("")));
    aff_customers_free(customers);
}

static void a_customer_that_came_before_is_refused(void **state)
{
    struct aff_customers_builder *builder;

    (void)state;
    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of("ann"), 1, NULL, 0), AFF_OK);
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of("ann"), 1, NULL, 0), AFF_INVALID);
    assert_int_equal(aff_customers_builder_add(builder, aff_text_of(""), 1, NULL, 0), AFF_INVALID);
    aff_customers_builder_free(builder);
    aff_customers_builder_free(NULL);
    aff_customers_free(NULL);
}

static void thousands_of_customers_keep_their_own_history(void **state)
{
    struct aff_customers_builder *builder;
    struct aff_customers *customers;
    char id[16];

    (void)state;
    assert_int_equal(aff_customers_builder_new(&builder), AFF_OK);
    for (uint32_t i = 0; i < 5000; i++) {
        struct aff_purchase purchases[3] = {{i, 1, i, i}, {i + 1, 1, i, i}, {i + 2, 1, i, i}};
        (void)snprintf(id, sizeof id, "c%u", (unsigned)i);
        assert_int_equal(aff_customers_builder_add(builder, aff_text_of(id), i, purchases, i % 4), AFF_OK);
    }
    assert_int_equal(aff_customers_builder_finish(builder, &customers), AFF_OK);
    aff_customers_builder_free(builder);
    for (uint32_t i = 0; i < 5000; i++) {
        (void)snprintf(id, sizeof id, "c%u", (unsigned)i);
        const struct aff_history *history = aff_customers_find(customers, aff_text_of(id));
        assert_non_null(history);
        assert_int_equal(history->orders, i);
        assert_int_equal(history->n, i % 4);
        for (uint32_t j = 0; j < history->n; j++)
            assert_int_equal(history->purchases[j].row, i + j);
    }
    assert_true(aff_customers_bytes(customers) > 5000 * sizeof(struct aff_history));
    aff_customers_free(customers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_customer_is_found_with_a_copy_of_the_purchases),
        cmocka_unit_test(a_customer_that_came_before_is_refused),
        cmocka_unit_test(thousands_of_customers_keep_their_own_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
