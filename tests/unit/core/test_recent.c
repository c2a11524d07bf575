/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session/recent.h"

#include "core/base/random.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_recent *recent;
static int32_t products[AFF_RECENT_MAX];

static int make(void **state)
{
    (void)state;
    return aff_recent_new(1000, 5, &recent) == AFF_OK ? 0 : -1;
}

static int clear(void **state)
{
    (void)state;
    aff_recent_free(recent);
    return 0;
}

static void reads(uint64_t person, int64_t since_us, size_t n, const int32_t *expected)
{
    assert_int_equal(aff_recent_read(recent, person, since_us, products, AFF_RECENT_MAX), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(products[i], expected[i]);
}

static void the_newest_products_of_each_are_kept_newest_last(void **state)
{
    (void)state;
    for (int32_t i = 1; i <= 8; i++)
        aff_recent_note(recent, 1, i, i * 10, false);
    aff_recent_note(recent, 2, 99, 5, false);
    reads(1, 0, 5, (int32_t[]){4, 5, 6, 7, 8});
    reads(1, 70, 2, (int32_t[]){7, 8});
    assert_int_equal(aff_recent_read(recent, 1, 0, products, 2), 2);
    assert_true(products[0] == 7 && products[1] == 8);
    reads(2, 0, 1, (int32_t[]){99});
    reads(3, 0, 0, NULL);
}

static void notes_may_come_twice_and_in_any_order(void **state)
{
    static const struct {
        int32_t product;
        int64_t at_us;
        bool gone;
    } notes[] = {{1, 10, false}, {2, 20, false}, {1, 30, true},
                 {3, 40, false}, {1, 25, false}, {4, 5, false}};
    struct aff_random random = {11};

    (void)state;
    for (uint64_t person = 1; person <= 200; person++) {
        for (int i = 0; i < 30; i++) {
            size_t j = (size_t)aff_random_below(&random, 6);
            aff_recent_note(recent, person, notes[j].product, notes[j].at_us, notes[j].gone);
        }
        for (size_t j = 0; j < 6; j++)
            aff_recent_note(recent, person, notes[j].product, notes[j].at_us, notes[j].gone);
        reads(person, 0, 3, (int32_t[]){4, 2, 3});
    }
}

static void clearing_takes_away_what_was_before(void **state)
{
    (void)state;
    aff_recent_note(recent, 1, 1, 10, false);
    aff_recent_note(recent, 1, 2, 20, false);
    aff_recent_note(recent, 1, 3, 30, false);
    aff_recent_clear(recent, 1, 20);
    reads(1, 0, 1, (int32_t[]){3});
    aff_recent_note(recent, 1, 2, 20, false);
    reads(1, 0, 1, (int32_t[]){3});
    aff_recent_note(recent, 1, 2, 40, false);
    reads(1, 0, 2, (int32_t[]){3, 2});
}

static void the_number_of_people_is_bounded_and_the_oldest_make_room(void **state)
{
    struct aff_random random = {3};
    uint64_t last = 0;

    (void)state;
    for (int64_t i = 0; i < 20000; i++) {
        last = aff_recent_person(1, aff_random_next(&random));
        aff_recent_note(recent, last, 7, i, false);
    }
    assert_in_range(aff_recent_size(recent), 900, 1100);
    reads(last, 0, 1, (int32_t[]){7});
}

static void *work(void *argument)
{
    struct aff_random random = {*(uint64_t *)argument};
    int32_t mine[5];

    for (int i = 0; i < 20000; i++) {
        uint64_t person = aff_recent_person(1, aff_random_below(&random, 3000));
        int32_t product = (int32_t)aff_random_below(&random, 9);
        if (i % 50 == 0)
            aff_recent_clear(recent, person, i);
        else
            aff_recent_note(recent, person, product, i, i % 7 == 0);
        size_t n = aff_recent_read(recent, person, 0, mine, 5);
        for (size_t j = 0; j < n; j++)
            assert_in_range(mine[j], 0, 8);
    }
    return NULL;
}

static void several_threads_may_work_at_once(void **state)
{
    pthread_t threads[4];
    uint64_t seeds[4] = {1, 2, 3, 4};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &seeds[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_products_of_each_are_kept_newest_last, make, clear),
        cmocka_unit_test_setup_teardown(notes_may_come_twice_and_in_any_order, make, clear),
        cmocka_unit_test_setup_teardown(clearing_takes_away_what_was_before, make, clear),
        cmocka_unit_test_setup_teardown(the_number_of_people_is_bounded_and_the_oldest_make_room, make,
                                        clear),
        cmocka_unit_test_setup_teardown(several_threads_may_work_at_once, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
