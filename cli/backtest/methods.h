/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of a backtest. Each is the served engine with other neighbour rows, other single sequences or
 * other weights: one row a method, name as typed and what it is. */
#pragma once

#include "cli/backtest/learned.h"

#define AFF_BACKTEST_METHOD_LIST(X)                                                                          \
    X(POPULARITY, "popularity", "the products of most orders (sessions), the same for everybody")            \
    X(RECENT, "recent", "the same, each order counting 2^(-age in weeks)")                                   \
    X(CONFIDENCE, "confidence", "neighbour rows by n_ab / n_a")                                              \
    X(LIFT, "lift", "neighbour rows by n_ab n / (n_a n_b)")                                                  \
    X(LLR, "llr", "neighbour rows by log-likelihood ratio")                                                  \
    X(JACCARD, "jaccard", "neighbour rows by n_ab / (n_a + n_b - n_ab)")                                     \
    X(COSINE, "cosine", "neighbour rows by recency-weighted cosine")                                         \
    X(RIDGE, "ridge", "neighbour rows by neighbourhood ridge")                                               \
    X(SESSIONS, "sessions", "what the newest baskets (sessions) of the products hold")                       \
    X(SEQUENCE, "sequence", "rules of what follows: in the basket, the session, the next order")             \
    X(PERSONAL, "personal", "recency and frequency of the customer's own purchases")                         \
    X(CONFIGURED, "configured", "the blend with the weights of the configuration")                           \
    X(BLEND, "blend", "what is served: all sources with the weights in use")

enum aff_backtest_method {
#define X(name, text, about) AFF_BACKTEST_##name,
    AFF_BACKTEST_METHOD_LIST(X)
#undef X
        AFF_BACKTEST_METHOD_MAX
};

const char *aff_backtest_method_name(enum aff_backtest_method method);
const char *aff_backtest_method_about(enum aff_backtest_method method);

/* What is asked: a model, weights, and how the question is put. Parts are borrowed from what it was made of,
 * until the next one is made. */
struct aff_contender {
    struct aff_model model;
    struct aff_traces traces;
    struct aff_blend blend;
    double diversity, rotation;
    uint64_t seed; /* of the rotation; each query has its own beside it */
    bool withhold; /* the customer is not told */
    bool as_views; /* the cart is asked with as if it was viewed, and excluded */
    bool strict;   /* popular products do not fill up */
};

/* Makes contenders; keeps what it has made for the last method. */
struct aff_contenders {
    const struct aff_learned *learned;
    const struct aff_blend *configured;
    const struct aff_watch *watch;
    struct aff_neighbours *rows[2]; /* of orders, of sessions */
    enum aff_method rows_by[2];
    struct aff_traces popular[2];
    struct aff_successors *alike; /* of baskets */
    struct aff_neighbours *next;
};

void aff_contenders_done(struct aff_contenders *contenders);

/* Whether the method says anything about the task. */
bool aff_contender_applies(const struct aff_contenders *contenders, enum aff_backtest_method method,
                           enum aff_backtest_task task);

/* Whether the source of a weight (core/recommend/weights.h) can say anything about the task's questions. */
bool aff_source_applies(int weight, enum aff_backtest_task task);

/* The weights in use for a situation. */
const struct aff_weights *aff_contender_weights(const struct aff_contenders *contenders,
                                                enum aff_situation situation);

/* `method` applies to `task`. AFF_NOMEM, AFF_CANCELLED. */
AFF_MUST_CHECK aff_status aff_contender_make(struct aff_contenders *contenders,
                                             enum aff_backtest_method method, enum aff_backtest_task task,
                                             struct aff_contender *ret);
