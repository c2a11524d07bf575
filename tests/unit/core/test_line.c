/* SPDX-License-Identifier: Apache-2.0 */
#include "core/intake/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_order_line example(void)
{
    return (struct aff_order_line){.order_id = {"A1", 2},
                                   .customer_id = {"K1", 2},
                                   .product_id = {"P1", 2},
                                   .ordered_at_us = 1700000000000000,
                                   .quantity = 2,
                                   .unit_price = 1250,
                                   .unit_cost = AFF_COST_UNKNOWN};
}

/* The value is stored in databases: it must never change. */
static void the_hash_of_a_line_is_what_it_always_was(void **state)
{
    struct aff_order_line line = example();

    (void)state;
    assert_true(aff_order_line_hash(&line) == UINT64_C(12497257439580771654));
}

static void every_part_of_a_line_but_the_order_changes_its_hash(void **state)
{
    struct aff_order_line line = example(), changed[8];
    uint64_t hash = aff_order_line_hash(&line);

    (void)state;
    for (int i = 0; i < 8; i++)
        changed[i] = line;
    changed[0].customer_id = (struct aff_text){"", 0};
    changed[1].product_id = (struct aff_text){"P2", 2};
    changed[2].ordered_at_us++;
    changed[3].quantity = -2;
    changed[4].unit_price++;
    changed[5].unit_cost = 0;
    changed[6].discounted = true;
    changed[7].cancels = true;
    for (int i = 0; i < 8; i++) {
        assert_true(aff_order_line_hash(&changed[i]) != hash);
        for (int k = 0; k < i; k++)
            assert_true(aff_order_line_hash(&changed[i]) != aff_order_line_hash(&changed[k]));
    }
    line.order_id = (struct aff_text){"A2", 2};
    assert_true(aff_order_line_hash(&line) == hash);
}

static void halves_add_up_to_the_hash_modulo_two_to_the_64(void **state)
{
    static const uint64_t hashes[] = {
        0, 1, UINT64_MAX, 0x80000000u, 0x7FFFFFFFu, 0xFFFFFFFF80000000u, 0x123456789ABCDEF0u};

    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        struct aff_hash_halves halves = aff_hash_split(hashes[i]);
        uint64_t sum = ((uint64_t)(int64_t)halves.high << 32) + (uint64_t)(int64_t)halves.low;
        assert_true(sum == hashes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_of_a_line_is_what_it_always_was),
        cmocka_unit_test(every_part_of_a_line_but_the_order_changes_its_hash),
        cmocka_unit_test(halves_add_up_to_the_hash_modulo_two_to_the_64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
