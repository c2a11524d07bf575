/* SPDX-License-Identifier: Apache-2.0 */
/* Which products somebody (a session, a customer) has dealt with last: the newest few of each, of a bounded
 * number of people. Any thread may write and read; people are spread over locks, each held for the time of
 * one small copy.
 *
 * What is noted has a time, and for each product the newest note holds. So notes can come in any order and
 * more than once: read back after a restart, from another instance, or twice. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aff_recent;

#define AFF_RECENT_MAX 200 /* products of one person, at most */

/* At most `people`, of whom the one that was noted longest ago makes room for a new one, with at most
 * `products` each, of which the oldest makes room. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_recent_new(size_t people, size_t products, struct aff_recent **ret_recent);
void aff_recent_free(struct aff_recent *recent); /* NULL is a no-op */

/* Notes a product, or with `gone` that it was taken away again. Without memory nothing is noted. */
void aff_recent_note(struct aff_recent *recent, uint64_t person, int32_t product, int64_t at_us, bool gone);

/* Takes away all that was noted up to `at_us`. */
void aff_recent_clear(struct aff_recent *recent, uint64_t person, int64_t at_us);

/* Writes the products that were noted from `since_us` on and are not gone, newest last; the newest `most` of
 * them. Returns their number. */
size_t aff_recent_read(struct aff_recent *recent, uint64_t person, int64_t since_us, int32_t *ret_products,
                       size_t most);

/* The number of people. */
size_t aff_recent_size(struct aff_recent *recent);

/* One number for the person of a store: hashes of both names. */
static inline uint64_t aff_recent_person(uint64_t store, uint64_t name)
{
    uint64_t mixed = (name ^ (store << 32 | store >> 32)) * UINT64_C(0x9E3779B97F4A7C15);

    return mixed ^ mixed >> 29;
}
