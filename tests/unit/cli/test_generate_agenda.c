/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/agenda.h"

#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DAYS = 40, ROUNDS = 5000 };

static struct aff_demo_line line_of(int32_t product, int32_t quantity)
{
    return (struct aff_demo_line){
        .product = product, .quantity = quantity, .unit_price = 250, .unit_cost = 100};
}

static void a_deed_comes_back_whole_on_its_day_and_once(void **state)
{
    const struct aff_demo_line lines[] = {line_of(7, -1), line_of(9, -2)};
    struct aff_demo_agenda *agenda;
    struct aff_demo_task task;

    (void)state;
    assert_int_equal(aff_demo_agenda_new(DAYS, &agenda), AFF_OK);
    assert_int_equal(aff_demo_agenda_add(agenda, 3, AFF_DEED_RETURN, 42, lines, 2), AFF_OK);
    assert_false(aff_demo_agenda_take(agenda, 2, &task));
    assert_true(aff_demo_agenda_take(agenda, 3, &task));
    assert_int_equal(task.deed, AFF_DEED_RETURN);
    assert_int_equal(task.customer, 42);
    assert_int_equal(task.n, 2);
    assert_int_equal(task.lines[0].product, 7);
    assert_int_equal(task.lines[1].quantity, -2);
    assert_int_equal(task.lines[1].unit_price, 250);
    assert_false(aff_demo_agenda_take(agenda, 3, &task));
    aff_demo_agenda_free(agenda);
}

/* Each deed carries its number in every field, so that a wrong chain would show. */
static void thousands_of_deeds_keep_their_lines_apart(void **state)
{
    struct aff_demo_agenda *agenda;
    struct aff_demo_task task;
    struct aff_random random = {1};
    uint32_t added = 0, taken = 0;

    (void)state;
    assert_int_equal(aff_demo_agenda_new(DAYS, &agenda), AFF_OK);
    for (int round = 0; round < ROUNDS; round++) {
        struct aff_demo_line lines[64];
        uint32_t n = 1 + (uint32_t)aff_random_below(&random, 64);
        for (uint32_t i = 0; i < n; i++)
            lines[i] = line_of((int32_t)added, (int32_t)n);
        int32_t day = (int32_t)aff_random_below(&random, DAYS);
        assert_int_equal(aff_demo_agenda_add(agenda, day, AFF_DEED_ORDER, added++, lines, n), AFF_OK);
        while (aff_random_below(&random, 2) == 0 &&
               aff_demo_agenda_take(agenda, (int32_t)aff_random_below(&random, DAYS), &task)) {
            taken++;
            assert_in_range(task.n, 1, 64);
            for (uint32_t i = 0; i < task.n; i++) {
                assert_int_equal(task.lines[i].product, task.customer);
                assert_int_equal(task.lines[i].quantity, task.n);
            }
        }
    }
    for (int32_t day = 0; day < DAYS; day++)
        while (aff_demo_agenda_take(agenda, day, &task))
            taken++;
    assert_int_equal(taken, added);
    aff_demo_agenda_free(agenda);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    aff_demo_agenda_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deed_comes_back_whole_on_its_day_and_once),
        cmocka_unit_test(thousands_of_deeds_keep_their_lines_apart),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
