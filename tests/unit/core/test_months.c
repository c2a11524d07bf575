/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/months.h"

#include "core/base/clock.h"
#include "core/learn/live_months.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
    int64_t at_us = 0;

    assert_int_equal(aff_time_parse(aff_text_of(text), &at_us), AFF_OK);
    return at_us;
}

static void months_count_from_january_1970(void **state)
{
    (void)state;
    assert_int_equal(aff_month_of(0), 0);
    assert_int_equal(aff_month_of(-1), -1);
    assert_int_equal(aff_month_of(at("1970-01-31T23:59:59Z")), 0);
    assert_int_equal(aff_month_of(at("1970-02-01T00:00:00Z")), 1);
    assert_int_equal(aff_month_of(at("1969-12-31T23:59:59Z")), -1);
    assert_int_equal(aff_month_of(at("1900-01-01T00:00:00Z")), -70 * 12);
    assert_int_equal(aff_month_of(at("2024-02-29T23:59:59Z")), 54 * 12 + 1);
    assert_int_equal(aff_month_of(at("2024-03-01T00:00:00Z")), 54 * 12 + 2);
    assert_int_equal(aff_month_of(INT64_MAX), INT16_MAX);
    assert_int_equal(aff_month_of(INT64_MIN), INT16_MIN);
}

static void every_day_of_four_centuries_is_in_the_month_of_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -30000; day < 130000; day++) {
        time_t seconds = (time_t)(day * 86400 + 3600);
        struct tm parts;
        assert_non_null(gmtime_r(&seconds, &parts));
        assert_int_equal(aff_month_of(day * AFF_DAY_US), (parts.tm_year - 70) * 12 + parts.tm_mon);
        assert_int_equal(aff_month_of((day + 1) * AFF_DAY_US - 1), (parts.tm_year - 70) * 12 + parts.tm_mon);
    }
}

static void assert_row(struct aff_month_row row, uint32_t n, const int16_t *months, const int32_t *orders)
{
    assert_int_equal(row.n, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(row.months[i], months[i]);
        assert_int_equal(row.orders[i], orders[i]);
    }
}

static void baskets_are_counted_by_product_and_month(void **state)
{
    static const struct {
        int64_t order_key;
        const char *at;
        int32_t product;
    } lines[] = {
        {1, "2025-01-05", 7}, {1, "2025-01-05", 7}, {1, "2025-01-05", 9}, {2, "2025-01-31", 7},
        {3, "2025-03-01", 7}, {4, "2025-03-02", 9}, {5, "2025-03-03", 9},
    };
    const struct aff_baskets_settings settings = {
        .window_us = 1000 * AFF_DAY_US, .half_life_s = 86400, .cap = 10};
    struct aff_baskets_builder *builder = NULL;
    struct aff_baskets *baskets = NULL;
    struct aff_months *months = NULL;

    (void)state;
    assert_int_equal(aff_baskets_builder_new(&builder), AFF_OK);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct aff_line line = {.order_key = lines[i].order_key,
                                .customer = AFF_NO_CUSTOMER,
                                .at_us = at(lines[i].at),
                                .product = lines[i].product};
        assert_int_equal(aff_baskets_builder_add(builder, &line), AFF_OK);
    }
    assert_int_equal(aff_baskets_builder_finish(builder, &settings, &baskets), AFF_OK);
    aff_baskets_builder_free(builder);
    assert_int_equal(aff_months_count(baskets, &months), AFF_OK);
    assert_row(aff_months_row(months, 0), 2, (int16_t[]){660, 662}, (int32_t[]){2, 1});
    assert_row(aff_months_row(months, 1), 2, (int16_t[]){660, 662}, (int32_t[]){1, 2});
    assert_row(aff_months_all(months), 2, (int16_t[]){660, 662}, (int32_t[]){2, 3});
    aff_months_free(months);
    aff_baskets_free(baskets);
}

static void months_that_change_stay_in_order(void **state)
{
    struct aff_live_months live = {0};

    (void)state;
    assert_int_equal(aff_live_months_row(&live).n, 0);
    for (int16_t month = 40; month > 0; month = (int16_t)(month - 3))
        assert_int_equal(aff_live_months_add(&live, month, month), AFF_OK);
    assert_int_equal(aff_live_months_add(&live, 40, 2), AFF_OK);
    assert_int_equal(aff_live_months_add(&live, 13, -13), AFF_OK);
    struct aff_month_row row = aff_live_months_row(&live);
    assert_row(row, 13, (int16_t[]){1, 4, 7, 10, 16, 19, 22, 25, 28, 31, 34, 37, 40},
               (int32_t[]){1, 4, 7, 10, 16, 19, 22, 25, 28, 31, 34, 37, 42});
    assert_true(aff_live_months_bytes(&live) >= 13 * 6);
    aff_live_months_done(&live);
}

static void a_month_never_counts_less_than_nothing(void **state)
{
    struct aff_live_months live = {0};

    (void)state;
    assert_int_equal(aff_live_months_add(&live, 5, -1), AFF_DATA);
    assert_int_equal(aff_live_months_add(&live, 5, 2), AFF_OK);
    assert_int_equal(aff_live_months_add(&live, 5, -3), AFF_DATA);
    assert_int_equal(aff_live_months_add(&live, 5, INT32_MAX), AFF_DATA);
    assert_int_equal(aff_live_months_add(&live, 6, 0), AFF_OK);
    assert_row(aff_live_months_row(&live), 1, (int16_t[]){5}, (int32_t[]){2});
    aff_live_months_done(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_count_from_january_1970),
        cmocka_unit_test(every_day_of_four_centuries_is_in_the_month_of_the_c_library),
        cmocka_unit_test(baskets_are_counted_by_product_and_month),
        cmocka_unit_test(months_that_change_stay_in_order),
        cmocka_unit_test(a_month_never_counts_less_than_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
