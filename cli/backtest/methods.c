/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/methods.h"

#include "cli/backtest/next_rows.h"
#include "core/measure/rows.h"
#include "core/sequence/alike.h"

#include <stdlib.h>

enum { OF_ORDERS, OF_SESSIONS, POPULAR_KEPT = 1000 };

const char *aff_backtest_method_name(enum aff_backtest_method method)
{
    static const char *const names[] = {
#define X(name, text, about) text,
        AFF_BACKTEST_METHOD_LIST(X)
#undef X
    };
    return names[method];
}

const char *aff_backtest_method_about(enum aff_backtest_method method)
{
    static const char *const abouts[] = {
#define X(name, text, about) about,
        AFF_BACKTEST_METHOD_LIST(X)
#undef X
    };
    return abouts[method];
}

static bool is_known(enum aff_backtest_task task)
{
    return task == AFF_BACKTEST_RANDOM || task == AFF_BACKTEST_LAST || task == AFF_BACKTEST_NEXT_BASKET;
}

static int source_of(enum aff_backtest_task task)
{
    return task == AFF_BACKTEST_VIEWS ? OF_SESSIONS : OF_ORDERS;
}

/* The model of which a method that looks at one thing alone takes its rows: of sessions for views. */
static const struct aff_train *train_of(const struct aff_contenders *contenders, enum aff_backtest_task task)
{
    const struct aff_learned *learned = contenders->learned;

    return source_of(task) == OF_SESSIONS ? &learned->views : &learned->train;
}

bool aff_contender_applies(const struct aff_contenders *contenders, enum aff_backtest_method method,
                           enum aff_backtest_task task)
{
    switch (method) {
    case AFF_BACKTEST_BLEND:
        return true;
    case AFF_BACKTEST_CONFIGURED:
        return contenders->configured->fitted &&
               contenders->learned->whole.fitted.given[aff_backtest_task(task)->situation];
    case AFF_BACKTEST_PERSONAL:
        return is_known(task);
    case AFF_BACKTEST_SESSIONS:
        return task != AFF_BACKTEST_NEXT_BASKET;
    default:
        return train_of(contenders, task)->model != NULL;
    }
}

bool aff_source_applies(int weight, enum aff_backtest_task task)
{
    if (weight == AFF_WEIGHT_PERSONAL || weight == AFF_WEIGHT_TRACE + AFF_TRACE_HISTORY)
        return is_known(task);
    if (weight == AFF_WEIGHT_AFFINITY || weight == AFF_WEIGHT_TRACE + AFF_TRACE_ADDED)
        return task != AFF_BACKTEST_NEXT_BASKET;
    return true;
}

const struct aff_weights *aff_contender_weights(const struct aff_contenders *contenders,
                                                enum aff_situation situation)
{
    const struct aff_fitted *fitted = &contenders->learned->whole.fitted;

    return contenders->configured->fitted && fitted->given[situation]
               ? &fitted->of[situation]
               : &contenders->configured->of[situation];
}

static void free_popular(struct aff_traces *popular)
{
    free(popular->recent);
    free(popular->recent_of);
    *popular = (struct aff_traces){0};
}

void aff_contenders_done(struct aff_contenders *contenders)
{
    for (int source = OF_ORDERS; source <= OF_SESSIONS; source++) {
        aff_neighbours_free(contenders->rows[source]);
        free_popular(&contenders->popular[source]);
    }
    aff_successors_free(contenders->alike);
    aff_neighbours_free(contenders->next);
    *contenders = (struct aff_contenders){0};
}

static struct aff_weights *set_all(struct aff_contender *contender, struct aff_weights weights)
{
    for (int s = 0; s < AFF_SITUATION_MAX; s++)
        contender->blend.of[s] = weights;
    return contender->blend.of;
}

/* ---- popularity ---- */

