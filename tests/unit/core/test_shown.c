/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session/shown.h"

#include "core/base/random.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define HALF_LIFE_S 100.0

static struct aff_shown *shown;
static struct aff_shown_note notes[2][AFF_SHOWN_MAX];
static struct aff_impressed impressed[2 * AFF_SHOWN_MAX];

static int make(void **state)
{
    (void)state;
    return aff_shown_new(1000, &shown) == AFF_OK ? 0 : -1;
}

static int clear(void **state)
{
    (void)state;
    aff_shown_free(shown);
    return 0;
}

static void show(uint64_t person, int32_t product, int64_t at_s)
{
    aff_shown_note(shown, person, product, at_s * SECOND_US, false);
}

static void click(uint64_t person, int32_t product, int64_t at_s)
{
    aff_shown_note(shown, person, product, at_s * SECOND_US, true);
}

/* Counts what is noted under two names; 0 is nobody's. */
static size_t count(uint64_t customer, uint64_t session, int64_t now_s)
{
    size_t n_a = aff_shown_read(shown, customer, notes[0]), n_b = aff_shown_read(shown, session, notes[1]);

    return aff_shown_count(notes[0], n_a, notes[1], n_b, now_s * SECOND_US, HALF_LIFE_S, impressed);
}

static void each_time_counts_by_its_age(void **state)
{
    (void)state;
    show(1, 7, 1000);
    show(1, 7, 1100);
    show(1, 3, 1100);
    assert_int_equal(count(1, 0, 1200), 2);
    assert_int_equal(impressed[0].product, 3);
    assert_float_equal(impressed[0].times, 0.5, 1e-6);
    assert_int_equal(impressed[1].product, 7);
    assert_float_equal(impressed[1].times, 0.25 + 0.5, 1e-6);
    assert_int_equal(count(2, 0, 1200), 0);
}

static void what_is_shown_in_the_future_counts_as_just_shown(void **state)
{
    (void)state;
    show(1, 7, 2000);
    assert_int_equal(count(1, 0, 1000), 1);
    assert_float_equal(impressed[0].times, 1, 1e-6);
}

static void a_click_takes_back_what_was_shown_until_then(void **state)
{
    (void)state;
    show(1, 7, 1000);
    show(1, 8, 1000);
    click(1, 7, 1010);
    assert_int_equal(count(1, 0, 1000), 1);
    assert_int_equal(impressed[0].product, 8);
    show(1, 7, 1005); /* came late */
    assert_int_equal(count(1, 0, 1000), 1);
    show(1, 7, 1020);
    assert_int_equal(count(1, 0, 1000), 2);
    click(1, 7, 1001); /* an older click says nothing about what came after it */
    assert_int_equal(count(1, 0, 1000), 2);
}

static void a_click_of_somebody_unknown_makes_nobody_known(void **state)
{
    (void)state;
    click(1, 7, 1000);
    assert_int_equal(aff_shown_size(shown), 0);
}

static void what_both_names_have_counts_once(void **state)
{
    (void)state;
    show(1, 7, 1000);
    show(2, 7, 1000);
    show(2, 7, 1001);
    show(2, 9, 1000);
    show(1, 9, 1000);
    click(1, 9, 1002);
    assert_int_equal(count(1, 2, 1000), 1);
    assert_int_equal(impressed[0].product, 7);
    assert_float_equal(impressed[0].times, 2, 1e-6);
}

static void the_oldest_make_room(void **state)
{
    (void)state;
    for (int32_t i = 0; i < AFF_SHOWN_MAX + 10; i++)
        show(1, i + 1, 1000 + i);
    show(1, 5000, 10); /* older than all */
    assert_int_equal(count(1, 0, 1000), AFF_SHOWN_MAX);
    assert_int_equal(impressed[0].product, 11);
    assert_int_equal(impressed[AFF_SHOWN_MAX - 1].product, AFF_SHOWN_MAX + 10);
}

