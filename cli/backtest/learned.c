/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/learned.h"

#include "sql/load/parts.h"
#include "sql/measure/orders.h"
#include "sql/sessions/fitted.h"
#include "sql/sessions/load_traces.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LEAST_ORDERS = 100 }; /* orders or sessions of which any figure can be told from chance */

static aff_status fail(aff_status status, struct aff_error *reterr)
{
    return aff_error_set(reterr, status, "%s", aff_status_text(status));
}

static aff_status read_store(struct aff_connection *connection, int store, struct aff_learned *learned,
                             struct aff_error *reterr)
{
    struct aff_model *whole = &learned->whole;
    struct aff_error ignored;
    aff_status status = aff_load_begin(connection, store, reterr);

    if (status == AFF_OK)
        status = aff_fitted_read(connection, store, &whole->fitted, &whole->fitted_version, reterr);
    if (status == AFF_OK)
        status = aff_load_products(connection, store, &whole->catalogue, reterr);
    if (status == AFF_OK)
        status = aff_load_sessions(connection, store, whole->catalogue, &whole->traces->sessions, reterr);
    if (status == AFF_OK)
        status = aff_measured_orders_read(connection, store, whole->catalogue, &learned->orders, reterr);
    (void)!aff_execute(connection, "ROLLBACK", &ignored); /* nothing was written */
    return status;
}

/* The number of the first one that is asked about. */
static uint32_t split_at(uint32_t n, double test_share)
{
    const uint32_t asked = (uint32_t)(n * test_share + 0.5);

    return n - (asked < n ? asked : n);
}

static aff_status split(struct aff_learned *learned, const struct aff_learn_wish *wish,
                        struct aff_error *reterr)
{
    const struct aff_sequences *sessions = learned->whole.traces->sessions;
    const uint32_t n_products = aff_catalogue_size(learned->whole.catalogue);
    const uint32_t n_sessions = sessions == NULL ? 0 : sessions->n;
    /* Products and sessions are held twice, the second time as they were before the last ones. */
    const uint64_t taken =
        2 * (aff_catalogue_bytes(learned->whole.catalogue) + aff_sequences_bytes(sessions));
    uint32_t first = learned->orders.n;

    if (learned->orders.n < LEAST_ORDERS && n_sessions < LEAST_ORDERS)
        return aff_error_set(reterr, AFF_DATA,
                             "the store has %" PRIu32 " orders that count and %" PRIu32
                             " sessions; a backtest needs at least %d orders or %d sessions",
                             learned->orders.n, n_sessions, LEAST_ORDERS, LEAST_ORDERS);
    if (taken < wish->limit_bytes)
        first = aff_train_first_order(&learned->orders, n_products, &learned->settings,
                                      wish->limit_bytes - taken);
    if (learned->orders.n > 0 && first == learned->orders.n)
        return aff_error_set(reterr, AFF_LIMIT,
                             "%" PRIu64 " MB are too little to learn from orders of %" PRIu32
                             " products; raise memory.limit_mb",
                             wish->limit_bytes >> 20, n_products);
    aff_measured_orders_drop(&learned->orders, first);
    learned->n_left_out = first;
    learned->n_orders = split_at(learned->orders.n, wish->test_share);
    learned->n_sessions = split_at(n_sessions, wish->test_share);
    return AFF_OK;
}

