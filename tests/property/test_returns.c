/* SPDX-License-Identifier: Apache-2.0 */
/* Matching returns against a reference that moves single units, and against itself with shuffled input. */
#include "core/base/random.h"
#include "core/intake/returns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 5000, MOST = 24 };

static size_t random_lines(struct aff_random *random, struct aff_return_line lines[MOST])
{
    size_t n = aff_random_below(random, MOST + 1);

    for (size_t i = 0; i < n; i++) {
        int32_t quantity = (int32_t)aff_random_below(random, 5) + 1;
        lines[i] = (struct aff_return_line){
            .ordered_at_us = (int64_t)aff_random_below(random, 8),
            .order_key = (int64_t)aff_random_below(random, 4) - 2,
            .content = (int64_t)aff_random_below(random, 3),
            .line = (int32_t)i,
            .quantity = aff_random_below(random, 3) == 0 ? -quantity : quantity,
        };
    }
    return n;
}

/* Purchases newest first: later time, then larger key, quantity, content and number. */
static int newer(const struct aff_return_line *a, const struct aff_return_line *b)
{
    const int64_t left[] = {a->ordered_at_us, a->order_key, a->quantity, a->content, a->line};
    const int64_t right[] = {b->ordered_at_us, b->order_key, b->quantity, b->content, b->line};

    for (size_t i = 0; i < 5; i++)
        if (left[i] != right[i])
            return left[i] > right[i];
    return 0;
}

/* Takes the returns in order of time, each unit from the newest purchase that still has one. */
static void match_unit_by_unit(struct aff_return_line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        lines[i].returned = 0;
    for (int64_t time = 0; time < 8; time++) {
        for (int64_t units = 0; units < MOST * 5; units++) {
            struct aff_return_line *back = NULL, *bought = NULL;
            for (size_t i = 0; i < n; i++) {
                struct aff_return_line *line = &lines[i];
                if (line->quantity < 0 && line->ordered_at_us == time && line->below < -line->quantity &&
                    (back == NULL || newer(back, line)))
                    back = line;
            }
            if (back == NULL)
                break;
            for (size_t i = 0; i < n; i++) {
                struct aff_return_line *line = &lines[i];
                if (line->quantity > line->returned && line->ordered_at_us <= time &&
                    (bought == NULL || newer(line, bought)))
                    bought = line;
            }
            back->below++; /* units looked after; the reference uses the field for itself */
            if (bought != NULL)
                bought->returned++;
            else
                back->returned++;
        }
    }
}

static void shuffle(struct aff_random *random, struct aff_return_line *lines, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = aff_random_below(random, i);
        struct aff_return_line line = lines[i - 1];
        lines[i - 1] = lines[k];
        lines[k] = line;
    }
}

static void matching_equals_moving_single_units_in_any_sequence_of_input(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct aff_random random = {seed};
        struct aff_return_line expected[MOST], lines[MOST];
        int32_t by_line[MOST];
        size_t n = random_lines(&random, expected);

        memcpy(lines, expected, sizeof lines);
        match_unit_by_unit(expected, n);
        for (size_t i = 0; i < n; i++)
            by_line[expected[i].line] = expected[i].returned;
        for (int round = 0; round < 3; round++) {
            shuffle(&random, lines, n);
            aff_returns_match(lines, n);
            for (size_t i = 0; i < n; i++) {
                if (lines[i].returned != by_line[lines[i].line])
                    print_error("seed %d\n", (int)seed);
                assert_int_equal(lines[i].returned, by_line[lines[i].line]);
            }
        }
    }
}

/* Lines may be numbered in any way: what is left of each purchase, told by its content, is the same. */
static void numbers_of_lines_do_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct aff_random random = {seed};
        struct aff_return_line first[MOST], second[MOST];
        size_t n = random_lines(&random, first);

        memcpy(second, first, sizeof second);
        for (size_t i = 0; i < n; i++)
            second[i].line = (int32_t)(n - i);
        aff_returns_match(first, n);
        aff_returns_match(second, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(first[i].order_key, second[i].order_key);
            assert_int_equal(first[i].quantity, second[i].quantity);
            assert_int_equal(first[i].content, second[i].content);
            assert_int_equal(first[i].returned, second[i].returned);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching_equals_moving_single_units_in_any_sequence_of_input),
        cmocka_unit_test(numbers_of_lines_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
