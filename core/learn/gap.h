/* SPDX-License-Identifier: Apache-2.0 */
/* How much time lies between two orders, as a small histogram whose counts can be added and taken back.
 *
 * Bucket 0 holds gaps under a minute, bucket k those of [2^((k-1)/10), 2^(k/10)) minutes: each is 7 % wide,
 * and bucket 255 (from 84 years on) takes the rest. Stored as a run of (bucket byte, count as LEB128 varint)
 * for the buckets that are not empty, ascending: two bytes for a pair that was seen once. */
#pragma once

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

enum { AFF_GAP_BUCKETS = 256, AFF_GAP_ENTRY_BYTES = 6 };

/* The bucket of a gap; negative gaps count as 0. */
uint8_t aff_gap_bucket(int64_t gap_us);

/* Writes the histogram of `n` buckets given in ascending order, repeated as often as they occur. `ret_bytes`
 * has room for AFF_GAP_ENTRY_BYTES a distinct bucket. Returns the bytes written. */
size_t aff_gap_write(const uint8_t *buckets, size_t n, unsigned char *ret_bytes);

/* Adds a stored histogram to counts by bucket. AFF_DATA if the bytes are cut off, not ascending, or a count
 * is 0 or above 2^32 - 1; the counts may then be changed in part. */
AFF_MUST_CHECK aff_status aff_gap_read(const unsigned char *bytes, size_t size,
                                       uint64_t counts[AFF_GAP_BUCKETS]);

/* The median in days, interpolated inside its bucket on the logarithmic scale; 0 for an empty histogram. */
double aff_gap_median_days(const uint64_t counts[AFF_GAP_BUCKETS]);

/* The same for `n` buckets in ascending order. */
double aff_gap_median_of(const uint8_t *buckets, size_t n);

/* How the count of one bucket changes. */
struct aff_gap_change {
    uint8_t bucket;
    int32_t by; /* not 0 */
};

/* A stored histogram after `n` changes, ascending by bucket. `ret_bytes` has room for AFF_GAP_BUCKETS *
 * AFF_GAP_ENTRY_BYTES; *ret_size is what is used of it, 0 when nothing is left. AFF_DATA: the stored bytes
 * are broken, or a count would fall below 0 or rise above 2^32 - 1. */
AFF_MUST_CHECK aff_status aff_gap_apply(const unsigned char *bytes, size_t size,
                                        const struct aff_gap_change *changes, size_t n,
                                        unsigned char *ret_bytes, size_t *ret_size);
