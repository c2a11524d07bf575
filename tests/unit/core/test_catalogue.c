/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/catalogue/catalogue.h"

static struct aff_product product(int32_t key, const char *id, const char *category, uint32_t orders)
{
    return (struct aff_product){
        .key = key,
        .id = aff_text_of(id),
        .category = aff_text_of(category),
        .price = 100,
        .compare_at = AFF_NO_MONEY,
        .cost = AFF_NO_MONEY,
        .stock = AFF_NO_STOCK,
        .available = true,
        .orders = orders,
        .weight = (int64_t)orders << 20,
    };
}

static struct aff_catalogue *build(const struct aff_product *products, size_t n)
{
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;

    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(aff_catalogue_builder_add(builder, &products[i]), AFF_OK);
    assert_int_equal(aff_catalogue_builder_finish(builder, &catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
    return catalogue;
}

static bool is_text(struct aff_text text, const char *expected)
{
    return aff_text_equal(text, aff_text_of(expected));
}

static void a_product_is_found_by_id_and_by_key(void **state)
{
    const struct aff_product products[] = {product(7, "a", "", 1), product(3, "b", "", 1)};
    struct aff_catalogue *catalogue = build(products, 2);

    (void)state;
    assert_int_equal(aff_catalogue_size(catalogue), 2);
    assert_int_equal(aff_catalogue_find(catalogue, aff_text_of("b")), 1);
    assert_int_equal(aff_catalogue_find(catalogue, aff_text_of("c")), AFF_NO_ROW);
    assert_int_equal(aff_catalogue_find(catalogue, aff_text_of("")), AFF_NO_ROW);
    assert_int_equal(aff_catalogue_find_key(catalogue, 7), 0);
    assert_int_equal(aff_catalogue_find_key(catalogue, 1), AFF_NO_ROW);
    uint64_t hash = aff_catalogue_prefetch(catalogue, aff_text_of("a"));
    assert_int_equal(aff_catalogue_find_hashed(catalogue, aff_text_of("a"), hash), 0);
    aff_catalogue_free(catalogue);
}

static void a_record_is_a_copy(void **state)
{
    char id[] = "a", name[] = "Cup", value[] = "red";
    struct aff_attribute attribute = {aff_text_of("colour"), aff_text_of(value)};
    struct aff_product original = product(1, id, "Home > Cups", 2);

    (void)state;
    original.name = aff_text_of(name);
    original.brand = aff_text_of("Aster");
    original.attributes = &attribute;
    original.n_attributes = 1;
    original.cost = 55;
    struct aff_catalogue *catalogue = build(&original, 1);
    id[0] = name[0] = value[0] = '?';
    attribute.name = aff_text_of("?");
    const struct aff_product *copy = aff_catalogue_product(catalogue, 0);
    assert_true(is_text(copy->id, "a") && is_text(copy->name, "Cup") && is_text(copy->brand, "Aster"));
    assert_true(is_text(copy->category, "Home > Cups"));
    assert_true(is_text(copy->attributes[0].name, "colour") && is_text(copy->attributes[0].value, "red"));
    assert_int_equal(copy->cost, 55);
    aff_catalogue_free(catalogue);
}

static void an_id_or_key_that_came_before_is_refused(void **state)
{
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;
    struct aff_product first = product(1, "a", "", 0);
    const struct aff_product refused[] = {product(2, "a", "", 0), product(1, "b", "", 0),
                                          product(3, "", "", 0), product(4, "line\nbreak", "", 0)};

    (void)state;
    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    assert_int_equal(aff_catalogue_builder_add(builder, &first), AFF_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(aff_catalogue_builder_add(builder, &refused[i]), AFF_INVALID);
    assert_int_equal(aff_catalogue_builder_finish(builder, &catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
    assert_int_equal(aff_catalogue_size(catalogue), 1);
    assert_int_equal(aff_catalogue_find(catalogue, aff_text_of("b")), AFF_NO_ROW);
    assert_int_equal(aff_catalogue_find_key(catalogue, 2), AFF_NO_ROW);
    aff_catalogue_free(catalogue);
}

static void eligibility_says_why_a_product_may_not_be_offered(void **state)
{
    struct aff_product products[] = {product(1, "free", "", 0),     product(2, "off", "", 0),
                                     product(3, "sold out", "", 0), product(4, "last one", "", 0),
                                     product(5, "no price", "", 0), product(6, "owed", "", 0)};

    (void)state;
    products[1].available = false;
    products[2].stock = 0;
    products[3].stock = 1;
    products[4].price = AFF_NO_MONEY;
    products[5].stock = -2;
    products[5].price = AFF_NO_MONEY;
    products[5].durable = true;
    struct aff_catalogue *catalogue = build(products, 6);
    const uint8_t *eligibility = aff_catalogue_eligibility(catalogue);
    assert_int_equal(eligibility[0], 0);
    assert_int_equal(eligibility[1], AFF_INELIGIBLE_UNAVAILABLE);
    assert_int_equal(eligibility[2], AFF_INELIGIBLE_UNAVAILABLE);
    assert_int_equal(eligibility[3], 0);
    assert_int_equal(eligibility[4], AFF_INELIGIBLE_UNPRICED);
    assert_int_equal(eligibility[5], AFF_INELIGIBLE_UNAVAILABLE | AFF_INELIGIBLE_UNPRICED);
    assert_int_equal(aff_catalogue_durable(catalogue)[4], 0);
    assert_int_equal(aff_catalogue_durable(catalogue)[5], 1);
    aff_catalogue_free(catalogue);
}

static void popular_lists_fall_by_weight_and_ties_by_row(void **state)
{
    const struct aff_product products[] = {product(1, "a", "X", 3),     product(2, "b", "X", 0),
                                           product(3, "c", "X > Y", 9), product(4, "d", "", 9),
                                           product(5, "e", "X > Y", 1), product(6, "f", "X", 3),
                                           product(7, "g", "Z > W", 0)};
    const uint32_t store[] = {2, 3, 0, 5, 4}, x[] = {0, 5, 1}, y[] = {2, 4};
    struct aff_catalogue *catalogue = build(products, 7);
    uint32_t n;

    (void)state;
    const uint32_t *rows = aff_catalogue_popular(catalogue, AFF_NO_ROW, &n);
    assert_int_equal(n, 5);
    assert_memory_equal(rows, store, sizeof store);
    rows = aff_catalogue_popular(catalogue, aff_catalogue_product(catalogue, 0)->category_row, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(rows, x, sizeof x);
    rows = aff_catalogue_popular(catalogue, aff_catalogue_product(catalogue, 4)->category_row, &n);
    assert_int_equal(n, 2);
    assert_memory_equal(rows, y, sizeof y);
    assert_int_equal(aff_catalogue_top_weight(catalogue), INT64_C(9) << 20);
    assert_true(aff_catalogue_popularity(catalogue)[2] == 1 && aff_catalogue_popularity(catalogue)[1] == 0);
    assert_true(aff_catalogue_popularity(catalogue)[0] == (float)(3.0 / 9));
    assert_int_equal(aff_catalogue_product(catalogue, 3)->category_row, AFF_NO_ROW);
    aff_catalogue_free(catalogue);
}

static void a_category_knows_the_one_above_it(void **state)
{
    const struct aff_product products[] = {product(1, "a", "X > Y > Z", 1), product(2, "b", "X", 1),
                                           product(3, "c", "X > Y", 1), product(4, "d", "Q > R", 1)};
    struct aff_catalogue *catalogue = build(products, 4);

    (void)state;
    assert_int_equal(aff_catalogue_categories(catalogue), 4);
    assert_int_equal(aff_catalogue_find_category(catalogue, aff_text_of("X > Y")), 2);
    assert_int_equal(aff_catalogue_find_category(catalogue, aff_text_of("X > ")), AFF_NO_ROW);
    assert_int_equal(aff_catalogue_category_parent(catalogue, 0), 2);
    assert_int_equal(aff_catalogue_category_parent(catalogue, 2), 1);
    assert_int_equal(aff_catalogue_category_parent(catalogue, 1), AFF_NO_ROW);
    assert_int_equal(aff_catalogue_category_parent(catalogue, 3), AFF_NO_ROW);
    aff_catalogue_free(catalogue);
}

static void an_empty_store_has_a_catalogue(void **state)
{
    struct aff_catalogue *catalogue = build(NULL, 0);
    uint32_t n;

    (void)state;
    assert_int_equal(aff_catalogue_size(catalogue), 0);
    (void)aff_catalogue_popular(catalogue, AFF_NO_ROW, &n);
    assert_int_equal(n, 0);
    assert_int_equal(aff_catalogue_top_weight(catalogue), 0);
    assert_true(aff_catalogue_bytes(catalogue) > 0);
    aff_catalogue_free(catalogue);
    aff_catalogue_free(NULL);
    aff_catalogue_builder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_found_by_id_and_by_key),
        cmocka_unit_test(a_record_is_a_copy),
        cmocka_unit_test(an_id_or_key_that_came_before_is_refused),
        cmocka_unit_test(eligibility_says_why_a_product_may_not_be_offered),
        cmocka_unit_test(popular_lists_fall_by_weight_and_ties_by_row),
        cmocka_unit_test(a_category_knows_the_one_above_it),
        cmocka_unit_test(an_empty_store_has_a_catalogue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
