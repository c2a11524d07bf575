/* SPDX-License-Identifier: Apache-2.0 */
/* What a model keeps of single sessions and baskets, beside the counts: made when the model is loaded, then
 * read by many threads. Rows are those of the model's catalogue at that time; later ones have no traces. */
#pragma once

#include "core/sequence/sequences.h"
#include "core/sequence/successors.h"

/* Where a smaller share of views returns to a product, the one that is viewed is not offered again itself. */
#define AFF_TRACES_FEW_REVISITS 0.05F

/* Any part may be NULL: the source that needs it then says nothing. */
struct aff_traces {
    struct aff_sequences *sessions; /* themselves: for measuring; in a model that is served there are none */
    uint32_t n_sessions;            /* that these three are made of */
    struct aff_successors *alike;   /* what comes in the newest sessions of a product */
    struct aff_successors *viewed;  /* what is viewed after a product */
    float revisits;                 /* share of views whose product was viewed before in the session */
    struct aff_successors *added;   /* what is put into a basket after a product */
    uint32_t n_recent;
    struct aff_neighbour *recent; /* products of the newest orders, most popular first; scores 1 to 0 */
    float *recent_of;             /* the same score of each row, 0 where there is none; `n_products` */
    uint32_t n_products;
    bool recent_borrowed;       /* `recent` and `recent_of` are in memory that is not their own */
    uint32_t sessions_left_out; /* newest ones for which there was no memory */
    bool baskets_left_out;      /* there was no memory for what they say */
};

/* How much of the newest sessions and baskets a model keeps; 0 keeps nothing and switches off the sources
 * that need it. */
struct aff_traces_bounds {
    uint32_t sessions; /* newest ones; 0: neither alike nor viewed */
    uint32_t holders;  /* newest sessions of each product that alike looks at; 0: no alike */
    uint32_t lines;    /* of the newest orders, about; 0: neither added nor recent */
};

void aff_traces_free(struct aff_traces *traces); /* NULL is a no-op */
size_t aff_traces_bytes(const struct aff_traces *traces);

/* Bytes by source, for documents and metrics. `rest` is what belongs to none. */
struct aff_traces_sizes {
    size_t alike, viewed, added, recent, rest; /* rest: with the sessions themselves */
};
struct aff_traces_sizes aff_traces_sizes(const struct aff_traces *traces); /* NULL: all 0 */

/* Makes `recent` and `recent_of` of the weights of `n` rows; takes ownership of `weights` also when it fails.
 * Products without weight are not listed, and of the others the `keep` heaviest. */
AFF_MUST_CHECK aff_status aff_traces_set_recent(struct aff_traces *traces, float *weights, uint32_t n,
                                                uint32_t keep);

/* Makes `alike`, `viewed` and `revisits` of sessions, which are borrowed; no `alike` if they list no holders.
 */
AFF_MUST_CHECK aff_status aff_traces_learn_views(struct aff_traces *traces,
                                                 const struct aff_sequences *sessions);

/* The same within `bytes` more: of as many of the newest sessions as fit, listing the newest `holders` of
 * each product. Frees the sessions, also when it fails. */
AFF_MUST_CHECK aff_status aff_traces_learn_views_within(struct aff_traces *traces,
                                                        struct aff_sequences *sessions, uint32_t holders,
                                                        uint64_t bytes);

/* Takes away what sessions say. */
void aff_traces_drop_views(struct aff_traces *traces);

/* Takes away what baskets say. */
void aff_traces_drop_baskets(struct aff_traces *traces);

/* Takes away what the bounds switch off, of traces that were made with others. */
void aff_traces_restrict(struct aff_traces *traces, const struct aff_traces_bounds *bounds);

/* Makes `added` and `recent` of baskets, which are borrowed. Popularity counts each basket that holds a
 * product with 2^(-age in weeks), the age being that at `now_s`. */
AFF_MUST_CHECK aff_status aff_traces_learn_baskets(struct aff_traces *traces,
                                                   const struct aff_sequences *baskets, uint32_t now_s);
