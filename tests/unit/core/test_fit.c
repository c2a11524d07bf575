/* SPDX-License-Identifier: Apache-2.0 */
#include "core/measure/fit.h"
#include "core/measure/train.h"
#include "measured_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct aff_train_settings learning = {
    .baskets = {.window_us = INT64_MAX / 4, .half_life_s = 120 * 86400, .cap = 512},
    .rows = {.method = AFF_METHOD_COSINE, .neighbours = 50, .others = 50, .lambda = 2},
    .session_holders = 500,
    .n_threads = 1,
};

static struct aff_fit_settings settings_of(enum aff_situation situation)
{
    const struct aff_blend blend = aff_blend_default();

    return (struct aff_fit_settings){.in_use = blend.of[situation],
                                     .configured = blend.of[situation],
                                     .personal_half_life_days = blend.personal_half_life_days};
}

struct learned {
    struct measured_store store;
    struct aff_train train;
    uint32_t n_orders, n_sessions;
};

/* Holds the last three tenths back. */
static void learn(struct learned *learned)
{
    const struct aff_sequences *sessions = learned->store.traces.sessions;
    struct aff_error error;

    learned->train = (struct aff_train){0};
    learned->n_orders = learned->store.orders.n * 7 / 10;
    learned->n_sessions = sessions == NULL ? 0 : sessions->n * 7 / 10;
    assert_int_equal(aff_train(&learned->store.whole, &learned->store.orders, learned->n_orders,
                               learned->n_sessions, &learning, &learned->train, &error),
                     AFF_OK);
}

static void forget(struct learned *learned)
{
    aff_train_done(&learned->train);
    measured_store_done(&learned->store);
}

static aff_status fit(const struct learned *learned, enum aff_situation situation,
                      const struct aff_fit_settings *settings, struct aff_fit *ret)
{
    struct aff_task task;

    assert_int_equal(aff_task_make(situation, &learned->store.whole, &learned->store.orders,
                                   learned->n_orders, learned->n_sessions, &task),
                     AFF_OK);
    aff_status status = aff_fit_weights(&task, learned->train.model, settings, ret);
    aff_task_done(&task);
    return status;
}

static bool same(const struct aff_weights *a, const struct aff_weights *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Customers who buy the same again and again are foreseen by what they bought, and by nothing else. */
static void a_planted_weight_is_found_and_adopted(void **state)
{
    (void)state;
    struct aff_random random = {.state = 1};
    struct learned learned;
    struct aff_fit_settings settings = settings_of(AFF_SITUATION_CART_KNOWN);
    struct aff_fit found;

    measured_store_make(&random, 300, 200, 2000, 7, &learned.store);
    learn(&learned);
    settings.in_use.personal = settings.configured.personal = 0;
    assert_int_equal(fit(&learned, AFF_SITUATION_CART_KNOWN, &settings, &found), AFF_OK);
    assert_true(found.better);
    assert_true(found.after.personal >= 0.35);
    assert_true(found.after_mean.hit > found.before_mean.hit + 0.1F);
    assert_true(found.n >= AFF_FIT_JUDGES && found.differing >= AFF_FIT_DIFFERING);
    /* With these weights in use nothing more is found. */
    settings.in_use = found.after;
    assert_int_equal(fit(&learned, AFF_SITUATION_CART_KNOWN, &settings, &found), AFF_OK);
    assert_false(found.better);
    forget(&learned);
}

static void weights_that_hurt_go_back_to_the_configured_ones(void **state)
{
    (void)state;
    struct aff_random random = {.state = 2};
    struct learned learned;
    struct aff_fit_settings settings = settings_of(AFF_SITUATION_NEXT_BASKET);
    struct aff_fit found;

    measured_store_make(&random, 300, 500, 4000, 7, &learned.store);
    learn(&learned);
    settings.in_use.traces[AFF_TRACE_RECENT] = 20;
    settings.in_use.popularity = 20;
    assert_int_equal(fit(&learned, AFF_SITUATION_NEXT_BASKET, &settings, &found), AFF_OK);
    assert_true(found.better);
    assert_true(found.after.popularity <= 0.6); /* the grid has no 20 */
    forget(&learned);
}

/* By its rule a run over all situations of noise adopts something with 5 %, so that a third of a run does in
 * fewer than one of 20 times. */
static void noise_is_hardly_ever_adopted(void **state)
{
    (void)state;
    enum { RUNS = 20, MOST = 1, EACH = 3 };
    int adopting = 0;

    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct aff_random random = {.state = seed};
        struct learned learned;
        bool adopted = false;
        measured_store_make(&random, 50, 300, 1500, 0, &learned.store);
        measured_store_add_sessions(&random, 500, &learned.store);
        learn(&learned);
        for (int s = (int)(seed % EACH); s < AFF_SITUATION_MAX; s += EACH) {
            const struct aff_fit_settings settings = settings_of((enum aff_situation)s);
            struct aff_fit found;
            assert_int_equal(fit(&learned, (enum aff_situation)s, &settings, &found), AFF_OK);
            adopted = adopted || found.better;
        }
        adopting += adopted;
        forget(&learned);
    }
    assert_true(adopting <= MOST);
}

