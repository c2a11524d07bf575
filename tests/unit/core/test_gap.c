/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/gap.h"

#include "core/base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_US (60 * AFF_SECOND_US)

static void buckets_double_every_ten(void **state)
{
    (void)state;
    assert_int_equal(aff_gap_bucket(-5), 0);
    assert_int_equal(aff_gap_bucket(MINUTE_US - 1), 0);
    assert_int_equal(aff_gap_bucket(MINUTE_US), 1);
    assert_int_equal(aff_gap_bucket(2 * MINUTE_US), 11);
    assert_int_equal(aff_gap_bucket(2 * MINUTE_US - 1), 10);
    assert_int_equal(aff_gap_bucket(1024 * MINUTE_US), 101);
    assert_int_equal(aff_gap_bucket(INT64_MAX), 255);
}

static void histogram_reads_back_as_written(void **state)
{
    (void)state;
    uint8_t buckets[400];
    unsigned char bytes[4 * AFF_GAP_ENTRY_BYTES];
    uint64_t counts[AFF_GAP_BUCKETS] = {0};

    memset(buckets, 7, sizeof buckets);
    memset(buckets + 1, 130, 127);
    memset(buckets + 128, 255, 272);
    size_t size = aff_gap_write(buckets, 400, bytes);
    assert_int_equal(size, 2 + 2 + 3); /* 127 fits one byte of varint, 272 takes two */
    assert_int_equal(aff_gap_read(bytes, size, counts), AFF_OK);
    assert_int_equal(counts[7], 1);
    assert_int_equal(counts[130], 127);
    assert_int_equal(counts[255], 272);
}

static void pair_seen_once_takes_two_bytes(void **state)
{
    (void)state;
    const uint8_t bucket = 42;
    unsigned char bytes[AFF_GAP_ENTRY_BYTES];

    assert_int_equal(aff_gap_write(&bucket, 1, bytes), 2);
    assert_int_equal(bytes[0], 42);
    assert_int_equal(bytes[1], 1);
}

static void broken_histograms_are_refused(void **state)
{
    (void)state;
    uint64_t counts[AFF_GAP_BUCKETS] = {0};
    const unsigned char cut[] = {5}, cut_inside[] = {5, 0x80}, falling[] = {5, 1, 4, 1},
                        twice[] = {5, 1, 5, 1};
    const unsigned char zero[] = {5, 0}, endless[] = {5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1};
    const unsigned char too_many[] = {5, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F};

    assert_int_equal(aff_gap_read(cut, sizeof cut, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(cut_inside, sizeof cut_inside, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(falling, sizeof falling, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(twice, sizeof twice, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(zero, sizeof zero, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(endless, sizeof endless, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(too_many, sizeof too_many, counts), AFF_DATA);
    assert_int_equal(aff_gap_read(NULL, 0, counts), AFF_OK);
}

static double median_of_days(const double *days, size_t n)
{
    uint8_t buckets[16];
    uint64_t counts[AFF_GAP_BUCKETS] = {0};

    for (size_t i = 0; i < n; i++) {
        buckets[i] = aff_gap_bucket((int64_t)(days[i] * (double)AFF_DAY_US));
        counts[buckets[i]]++;
    }
    double median = aff_gap_median_of(buckets, n);
    assert_true(fabs(median - aff_gap_median_days(counts)) < 1e-12);
    return median;
}

static void median_is_right_within_a_bucket(void **state)
{
    (void)state;
    const double week[] = {7}, three[] = {1, 14, 90}, even[] = {2, 2, 30, 30}, year[] = {364, 365, 366};

    assert_true(fabs(median_of_days(week, 1) / 7 - 1) < 0.04);
    assert_true(fabs(median_of_days(three, 3) / 14 - 1) < 0.04);
    assert_true(fabs(median_of_days(even, 4) / 2 - 1) < 0.08); /* the lower of the two middle ones */
    assert_true(fabs(median_of_days(year, 3) / 365 - 1) < 0.04);
    assert_true(aff_gap_median_of(NULL, 0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_double_every_ten),        cmocka_unit_test(histogram_reads_back_as_written),
        cmocka_unit_test(pair_seen_once_takes_two_bytes),  cmocka_unit_test(broken_histograms_are_refused),
        cmocka_unit_test(median_is_right_within_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
