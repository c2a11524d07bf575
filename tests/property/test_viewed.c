/* SPDX-License-Identifier: Apache-2.0 */
/* Random streams of sessions that come, go on, lose products and go, taken in random batches: what is added
 * up from the changes must equal a count of the sessions as they are in the end, and a row must be what a
 * look at every product gives. */
#include "core/base/random.h"
#include "core/learn/viewed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 40, PRODUCTS = 60, SESSIONS = 25, STEPS = 60, BATCH = 5, KEPT = 7 };

struct session {
    int32_t products[AFF_VIEWED_PRODUCTS];
    uint32_t n;
};

struct tables {
    int32_t products[PRODUCTS], pairs[PRODUCTS][PRODUCTS];
    int64_t sessions;
};

/* Ascending, without repetition; sometimes empty, sometimes as long as may be. */
static void random_session(struct aff_random *random, struct session *session)
{
    const uint32_t most = aff_random_below(random, 4) == 0 ? AFF_VIEWED_PRODUCTS : 6;
    const uint64_t wanted = aff_random_below(random, most + 1);

    session->n = 0;
    for (int32_t product = 0; product < PRODUCTS; product++)
        if (session->n < most && aff_random_below(random, PRODUCTS) < wanted)
            session->products[session->n++] = product;
}

static void count_all(const struct session *sessions, struct tables *ret)
{
    *ret = (struct tables){0};
    for (uint32_t s = 0; s < SESSIONS; s++) {
        ret->sessions += sessions[s].n > 0;
        for (uint32_t i = 0; i < sessions[s].n; i++) {
            ret->products[sessions[s].products[i]]++;
            for (uint32_t j = i + 1; j < sessions[s].n; j++)
                ret->pairs[sessions[s].products[i]][sessions[s].products[j]]++;
        }
    }
}

/* Adds a batch to the tables, and checks its form. */
static void apply(struct aff_viewed *viewed, struct tables *tables)
{
    aff_viewed_sum(viewed);
    for (size_t i = 0; i < viewed->n_products; i++) {
        assert_int_not_equal(viewed->products[i].sessions, 0);
        assert_true(i == 0 || viewed->products[i - 1].product < viewed->products[i].product);
        tables->products[viewed->products[i].product] += viewed->products[i].sessions;
    }
    for (size_t i = 0; i < viewed->n_pairs; i++) {
        const struct aff_viewed_pair *pair = &viewed->pairs[i], *before = i == 0 ? NULL : pair - 1;
        assert_int_not_equal(pair->sessions, 0);
        assert_true(pair->a < pair->b);
        assert_true(before == NULL || before->a < pair->a || (before->a == pair->a && before->b < pair->b));
        tables->pairs[pair->a][pair->b] += pair->sessions;
    }
    tables->sessions += viewed->sessions;
}

static void sums_of_changes_equal_a_count_of_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct aff_random random = {seed};
        struct session sessions[SESSIONS] = {0};
        struct tables tables = {0}, expected;
        for (int step = 0; step < STEPS; step++) {
            struct aff_viewed viewed = {0};
            /* The same session may change twice in a batch. */
            for (int i = 0; i < BATCH; i++) {
                struct session *session = &sessions[aff_random_below(&random, SESSIONS)], before = *session;
                random_session(&random, session);
                assert_int_equal(
                    aff_viewed_add(&viewed, before.products, before.n, session->products, session->n),
                    AFF_OK);
            }
            apply(&viewed, &tables);
            aff_viewed_done(&viewed);
            count_all(sessions, &expected);
            assert_memory_equal(&tables, &expected, sizeof tables);
        }
    }
}

static int32_t pair_of(const struct tables *tables, int32_t a, int32_t b)
{
    return a < b ? tables->pairs[a][b] : tables->pairs[b][a];
}

