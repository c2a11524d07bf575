/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_rows_settings settings_with(const char *key, const char *value)
{
    struct aff_config config;
    struct aff_error error;

    aff_config_init(&config);
    assert_int_equal(aff_config_set(&config, "learn.min_orders", "7", "test", &error), AFF_OK);
    assert_int_equal(aff_config_set(&config, key, value, "test", &error), AFF_OK);
    return aff_config_rows(&config);
}

static void sizes_and_method_come_from_their_keys(void **state)
{
    (void)state;
    assert_int_equal(settings_with("learn.neighbours", "33").neighbours, 33);
    assert_int_equal(settings_with("learn.ridge_others", "44").others, 44);
    assert_true(settings_with("learn.ridge_lambda", "5.5").lambda == 5.5);
    assert_int_equal(settings_with("learn.method", "cosine").method, AFF_METHOD_COSINE);
}

static void each_word_for_floors_gives_its_floors(void **state)
{
    (void)state;
    struct aff_floors interval = settings_with("learn.floors", "interval").floors;
    assert_int_equal(interval.min_orders, 7);
    assert_true(interval.min_lift_low == aff_floors_default().min_lift_low && interval.min_lift_low > 0);
    struct aff_floors classic = settings_with("learn.floors", "classic").floors;
    assert_true(classic.min_support == 0.03 && classic.min_lift == 1.5);
    struct aff_floors none = settings_with("learn.floors", "none").floors;
    assert_true(aff_floors_pass(&none, 1, 100, 100, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_method_come_from_their_keys),
        cmocka_unit_test(each_word_for_floors_gives_its_floors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
