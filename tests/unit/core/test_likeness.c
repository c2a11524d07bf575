/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/likeness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_product of_category(const char *path, uint32_t row)
{
    return (struct aff_product){
        .category = aff_text_of(path),
        .category_row = path[0] == '\0' ? AFF_NO_ROW : row,
        .price = AFF_NO_MONEY,
    };
}

static void category_paths_are_alike_as_far_as_they_go_together(void **state)
{
    static const struct {
        const char *a, *b;
        float likeness;
    } cases[] = {
        {"Tea > Green > Sencha", "Tea > Green > Sencha", 1},
        {"Tea > Green", "Tea > Black", 0.5F},
        {"Tea > Green > Sencha", "Tea > Green", 2.0F / 3},
        {"Tea > Green > Sencha", "Tea", 1.0F / 3},
        {"Tea", "Teapots", 0},
        {"Tea > Green", "Cups > Green", 0},
        {"Tea > Green > Cold", "Tea > Black > Cold", 1.0F / 3},
        {"Tea", "", 0},
        {"", "", 0},
    };

    (void)state;
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct aff_product a = of_category(cases[i].a, 1), b = of_category(cases[i].b, i == 0 ? 1 : 2);
        assert_float_equal(aff_likeness_path(&a, &b), cases[i].likeness, 1e-6);
        assert_float_equal(aff_likeness_path(&b, &a), cases[i].likeness, 1e-6);
    }
}

static void prices_are_in_one_band_up_to_a_fifth_below_the_higher_one(void **state)
{
    const struct aff_product dear = {.price = 1000}, close = {.price = 800}, cheap = {.price = 799};
    const struct aff_product unpriced = {.price = AFF_NO_MONEY}, gift = {.price = 0};

    (void)state;
    assert_true(aff_likeness_price(&dear, &close) && aff_likeness_price(&close, &dear));
    assert_false(aff_likeness_price(&dear, &cheap) || aff_likeness_price(&cheap, &dear));
    assert_false(aff_likeness_price(&dear, &unpriced) || aff_likeness_price(&unpriced, &unpriced));
    assert_true(aff_likeness_price(&gift, &gift));
}

static void words_count_once_and_without_case(void **state)
{
    const struct aff_product a = {.name = {"Red tea-cup, red", 16}}, b = {.name = {"red CUP large", 13}};
    const struct aff_product nameless = {0};

    (void)state;
    /* red, tea, cup and red, cup, large. */
    assert_float_equal(aff_likeness_words(&a, &b), 2.0 / 4, 1e-6);
    assert_float_equal(aff_likeness_words(&a, &nameless), 0, 0);
    assert_float_equal(aff_likeness_words(&nameless, &nameless), 0, 0);
}

static void no_brand_is_no_common_brand(void **state)
{
    const struct aff_product a = {.brand = {"Leaf", 4}}, b = {.brand = {"Leaf", 4}}, none = {0};

    (void)state;
    assert_true(aff_likeness_brand(&a, &b));
    assert_false(aff_likeness_brand(&a, &none) || aff_likeness_brand(&none, &none));
}

static void all_shares_add_up_to_one(void **state)
{
    const struct aff_attribute red = {{"colour", 6}, {"red", 3}}, blue = {{"colour", 6}, {"blue", 4}};
    struct aff_product a = of_category("Tea", 1), b;

    (void)state;
    a.brand = aff_text_of("Leaf");
    a.price = 500;
    a.name = aff_text_of("Green tea");
    a.attributes = &red;
    a.n_attributes = 1;
    b = a;
    assert_float_equal(aff_likeness(&a, &b), 1, 1e-6);
    b.attributes = &blue;
    assert_float_equal(aff_likeness(&a, &b), 0.85, 1e-6);
    b.category_row = AFF_NO_ROW;
    assert_float_equal(aff_likeness(&a, &b), 0.45, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(category_paths_are_alike_as_far_as_they_go_together),
        cmocka_unit_test(prices_are_in_one_band_up_to_a_fifth_below_the_higher_one),
        cmocka_unit_test(words_count_once_and_without_case),
        cmocka_unit_test(no_brand_is_no_common_brand),
        cmocka_unit_test(all_shares_add_up_to_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