/* The earlier sessions as orders of nobody, each product once. */
static aff_status copy_sessions(const struct aff_learned *learned, struct aff_measured_orders *ret)
{
    const struct aff_sequences *sessions = learned->whole.traces->sessions;
    const uint32_t n_products = aff_catalogue_size(learned->whole.catalogue);
    uint32_t *last = calloc((size_t)n_products + 1, sizeof *last); /* 1 + the session */
    uint32_t n = 0;

    ret->orders = malloc(((size_t)learned->n_sessions + 1) * sizeof *ret->orders);
    ret->rows = malloc(((size_t)sessions->starts[learned->n_sessions] + 1) * sizeof *ret->rows);
    if (last == NULL || ret->orders == NULL || ret->rows == NULL) {
        free(last);
        return AFF_NOMEM;
    }
    for (uint32_t s = 0; s < learned->n_sessions; s++) {
        ret->orders[s] = (struct aff_measured_order){AFF_NO_CUSTOMER, sessions->at_s[s], n};
        for (uint32_t i = sessions->starts[s]; i < sessions->starts[s + 1]; i++) {
            if (last[sessions->rows[i]] != s + 1)
                ret->rows[n++] = sessions->rows[i];
            last[sessions->rows[i]] = s + 1;
        }
    }
    ret->n = learned->n_sessions;
    ret->orders[ret->n] = (struct aff_measured_order){.start = n};
    free(last);
    return AFF_OK;
}

static aff_status learn_views(struct aff_learned *learned, struct aff_error *reterr)
{
    struct aff_measured_orders sessions = {0};
    aff_status status = copy_sessions(learned, &sessions);

    if (status != AFF_OK)
        (void)fail(status, reterr);
    else
        status =
            aff_train(&learned->whole, &sessions, sessions.n, 0, &learned->settings, &learned->views, reterr);
    aff_measured_orders_done(&sessions);
    return status;
}

static aff_status list_prices(struct aff_learned *learned)
{
    const uint32_t n = aff_catalogue_size(learned->whole.catalogue);

    learned->prices = malloc(((size_t)n + 1) * sizeof *learned->prices);
    if (learned->prices == NULL)
        return AFF_NOMEM;
    for (uint32_t row = 0; row < n; row++) {
        const int64_t price = aff_catalogue_product(learned->whole.catalogue, row)->price;
        learned->prices[row] = price == AFF_NO_MONEY ? 0 : price;
    }
    return aff_neighbours_new(n, &learned->nothing);
}

aff_status aff_learn_given(const struct aff_train_settings *settings, const struct aff_learn_wish *wish,
                           struct aff_learned *ret, struct aff_error *reterr)
{
    ret->settings = *settings;
    ret->settings.session_holders = AFF_TRACES_HOLDERS;
    aff_status status = split(ret, wish, reterr);
    if (status == AFF_OK)
        status = aff_train(&ret->whole, &ret->orders, ret->n_orders, ret->n_sessions, &ret->settings,
                           &ret->train, reterr);
    if (status == AFF_OK && wish->views && ret->n_sessions > 0)
        status = learn_views(ret, reterr);
    if (status != AFF_OK)
        return status;
    status = list_prices(ret);
    return status == AFF_OK ? AFF_OK : fail(status, reterr);
}

aff_status aff_learn(struct aff_connection *connection, int store, const struct aff_train_settings *settings,
                     const struct aff_learn_wish *wish, struct aff_learned *ret, struct aff_error *reterr)
{
    ret->whole.traces = &ret->whole_traces;
    aff_status status = read_store(connection, store, ret, reterr);
    return status == AFF_OK ? aff_learn_given(settings, wish, ret, reterr) : status;
}

void aff_learned_done(struct aff_learned *learned)
{
    aff_train_done(&learned->train);
    aff_train_done(&learned->views);
    aff_measured_orders_done(&learned->orders);
    aff_sequences_free(learned->whole_traces.sessions);
    aff_catalogue_free(learned->whole.catalogue);
    aff_neighbours_free(learned->nothing);
    free(learned->prices);
    *learned = (struct aff_learned){0};
}

uint32_t aff_learned_offered(const struct aff_learned *learned, bool unpriced)
{
    const uint8_t *eligibility = aff_catalogue_eligibility(learned->whole.catalogue);
    const unsigned reasons = unpriced ? AFF_INELIGIBLE_UNAVAILABLE : UINT8_MAX;
    uint32_t n = 0;

    for (uint32_t row = 0; row < aff_catalogue_size(learned->whole.catalogue); row++)
        n += (eligibility[row] & reasons) == 0;
    return n;
}
