/* SPDX-License-Identifier: Apache-2.0 */
/* What was shown to somebody (a session, a customer) and not clicked. Any thread may write and read.
 *
 * A note says that a product was shown, or clicked, in a second. A person's notes are a set of these: noted
 * twice, in another order, or read back from the database they are the same set. Of more than
 * AFF_SHOWN_MAX the oldest make room. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aff_shown;

#define AFF_SHOWN_MAX 100 /* notes of one person */

struct aff_shown_note {
    int32_t product;
    uint32_t at_s;
    bool clicked; /* what was shown up to then does not count */
};

/* At most `people`, of whom the one that was noted longest ago makes room for a new one. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_shown_new(size_t people, struct aff_shown **ret_shown);
void aff_shown_free(struct aff_shown *shown); /* NULL is a no-op */

/* Notes that a product was shown, or clicked. A click of a person of whom nothing is known is not noted.
 * Without memory nothing is noted. */
void aff_shown_note(struct aff_shown *shown, uint64_t person, int32_t product, int64_t at_us, bool clicked);

/* Copies a person's notes, by product and time, a click behind what was shown in its second. Returns their
 * number. */
size_t aff_shown_read(struct aff_shown *shown, uint64_t person,
                      struct aff_shown_note ret_notes[AFF_SHOWN_MAX]);

/* How often a product was shown to a person since it was clicked last, each time counting
 * 2^(-age / half-life). */
struct aff_impressed {
    int32_t product;
    float times; /* above 0 */
};

/* Counts what one person's notes say who goes by two names, as a customer and as a session: what both have
 * counts once. Writes the products by key, at most n_a + n_b of them, and returns their number. */
size_t aff_shown_count(const struct aff_shown_note *a, size_t n_a, const struct aff_shown_note *b, size_t n_b,
                       int64_t now_us, double half_life_s, struct aff_impressed *ret_impressed);

/* The number of people. */
size_t aff_shown_size(struct aff_shown *shown);