static void few_questions_never_adopt(void **state)
{
    (void)state;
    struct aff_random random = {.state = 3};
    struct learned learned;
    struct aff_fit_settings settings = settings_of(AFF_SITUATION_CART_KNOWN);
    struct aff_fit found;

    measured_store_make(&random, 300, 200, 1200, 7, &learned.store); /* 360 orders to ask about */
    learn(&learned);
    settings.in_use.personal = settings.configured.personal = 0;
    assert_int_equal(fit(&learned, AFF_SITUATION_CART_KNOWN, &settings, &found), AFF_OK);
    assert_true(found.n < AFF_FIT_JUDGES && found.gain > AFF_FIT_Z * found.standard_error);
    assert_false(found.better);
    forget(&learned);
}

static void without_questions_the_weights_stay(void **state)
{
    (void)state;
    struct aff_random random = {.state = 4};
    struct learned learned;
    const struct aff_fit_settings settings = settings_of(AFF_SITUATION_VIEWS);
    struct aff_fit found;

    measured_store_make(&random, 30, 20, 100, 0, &learned.store);
    learn(&learned);
    assert_int_equal(fit(&learned, AFF_SITUATION_VIEWS, &settings, &found), AFF_OK);
    assert_true(found.n == 0 && !found.better && same(&found.after, &found.before));
    forget(&learned);
}

struct watching {
    uint64_t calls, most_done, total;
    uint64_t until; /* calls */
};

static bool watch(void *context, uint64_t done, uint64_t total)
{
    struct watching *watching = context;

    watching->most_done = done;
    watching->total = total;
    return ++watching->calls < watching->until;
}

static void a_watch_sees_all_tries_and_can_end_them(void **state)
{
    (void)state;
    struct aff_random random = {.state = 5};
    struct learned learned;
    struct watching watching = {.until = UINT64_MAX};
    struct aff_fit_settings settings = settings_of(AFF_SITUATION_CART);
    struct aff_fit found;

    measured_store_make(&random, 40, 30, 300, 3, &learned.store);
    learn(&learned);
    settings.watch = (struct aff_watch){watch, &watching};
    assert_int_equal(fit(&learned, AFF_SITUATION_CART, &settings, &found), AFF_OK);
    assert_true(watching.most_done == watching.calls - 1 && watching.calls <= watching.total);
    watching = (struct watching){.until = 3};
    assert_int_equal(fit(&learned, AFF_SITUATION_CART, &settings, &found), AFF_CANCELLED);
    assert_int_equal(watching.calls, 3);
    forget(&learned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_weight_is_found_and_adopted),
        cmocka_unit_test(weights_that_hurt_go_back_to_the_configured_ones),
        cmocka_unit_test(noise_is_hardly_ever_adopted),
        cmocka_unit_test(few_questions_never_adopt),
        cmocka_unit_test(without_questions_the_weights_stay),
        cmocka_unit_test(a_watch_sees_all_tries_and_can_end_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
