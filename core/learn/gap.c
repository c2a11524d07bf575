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

size_t aff_gap_write(const uint8_t *buckets, size_t n, unsigned char *ret_bytes)
{
    size_t size = 0;

    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && buckets[end] == buckets[i])
            end++;
        ret_bytes[size++] = buckets[i];
        size_t count = end - i;
        for (; count >= 0x80; count >>= 7)
            ret_bytes[size++] = (unsigned char)(0x80 | (count & 0x7F));
        ret_bytes[size++] = (unsigned char)count;
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