/* The best product that is not taken yet, by a look at all. -1: there is none. */
static int32_t best_of(const struct tables *tables, const struct aff_floors *floors, int32_t a,
                       const bool *taken, float *ret_score)
{
    int32_t best = -1;

    for (int32_t b = 0; b < PRODUCTS; b++) {
        const int32_t both = b == a ? 0 : pair_of(tables, a, b);
        if (both == 0 || taken[b] ||
            !aff_floors_pass(floors, (uint64_t)both, (uint64_t)tables->products[a],
                             (uint64_t)tables->products[b], (uint64_t)tables->sessions))
            continue;
        const float score = (float)(both / sqrt((double)tables->products[a] * (double)tables->products[b]));
        if (best < 0 || score > *ret_score) {
            best = b;
            *ret_score = score;
        }
    }
    return best;
}

static void rows_are_the_best_by_cosine_above_the_floors(void **state)
{
    const struct aff_viewed_settings settings[] = {
        {.neighbours = KEPT, .floors = {.min_orders = 1}},
        {.neighbours = PRODUCTS, .floors = {.min_orders = 2, .min_lift = 1.1}}};

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct aff_random random = {seed};
        struct session sessions[SESSIONS];
        struct tables tables;
        for (int s = 0; s < SESSIONS; s++)
            random_session(&random, &sessions[s]);
        count_all(sessions, &tables);
        for (int32_t a = 0; a < PRODUCTS; a++) {
            const struct aff_viewed_settings *used = &settings[seed % 2];
            struct aff_viewed_other others[PRODUCTS];
            float scores[PRODUCTS];
            bool taken[PRODUCTS] = {false};
            uint32_t n = 0, n_kept = 0;
            for (int32_t b = 0; b < PRODUCTS; b++)
                if (b != a && pair_of(&tables, a, b) > 0)
                    others[n++] = (struct aff_viewed_other){b, (uint32_t)pair_of(&tables, a, b),
                                                            (uint32_t)tables.products[b]};
            assert_int_equal(aff_viewed_row(used, (uint32_t)tables.products[a], (uint64_t)tables.sessions,
                                            others, n, scores, &n_kept),
                             AFF_OK);
            for (uint32_t i = 0; i < n_kept; i++) {
                float score = 0;
                const int32_t b = best_of(&tables, &used->floors, a, taken, &score);
                assert_int_equal(others[i].product, b);
                assert_true(scores[i] == score);
                assert_int_equal(others[i].sessions, pair_of(&tables, a, b));
                taken[b] = true;
            }
            float none;
            assert_true(n_kept == used->neighbours || best_of(&tables, &used->floors, a, taken, &none) < 0);
        }
    }
}

static void a_session_as_it_was_changes_nothing_and_one_too_long_is_refused(void **state)
{
    int32_t products[AFF_VIEWED_PRODUCTS + 1];
    struct aff_viewed viewed = {0};

    (void)state;
    for (int32_t i = 0; i <= AFF_VIEWED_PRODUCTS; i++)
        products[i] = i;
    assert_int_equal(aff_viewed_add(&viewed, products, 3, products, 3), AFF_OK);
    assert_int_equal(aff_viewed_add(&viewed, NULL, 0, NULL, 0), AFF_OK);
    assert_int_equal(viewed.n_products + viewed.n_pairs, 0);
    assert_int_equal(viewed.sessions, 0);
    assert_int_equal(aff_viewed_add(&viewed, NULL, 0, products, AFF_VIEWED_PRODUCTS + 1), AFF_LIMIT);
    assert_int_equal(aff_viewed_add(&viewed, products, AFF_VIEWED_PRODUCTS, NULL, 0), AFF_OK);
    aff_viewed_sum(&viewed);
    assert_int_equal(viewed.n_pairs, AFF_VIEWED_PRODUCTS * (AFF_VIEWED_PRODUCTS - 1) / 2);
    assert_int_equal(viewed.sessions, -1);
    aff_viewed_done(&viewed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_changes_equal_a_count_of_all),
        cmocka_unit_test(rows_are_the_best_by_cosine_above_the_floors),
        cmocka_unit_test(a_session_as_it_was_changes_nothing_and_one_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
