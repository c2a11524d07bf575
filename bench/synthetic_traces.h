/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and baskets of a synthetic store for the benchmarks of the sources that need them. Each is of one
 * theme; themes and products within them are drawn by the square of an even number, so that a few of both
 * have most sessions, as in shops, and the lists of sessions of what is asked about are full. */
#pragma once

#include "synthetic.h"

enum { SYNTHETIC_NOW_S = 1732000000, SYNTHETIC_SESSION_MOST = 8 };

struct synthetic_sessions {
    uint32_t sessions, holders; /* in memory, and listed of each product */
    uint32_t baskets;
};

/* A number below n, lower ones more often. */
static inline uint32_t synthetic_skewed(struct aff_random *random, uint32_t n)
{
    const double u = aff_random_unit(random);

    return (uint32_t)(u * u * n) % n;
}

/* Fills `rows` with products of one theme that follow each other; returns how many. */
static inline uint32_t synthetic_sequence(const struct synthetic *store, struct aff_random *random,
                                          uint32_t least, uint32_t rows[SYNTHETIC_SESSION_MOST])
{
    const uint32_t theme = synthetic_skewed(random, store->n_products / SYNTHETIC_THEME) * SYNTHETIC_THEME;
    const uint32_t n = least + (uint32_t)aff_random_below(random, SYNTHETIC_SESSION_MOST - least + 1);

    for (uint32_t i = 0; i < n; i++)
        rows[i] = store->scattered[theme + synthetic_skewed(random, SYNTHETIC_THEME)];
    return n;
}

static inline struct aff_sequences *
synthetic_sequences(const struct synthetic *store, struct aff_random *random, uint32_t n, uint32_t holders)
{
    struct aff_sequences_builder *builder;
    struct aff_sequences *sequences;
    uint32_t rows[SYNTHETIC_SESSION_MOST];

    synthetic_check(aff_sequences_builder_new(&builder), "sequences");
    for (uint32_t s = 0; s < n; s++) {
        const uint32_t n_rows = synthetic_sequence(store, random, 2, rows);
        const uint32_t age_s = (uint32_t)aff_random_below(random, 30 * 86400);
        synthetic_check(aff_sequences_builder_add(builder, rows, n_rows, SYNTHETIC_NOW_S - age_s), "session");
    }
    synthetic_check(aff_sequences_builder_finish(builder, store->n_products, holders, &sequences),
                    "sequences");
    aff_sequences_builder_free(builder);
    return sequences;
}

/* Gives the store's model what its sessions and baskets say. */
static inline void synthetic_traces(struct synthetic *store, const struct synthetic_sessions *wanted)
{
    struct aff_random random = {.state = store->seed + 1};
    struct aff_traces *traces = synthetic_memory(1, sizeof *traces);
    struct aff_sequences *baskets = synthetic_sequences(store, &random, wanted->baskets, 1);

    synthetic_check(aff_traces_learn_baskets(traces, baskets, SYNTHETIC_NOW_S), "baskets");
    aff_sequences_free(baskets);
    struct aff_sequences *sessions = synthetic_sequences(store, &random, wanted->sessions, wanted->holders);
    synthetic_check(aff_traces_learn_views(traces, sessions), "sessions");
    aff_sequences_free(sessions);
    store->model->traces = traces;
}

/* Carts of `size` products as sessions and baskets hold them. */
static inline struct synthetic_carts synthetic_views(const struct synthetic *store, uint32_t n, uint32_t size,
                                                     struct aff_random *random)
{
    struct synthetic_carts carts = {.n = n, .size = size};

    carts.ids = synthetic_memory((size_t)n * size, sizeof *carts.ids);
    carts.lines = synthetic_memory((size_t)n * size, sizeof *carts.lines);
    for (size_t i = 0; i < n; i++) {
        uint32_t rows[SYNTHETIC_SESSION_MOST];
        (void)synthetic_sequence(store, random, SYNTHETIC_SESSION_MOST, rows);
        for (uint32_t j = 0; j < size; j++) {
            const size_t line = i * size + j;
            synthetic_id(rows[j % SYNTHETIC_SESSION_MOST], carts.ids[line]);
            carts.lines[line] = (struct aff_cart_line){
                .product = aff_text_of(carts.ids[line]), .quantity = 1, .price = AFF_NO_MONEY};
        }
    }
    return carts;
}
