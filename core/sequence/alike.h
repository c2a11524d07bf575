/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions like this one, and what came in them: nearest neighbours of a sequence, in the family of V-SKNN
 * (Ludewig, Jannach, UMUAI 28, 2018), STAN (Garg et al., SIGIR 2019), VSTAN (Ludewig et al., UMUAI 31, 2021)
 * and VMIS-kNN (Kersbergen et al., SIGMOD 2022), whose index of the newest sequences of each product is used.
 *
 * The likeness of sequence s is the sum over the distinct newest `looked` products of the query that s holds
 * of max(exp(-age / near), least), age being the number of products after its last occurrence, times
 * length(s)^-length_power, times exp(-age of s in days / days).
 *
 * The score of product x is the sum over the `neighbours` most alike sequences of likeness * (1 - a / 10)
 * times what the places of x in them count; a is the age of the newest common product, of 10 and more nothing
 * is added. The place where that product stands last counts `own`, one after it exp(-distance / around) +
 * even, one before it `before` * exp(-distance / around) + even.
 *
 * Among equally alike sequences the newer ones are taken. Sums are in single precision, in the order in
 * which the sequences are met: of the newest product of the query first, and of each the newest sequence
 * first, so that the same question has the same answer. */
#pragma once

#include "core/index/neighbours.h"
#include "core/sequence/sequences.h"

struct aff_alike_settings {
    uint32_t looked;     /* distinct products of the query, newest first; at most AFF_ALIKE_LOOKED_MAX */
    uint32_t holders;    /* newest sequences of each of them */
    uint32_t neighbours; /* sequences that count */
    double near, least;  /* in products of the query; least share of an old one */
    double days;         /* 0: the age of a sequence does not count */
    double length_power; /* 0.5 is the cosine */
    double around;       /* in places */
    double even, own, before;
};

enum { AFF_ALIKE_LOOKED_MAX = 16, AFF_ALIKE_STEPS = 10 };

/* Chosen on the last tenth of the training part of RSC15 (docs/ranking.md). */
struct aff_alike_settings aff_alike_default(void);

/* Scratch memory of one thread: at most 40 bytes for each sequence that is looked at and 24 for each of their
 * places that count, whatever the number of products. */
struct aff_alike_space;

AFF_MUST_CHECK aff_status aff_alike_space_new(struct aff_alike_space **ret_space);
void aff_alike_space_free(struct aff_alike_space *space); /* NULL is a no-op */

/* Scores what may follow the `n` products of `query` (catalogue rows, newest last; rows that no sequence
 * holds are allowed) at `now_s`. *ret_found has *ret_n entries in the order of first touch, valid until the
 * space is used again. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_alike_score(const struct aff_sequences *sequences,
                                          const struct aff_alike_settings *settings,
                                          struct aff_alike_space *space, const uint32_t *query, uint32_t n,
                                          int64_t now_s, const struct aff_neighbour **ret_found,
                                          uint32_t *ret_n);
