/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/gap.h"

#include "core/base/clock.h"

#include <math.h>

#define MINUTE_US (60 * AFF_SECOND_US)
#define MINUTES_PER_DAY 1440.0
#define STEPS 10.0 /* buckets for each doubling */

uint8_t aff_gap_bucket(int64_t gap_us)
{
    if (gap_us < MINUTE_US)
        return 0;
    double bucket = floor(STEPS * log2((double)gap_us / (double)MINUTE_US)) + 1;
    return bucket >= AFF_GAP_BUCKETS - 1 ? AFF_GAP_BUCKETS - 1 : (uint8_t)bucket;
}

static size_t put_entry(unsigned char *at, uint8_t bucket, uint64_t count)
{
    size_t size = 0;

    at[size++] = bucket;
    for (; count >= 0x80; count >>= 7)
        at[size++] = (unsigned char)(0x80 | (count & 0x7F));
    at[size++] = (unsigned char)count;
    return size;
}

size_t aff_gap_write(const uint8_t *buckets, size_t n, unsigned char *ret_bytes)
{
    size_t size = 0;

    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && buckets[end] == buckets[i])
            end++;
        size += put_entry(ret_bytes + size, buckets[i], end - i);
        i = end;
    }
    return size;
}

aff_status aff_gap_read(const unsigned char *bytes, size_t size, uint64_t counts[AFF_GAP_BUCKETS])
{
    int previous = -1;

    for (size_t at = 0; at < size;) {
        int bucket = bytes[at++];
        uint64_t count = 0;
        int shift = 0;
        do {
            if (at == size || shift > 28)
                return AFF_DATA;
            count |= (uint64_t)(bytes[at] & 0x7F) << shift;
            shift += 7;
        } while ((bytes[at++] & 0x80) != 0);
        if (bucket <= previous || count == 0 || count > UINT32_MAX)
            return AFF_DATA;
        counts[bucket] += count;
        previous = bucket;
    }
    return AFF_OK;
}

aff_status aff_gap_apply(const unsigned char *bytes, size_t size, const struct aff_gap_change *changes,
                         size_t n, unsigned char *ret_bytes, size_t *ret_size)
{
    uint64_t counts[AFF_GAP_BUCKETS] = {0};
    size_t written = 0;
    aff_status status = aff_gap_read(bytes, size, counts);

    if (status != AFF_OK)
        return status;
    for (size_t i = 0; i < n; i++) {
        uint64_t *count = &counts[changes[i].bucket];
        if (changes[i].by < 0 && *count < (uint64_t) - (int64_t)changes[i].by)
            return AFF_DATA;
        *count += (uint64_t)(int64_t)changes[i].by;
        if (*count > UINT32_MAX)
            return AFF_DATA;
    }
    for (int bucket = 0; bucket < AFF_GAP_BUCKETS; bucket++)
        if (counts[bucket] > 0)
            written += put_entry(ret_bytes + written, (uint8_t)bucket, counts[bucket]);
    *ret_size = written;
    return AFF_OK;
}

/* Days at `share` (0 to 1) of the way through a bucket. */
static double days_at(int bucket, double share)
{
    if (bucket == 0)
        return share / MINUTES_PER_DAY;
    return exp2((bucket - 1 + share) / STEPS) / MINUTES_PER_DAY;
}

double aff_gap_median_days(const uint64_t counts[AFF_GAP_BUCKETS])
{
    uint64_t total = 0, before = 0;

    for (int bucket = 0; bucket < AFF_GAP_BUCKETS; bucket++)
        total += counts[bucket];
    for (int bucket = 0; bucket < AFF_GAP_BUCKETS && total > 0; bucket++) {
        double half = (double)total / 2 - (double)before;
        if ((double)counts[bucket] >= half)
            return days_at(bucket, half / (double)counts[bucket]);
        before += counts[bucket];
    }
    return 0;
}

double aff_gap_median_of(const uint8_t *buckets, size_t n)
{
    if (n == 0)
        return 0;
    double half = (double)n / 2;
    uint8_t bucket = buckets[(n - 1) / 2]; /* the first bucket that reaches half of the gaps */
    size_t first = (n - 1) / 2, end = (n - 1) / 2;
    while (first > 0 && buckets[first - 1] == bucket)
        first--;
    while (end < n && buckets[end] == bucket)
        end++;
    return days_at(bucket, (half - (double)first) / (double)(end - first));
}
