/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions like this one, and what came in them: nearest neighbours of a sequence, in the family of V-SKNN
 * (Ludewig, Jannach, UMUAI 28, 2018), STAN (Garg et al., SIGIR 2019), VSTAN (Ludewig et al., UMUAI 31, 2021) and
 * VMIS-kNN (Kersbergen et al., SIGMOD 2022), whose index of the newest sequences of each product is used.
 *
 *   likeness of sequence s = sum over the distinct newest `looked` products of the query that s holds of
 *                            exp(-age / near), age being the number of products after its last occurrence,
 *                            times length(s)^-length_power, times exp(-days between query and s / days)
 *   score of product x     = sum over the `neighbours` most alike sequences and the places of x in them of
 *                            likeness * (exp(-|place - place of the newest common product| / around)
 *                            + even) * (1 - 0.1 * (age of that common product), at least 0), x other than at
 *                            the common product's own place
 *
 * Sums are in single precision, sequences taken from the most alike one on (ties: the newer one first), so
 * that the same question has the same answer. */
#pragma once

#include "core/index/neighbours.h"
#include "core/sequence/sequences.h"

struct aff_alike_settings {
    uint32_t looked;      /* distinct products of the query, newest first; at most AFF_ALIKE_LOOKED_MAX */
    uint32_t holders;     /* newest sequences of each of them */
    uint32_t neighbours;  /* at most AFF_ALIKE_NEIGHBOURS_MAX */
    double near;          /* in products of the query */
    double days;          /* 0: the age of a sequence does not count */
    double length_power;  /* 0.5 is the cosine */
    double around, even, own, before, least;
};

enum { AFF_ALIKE_LOOKED_MAX = 16, AFF_ALIKE_NEIGHBOURS_MAX = 1024, AFF_ALIKE_STEPS = 10 };

struct aff_alike_settings aff_alike_default(void);

/* Scratch memory of one thread; 8 bytes a product and a map of the sequences that are looked at. */
struct aff_alike_space;

AFF_MUST_CHECK aff_status aff_alike_space_new(struct aff_alike_space **ret_space);
void aff_alike_space_free(struct aff_alike_space *space); /* NULL is a no-op */

/* Scores what may follow the `n` products of `query` (catalogue rows, newest last; rows that no sequence holds
 * are allowed) at `now_s`. *ret_found has *ret_n entries in the order of first touch, valid until the space is
 * used again. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_alike_score(const struct aff_sequences *sequences,
                                          const struct aff_alike_settings *settings,
                                          struct aff_alike_space *space, const uint32_t *query, uint32_t n,
                                          int64_t now_s, const struct aff_neighbour **ret_found,
                                          uint32_t *ret_n);
