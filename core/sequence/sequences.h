/* SPDX-License-Identifier: Apache-2.0 */
/* Products in the order in which somebody met them: the sessions in which products were viewed, or the
 * baskets into which they were put. Held for the sources that need whole sequences instead of counts.
 *
 * A builder takes sequences in any order; finishing it gives an immutable object that many threads read.
 * Memory: 8 bytes a sequence, 4 for each of its products, 4 for each posting. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AFF_SEQUENCE_LENGTH_MAX = 200 }; /* of a longer one the newest products are kept */

/* Sequences are numbered by time, the oldest is 0. */
struct aff_sequences {
    uint32_t n, n_products;
    uint32_t *starts; /* n + 1: sequence s is rows[starts[s]] .. rows[starts[s + 1] - 1], oldest first */
    uint32_t *rows;   /* of the catalogue; a product may come twice */
    uint32_t *at_s;   /* of each sequence, seconds since 1970; ascends */
    uint32_t *product_starts; /* n_products + 1: into `holders` */
    uint32_t *holders; /* for each product the newest sequences that hold it, newest first, each once */
    bool borrowed;     /* the arrays are in memory that is not its own */
};

struct aff_sequences_builder;

AFF_MUST_CHECK aff_status aff_sequences_builder_new(struct aff_sequences_builder **ret_builder);
void aff_sequences_builder_free(struct aff_sequences_builder *builder); /* NULL is a no-op */

/* Adds a copy of a sequence of n rows, oldest first. An empty one is left out. AFF_LIMIT: more than 2^32 - 2
 * products in all. */
AFF_MUST_CHECK aff_status aff_sequences_builder_add(struct aff_sequences_builder *builder,
                                                    const uint32_t *rows, uint32_t n, uint32_t at_s);

/* Makes the sequences; the builder can then only be freed. Equal times are ordered as they were added.
 * `n_products` is above each row; of each product the `holders` newest sequences are listed. */
AFF_MUST_CHECK aff_status aff_sequences_builder_finish(struct aff_sequences_builder *builder,
                                                       uint32_t n_products, uint32_t holders,
                                                       struct aff_sequences **ret_sequences);
/* A copy of the `n` newest sequences (all if there are fewer) with lists of the newest `holders`. */
AFF_MUST_CHECK aff_status aff_sequences_newest(const struct aff_sequences *sequences, uint32_t n,
                                               uint32_t holders, struct aff_sequences **ret_sequences);
void aff_sequences_free(struct aff_sequences *sequences); /* NULL is a no-op */

size_t aff_sequences_bytes(const struct aff_sequences *sequences);