static aff_status make_popular(struct aff_contenders *contenders, enum aff_backtest_task task,
                               struct aff_contender *contender)
{
    const struct aff_catalogue *catalogue = contender->model.catalogue;
    struct aff_traces *popular = &contenders->popular[source_of(task)];
    const uint32_t n = aff_catalogue_size(catalogue);
    aff_status status = AFF_OK;

    if (popular->recent_of == NULL) {
        float *weights = malloc(((size_t)n + 1) * sizeof *weights);
        for (uint32_t row = 0; weights != NULL && row < n; row++)
            weights[row] = (float)aff_catalogue_product(catalogue, row)->orders;
        status = weights == NULL ? AFF_NOMEM : aff_traces_set_recent(popular, weights, n, POPULAR_KEPT);
    }
    contender->traces.recent = popular->recent;
    contender->traces.n_recent = popular->n_recent;
    contender->traces.recent_of = popular->recent_of;
    contender->traces.n_products = popular->n_products;
    return status;
}

/* ---- neighbour rows ---- */

static enum aff_method rows_method(enum aff_backtest_method method)
{
    switch (method) {
    case AFF_BACKTEST_CONFIDENCE:
        return AFF_METHOD_CONFIDENCE;
    case AFF_BACKTEST_LIFT:
        return AFF_METHOD_LIFT;
    case AFF_BACKTEST_LLR:
        return AFF_METHOD_LLR;
    case AFF_BACKTEST_JACCARD:
        return AFF_METHOD_JACCARD;
    case AFF_BACKTEST_COSINE:
        return AFF_METHOD_COSINE;
    default:
        return AFF_METHOD_RIDGE;
    }
}

static aff_status make_rows(struct aff_contenders *contenders, enum aff_method method,
                            enum aff_backtest_task task, struct aff_contender *contender)
{
    const struct aff_train *train = train_of(contenders, task);
    const int source = source_of(task);
    struct aff_rows_settings settings = contenders->learned->settings.rows;
    aff_status status = AFF_OK;

    if (settings.method == method) {
        contender->model.together = train->model->together;
        return AFF_OK;
    }
    if (contenders->rows[source] == NULL || contenders->rows_by[source] != method) {
        aff_neighbours_free(contenders->rows[source]);
        contenders->rows[source] = NULL;
        contenders->rows_by[source] = method;
        settings.method = method;
        status = aff_measured_rows(train->pairs, train->model->catalogue, &settings,
                                   contenders->learned->settings.n_threads, contenders->watch,
                                   &contenders->rows[source]);
    }
    contender->model.together = contenders->rows[source];
    return status;
}

/* ---- sequences ---- */

/* What comes in the baskets that hold a product, as if they were sessions. */
static aff_status make_alike(struct aff_contenders *contenders)
{
    const struct aff_learned *learned = contenders->learned;
    struct aff_alike_settings settings = aff_alike_default();
    struct aff_sequences_builder *builder = NULL;
    struct aff_sequences *baskets = NULL;
    aff_status status = aff_sequences_builder_new(&builder);

    settings.own = 0; /* a basket holds a product once */
    for (uint32_t o = 0; status == AFF_OK && o < learned->n_orders; o++)
        status = aff_sequences_builder_add(builder, aff_measured_order_rows(&learned->orders, o),
                                           aff_measured_order_size(&learned->orders, o),
                                           learned->orders.orders[o].at_s);
    if (status == AFF_OK)
        status = aff_sequences_builder_finish(builder, aff_catalogue_size(learned->whole.catalogue),
                                              learned->settings.session_holders, &baskets);
    if (status == AFF_OK)
        status = aff_alike_build(baskets, &settings, &contenders->alike);
    aff_sequences_builder_free(builder);
    aff_sequences_free(baskets);
    return status;
}

static aff_status make_sessions(struct aff_contenders *contenders, enum aff_backtest_task task,
                                struct aff_contender *contender)
{
    aff_status status = AFF_OK;

