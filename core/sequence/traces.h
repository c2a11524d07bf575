/* SPDX-License-Identifier: Apache-2.0 */
/* What a model keeps of single sessions and baskets, beside the counts: made when the model is loaded, then
 * read by many threads. Rows are those of the model's catalogue at that time; later ones have no traces. */
#pragma once

#include "core/sequence/sequences.h"
#include "core/sequence/successors.h"

/* Any part may be NULL: the source that needs it then says nothing. */
struct aff_traces {
    struct aff_sequences *sessions; /* newest sessions of viewed products */
    struct aff_successors *viewed;  /* what is viewed after a product */
    float revisits;                 /* share of views whose product was viewed before in the session */
    struct aff_successors *added;   /* what is put into a basket after a product */
    uint32_t n_recent;
    struct aff_neighbour *recent; /* products of the newest orders, most popular first; scores 1 to 0 */
    float *recent_of;             /* the same score of each row, 0 where there is none; `n_products` */
    uint32_t n_products;
};

void aff_traces_free(struct aff_traces *traces); /* NULL is a no-op */
size_t aff_traces_bytes(const struct aff_traces *traces);

/* Makes `recent` and `recent_of` of the weights of `n` rows; takes ownership of `weights` also when it fails.
 * Products without weight are not listed, and of the others the `keep` heaviest. */
AFF_MUST_CHECK aff_status aff_traces_set_recent(struct aff_traces *traces, float *weights, uint32_t n,
                                                uint32_t keep);

/* Makes `viewed` and `revisits` of `sessions`. */
AFF_MUST_CHECK aff_status aff_traces_learn_views(struct aff_traces *traces);

/* Makes `added` and `recent` of baskets, which are borrowed. Popularity counts each basket that holds a
 * product with 2^(-age in weeks), the age being that at `now_s`. */
AFF_MUST_CHECK aff_status aff_traces_learn_baskets(struct aff_traces *traces,
                                                   const struct aff_sequences *baskets, uint32_t now_s);