/* What a list of all that happened says about one product. */
static double naive(const struct aff_shown_note *all, size_t n, int32_t product, int64_t now_s)
{
    int64_t clicked_s = -1;
    double times = 0;

    for (size_t i = 0; i < n; i++)
        if (all[i].product == product && all[i].clicked && (int64_t)all[i].at_s > clicked_s)
            clicked_s = all[i].at_s;
    for (size_t i = 0; i < n; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again = again || memcmp(&all[j], &all[i], sizeof all[i]) == 0;
        if (all[i].product == product && !all[i].clicked && !again && (int64_t)all[i].at_s > clicked_s)
            times += exp2(-(double)(now_s - (int64_t)all[i].at_s) / HALF_LIFE_S);
    }
    return times;
}

static void notes_may_come_twice_and_in_any_order(void **state)
{
    enum { N = 60, PRODUCTS = 12 };
    struct aff_random random = {.state = 5};

    (void)state;
    for (uint64_t person = 10; person < 210; person++) {
        struct aff_shown_note all[N];
        memset(all, 0, sizeof all);
        for (size_t i = 0; i < N; i++) {
            all[i].product = 1 + (int32_t)aff_random_below(&random, PRODUCTS);
            all[i].at_s = 1000 + (uint32_t)aff_random_below(&random, 40);
            all[i].clicked = aff_random_below(&random, 6) == 0 && i > 0;
        }
        all[0].clicked = false; /* makes the person known */
        for (int i = 0; i < 3 * N; i++) {
            const struct aff_shown_note *note = i == 0 ? &all[0] : &all[aff_random_below(&random, N)];
            aff_shown_note(shown, person, note->product, note->at_s * SECOND_US, note->clicked);
        }
        for (size_t i = 0; i < N; i++)
            aff_shown_note(shown, person, all[i].product, all[i].at_s * SECOND_US, all[i].clicked);
        size_t n = count(person, 0, 1040), n_expected = 0;
        for (int32_t product = 1; product <= PRODUCTS; product++) {
            double expected = naive(all, N, product, 1040);
            if (expected <= 0)
                continue;
            assert_true(n_expected < n);
            assert_int_equal(impressed[n_expected].product, product);
            assert_float_equal(impressed[n_expected].times, expected, 1e-5);
            n_expected++;
        }
        assert_int_equal(n, n_expected);
    }
}

static void *note_many(void *argument)
{
    struct aff_random random = {.state = *(const uint64_t *)argument};
    struct aff_shown_note mine[AFF_SHOWN_MAX];

    for (int i = 0; i < 20000; i++) {
        const uint64_t person = aff_random_below(&random, 2000) << 52;
        aff_shown_note(shown, person, 1 + (int32_t)aff_random_below(&random, 50),
                       (int64_t)aff_random_below(&random, 1000) * SECOND_US,
                       aff_random_below(&random, 4) == 0);
        (void)aff_shown_read(shown, person, mine);
    }
    return NULL;
}

static void threads_may_note_and_read_at_once(void **state)
{
    static const uint64_t seeds[] = {1, 2, 3, 4};
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, (void *)(uintptr_t)&seeds[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(aff_shown_size(shown) <= 1000 + 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_time_counts_by_its_age, make, clear),
        cmocka_unit_test_setup_teardown(what_is_shown_in_the_future_counts_as_just_shown, make, clear),
        cmocka_unit_test_setup_teardown(a_click_takes_back_what_was_shown_until_then, make, clear),
        cmocka_unit_test_setup_teardown(a_click_of_somebody_unknown_makes_nobody_known, make, clear),
        cmocka_unit_test_setup_teardown(what_both_names_have_counts_once, make, clear),
        cmocka_unit_test_setup_teardown(the_oldest_make_room, make, clear),
        cmocka_unit_test_setup_teardown(notes_may_come_twice_and_in_any_order, make, clear),
        cmocka_unit_test_setup_teardown(threads_may_note_and_read_at_once, make, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
