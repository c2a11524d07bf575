/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(const char *text, int digits, int64_t minor, bool rounded)
{
    struct aff_money money = {0};

    assert_int_equal(aff_money_parse(aff_text_of(text), digits, &money), AFF_OK);
    assert_true(money.minor == minor);
    assert_int_equal(money.rounded, rounded);
}

static void refuse(const char *text, int digits, aff_status status)
{
    struct aff_money money = {42, true};

    assert_int_equal(aff_money_parse(aff_text_of(text), digits, &money), status);
    assert_true(money.minor == 42 && money.rounded);
}

static void decimals_become_minor_units_exactly(void **state)
{
    (void)state;
    expect("12.50", 2, 1250, false);
    expect("0.29", 2, 29, false); /* 0.29 * 100 is 28.999... as a double */
    expect("1.1", 2, 110, false);
    expect("7", 2, 700, false);
    expect(".5", 2, 50, false);
    expect("5.", 2, 500, false);
    expect("+3", 2, 300, false);
    expect("-11062.06", 2, -1106206, false);
    expect("0", 2, 0, false);
    expect("-0.00", 2, 0, false);
    expect("100", 0, 100, false);
    expect("1.234", 3, 1234, false);
}

static void further_decimals_round_half_away_from_zero_and_say_so(void **state)
{
    (void)state;
    expect("1.225", 2, 123, true);
    expect("1.2249999", 2, 122, true);
    expect("-1.225", 2, -123, true);
    expect("0.001", 2, 0, true);
    expect("8.379999999999999", 2, 838, true);
    expect("0.999", 2, 100, true);
    expect("99.5", 0, 100, true);
    expect("2.500", 2, 250, false); /* nothing is lost */
    expect("2.00000000000000000000000000000", 2, 200, false);
}

static void what_is_no_decimal_number_is_refused(void **state)
{
    static const char *const texts[] = {"",   "-",  ".",    "-.",  "1e3",   "1,50", "1 000",
                                        " 1", "1 ", "0x10", "nan", "1.2.3", "--1",  "12a"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse(texts[i], 2, AFF_INVALID);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    expect("92233720368547758.07", 2, INT64_MAX, false);
    refuse("92233720368547758.08", 2, AFF_LIMIT);
    refuse("92233720368547758.075", 2, AFF_LIMIT);
    expect("9223372036854775807", 0, INT64_MAX, false);
    refuse("9223372036854775808", 0, AFF_LIMIT);
    refuse("99999999999999999999999999", 2, AFF_LIMIT);
    refuse("9999999999999999999999x", 2, AFF_INVALID);
}

static void currencies_have_their_own_decimals(void **state)
{
    (void)state;
    assert_int_equal(aff_currency_digits("EUR"), 2);
    assert_int_equal(aff_currency_digits("JPY"), 0);
    assert_int_equal(aff_currency_digits("KWD"), 3);
    assert_int_equal(aff_currency_digits("CLF"), 4);
    assert_true(aff_currency_is_code(aff_text_of("GBP")));
    assert_false(aff_currency_is_code(aff_text_of("gbp")));
    assert_false(aff_currency_is_code(aff_text_of("GB")));
    assert_false(aff_currency_is_code(aff_text_of("EURO")));
}

static void whole_numbers_may_have_empty_decimals(void **state)
{
    int64_t value = 0;

    (void)state;
    assert_int_equal(aff_whole_parse(aff_text_of("-12"), &value), AFF_OK);
    assert_int_equal(value, -12);
    assert_int_equal(aff_whole_parse(aff_text_of("6.00"), &value), AFF_OK);
    assert_int_equal(value, 6);
    assert_int_equal(aff_whole_parse(aff_text_of("6.5"), &value), AFF_INVALID);
    assert_int_equal(aff_whole_parse(aff_text_of("six"), &value), AFF_INVALID);
    assert_int_equal(value, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_become_minor_units_exactly),
        cmocka_unit_test(further_decimals_round_half_away_from_zero_and_say_so),
        cmocka_unit_test(what_is_no_decimal_number_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(currencies_have_their_own_decimals),
        cmocka_unit_test(whole_numbers_may_have_empty_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