    if (task == AFF_BACKTEST_VIEWS)
        return AFF_OK;
    if (contenders->alike == NULL)
        status = make_alike(contenders);
    contender->traces.alike = contenders->alike;
    contender->traces.revisits = 0;
    contender->as_views = true;
    return status;
}

static aff_status make_sequence(struct aff_contenders *contenders, enum aff_backtest_task task,
                                struct aff_contender *contender)
{
    struct aff_weights weights = {0};
    aff_status status = AFF_OK;

    if (task == AFF_BACKTEST_NEXT_BASKET) {
        if (contenders->next == NULL)
            status = aff_next_rows_learn(contenders->learned, contenders->watch, &contenders->next);
        contender->model.next = contenders->next;
        contender->withhold = false;
        weights.sequence = 1;
    } else if (task == AFF_BACKTEST_VIEWS) {
        weights.traces[AFF_TRACE_VIEWED] = 1;
    } else {
        weights.traces[AFF_TRACE_ADDED] = 1;
    }
    (void)set_all(contender, weights);
    return status;
}

/* ---- all ---- */

static void make_blend(const struct aff_contenders *contenders, bool configured,
                       struct aff_contender *contender)
{
    contender->blend = *contenders->configured;
    contender->blend.fitted = false;
    for (int s = 0; s < AFF_SITUATION_MAX && !configured; s++)
        contender->blend.of[s] = *aff_contender_weights(contenders, (enum aff_situation)s);
}

/* One source alone: nothing else names products, and nobody is known to it unless it looks at customers. */
static aff_status make_alone(struct aff_contenders *contenders, enum aff_backtest_method method,
                             enum aff_backtest_task task, struct aff_contender *contender)
{
    struct aff_weights weights = {0};

    contender->withhold = true;
    contender->strict = true;
    contender->model.together = contenders->learned->nothing;
    switch (method) {
    case AFF_BACKTEST_POPULARITY:
    case AFF_BACKTEST_RECENT:
        weights.traces[AFF_TRACE_RECENT] = 1;
        (void)set_all(contender, weights);
        return method == AFF_BACKTEST_POPULARITY ? make_popular(contenders, task, contender) : AFF_OK;
    case AFF_BACKTEST_SESSIONS:
        weights.traces[AFF_TRACE_ALIKE] = 1;
        (void)set_all(contender, weights);
        return make_sessions(contenders, task, contender);
    case AFF_BACKTEST_SEQUENCE:
        return make_sequence(contenders, task, contender);
    case AFF_BACKTEST_PERSONAL:
        weights.personal = 1;
        contender->withhold = false;
        (void)set_all(contender, weights);
        return AFF_OK;
    default:
        weights.affinity = 1;
        /* Without a cart the rows of the customer's purchases speak. */
        if (task == AFF_BACKTEST_NEXT_BASKET) {
            weights.traces[AFF_TRACE_HISTORY] = 1;
            contender->withhold = false;
        }
        (void)set_all(contender, weights);
        return make_rows(contenders, rows_method(method), task, contender);
    }
}

aff_status aff_contender_make(struct aff_contenders *contenders, enum aff_backtest_method method,
                              enum aff_backtest_task task, struct aff_contender *ret)
{
    const bool blend = method == AFF_BACKTEST_BLEND || method == AFF_BACKTEST_CONFIGURED;
    const bool counts = !blend && method != AFF_BACKTEST_SESSIONS && method != AFF_BACKTEST_SEQUENCE;
    const struct aff_train *train = counts ? train_of(contenders, task) : &contenders->learned->train;

    *ret = (struct aff_contender){.model = *train->model, .traces = *train->model->traces};
    ret->blend.personal_half_life_days = contenders->configured->personal_half_life_days;
    aff_status status = AFF_OK;
    if (blend)
        make_blend(contenders, method == AFF_BACKTEST_CONFIGURED, ret);
    else
        status = make_alone(contenders, method, task, ret);
    return status;
}
