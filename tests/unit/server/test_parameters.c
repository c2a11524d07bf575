/* SPDX-License-Identifier: Apache-2.0 */
#include "server/parameters.h"

#include "core/catalogue/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct aff_parameters parameters;
static char buffer[8192];

static int done(void **state)
{
    (void)state;
    aff_parameters_done(&parameters);
    return 0;
}

static bool query(const char *string)
{
    (void)snprintf(buffer, sizeof buffer, "%s", string);
    aff_parameters_reset(&parameters, AFF_PARAMETERS_RECOMMEND);
    aff_parameters_read_query(&parameters, buffer, strlen(buffer));
    return aff_parameters_check(&parameters);
}

static bool json(const char *string)
{
    struct aff_error error = {0};

    aff_parameters_reset(&parameters, AFF_PARAMETERS_RECOMMEND);
    if (aff_parameters_read_json(&parameters, aff_text_of(string), &error) != AFF_OK)
        fail_msg("%s: %s", string, error.text);
    return aff_parameters_check(&parameters);
}

/* The errors, as one text. */
static const char *errors(void)
{
    static char text[65536];

    (void)snprintf(text, sizeof text, "%.*s", (int)parameters.errors.list.size, parameters.errors.list.bytes);
    return text;
}

static void says(const char *field, const char *reason)
{
    char line[512];

    (void)snprintf(line, sizeof line, "{\"field\":\"%s\",\"reason\":\"%s", field, reason);
    if (parameters.errors.n == 0 || strstr(errors(), line) == NULL)
        fail_msg("%s is not in %s", line, parameters.errors.n == 0 ? "nothing" : errors());
}

static void one_wrong(const char *string, const char *field, const char *reason)
{
    assert_false(query(string));
    assert_int_equal(parameters.errors.n, 1);
    says(field, reason);
}

static void one_wrong_in_json(const char *string, const char *field, const char *reason)
{
    assert_false(json(string));
    if (parameters.errors.n != 1)
        fail_msg("%s: %s", string, errors());
    says(field, reason);
}

static void is(struct aff_text found, const char *expected)
{
    if (!aff_text_equal(found, aff_text_of(expected)))
        fail_msg("'%.*s' instead of '%s'", (int)found.size, found.at == NULL ? "" : found.at, expected);
}

static void nothing_given_means_the_defaults(void **state)
{
    (void)state;
    assert_true(query(""));
    assert_int_equal(parameters.request.limit, 10);
    assert_int_equal(parameters.request.price_min, AFF_NO_MONEY);
    assert_int_equal(parameters.request.explain, AFF_EXPLAIN_NONE);
    assert_int_equal(parameters.fields >> AFF_ITEM_FIELD_price & 1, 1);
    assert_int_equal(parameters.fields >> AFF_ITEM_FIELD_brand & 1, 0);
    assert_true(json("{}"));
    assert_int_equal(parameters.request.n_cart, 0);
}

/* Both ways to ask must mean the same. */
static void check_everything(void)
{
    const struct aff_request *request = &parameters.request;

    is(parameters.store, "s/1");
    is(request->customer, "M\xC3\xBCller");
    is(parameters.session, "v 1");
    assert_int_equal(request->n_cart, 2);
    is(request->cart[0].product, "a&b");
    assert_int_equal(request->cart[1].quantity, 1);
    is(request->cart[1].product, "c");
    is(request->product, "p");
    assert_int_equal(request->placement, AFF_PLACEMENT_POST_PURCHASE);
    assert_int_equal(request->kinds, 1u << AFF_KIND_CROSS_SELL | 1u << AFF_KIND_SUBSTITUTE);
    assert_int_equal(request->limit, 100);
    assert_int_equal(request->n_exclude, 1);
    is(request->exclude[0], "x");
    assert_int_equal(request->n_filters, 3);
    assert_int_equal(request->filters[0].compare, AFF_COMPARE_LT);
    assert_int_equal(request->filters[0].price, 2000);
    assert_int_equal(request->filters[1].field, AFF_FILTER_CATEGORY);
    is(request->filters[1].value, "Garden > Tools");
    assert_int_equal(request->filters[2].compare, AFF_COMPARE_NE);
    is(request->filters[2].name, "colour");
    is(request->filters[2].value, "red=ish");
    assert_float_equal(request->min_lift, 1.5, 0);
    assert_float_equal(request->min_confidence, 0.25, 0);
    assert_int_equal(request->min_orders, 3);
    assert_int_equal(request->price_min, 100);
    assert_int_equal(request->price_max, 100);
    assert_float_equal(request->diversity, 1, 0);
    assert_float_equal(request->rotation, 0.5, 0);
    assert_int_equal(parameters.fields, 1u << AFF_ITEM_FIELD_product | 1u << AFF_ITEM_FIELD_name);
    assert_int_equal(request->explain, AFF_EXPLAIN_FULL);
    is(request->why_not, "w");
    assert_true(request->strict);
    assert_false(parameters.dry_run);
    is(parameters.locale, "de-AT");
    is(parameters.currency, "EUR");
}

static void every_parameter_is_read_from_a_query_string(void **state)
{
    (void)state;
    assert_true(
        query("store=s%2F1&customer=M%C3%BCller&session=v+1&cart=a%26b&product=p&cart=c"
              "&placement=post_purchase&kind=cross_sell,substitute&limit=100&exclude=x&filter=price<2000"
              "&filter=category=Garden+%3E+Tools&filter=attributes.colour!=red=ish&min_lift=1.5"
              "&min_confidence=2.5e-1&min_orders=3&price_min=100&price_max=100&diversity=1&rotation=0.5"
              "&fields=product,name&explain=full&why_not=w&strict=true&dry_run=false&locale=de-AT"
              "&currency=EUR"));
    check_everything();
}

static void every_parameter_is_read_from_json(void **state)
{
    (void)state;
    assert_true(
        json("{\"store\":\"s/1\",\"customer\":\"M\\u00fcller\",\"session\":\"v 1\",\"product\":\"p\","
             "\"cart\":[\"a&b\",{\"product\":\"c\"}],\"placement\":\"post_purchase\","
             "\"kind\":[\"cross_sell\",\"substitute\"],\"limit\":100,\"exclude\":[\"x\"],"
             "\"filter\":[\"price < 2000\",\"category=Garden > Tools\",\"attributes.colour!=red=ish\"],"
             "\"min_lift\":1.5,\"min_confidence\":0.25,\"min_orders\":3,\"price_min\":100,"
             "\"price_max\":100,\"diversity\":1,\"rotation\":0.5,\"fields\":[\"product\",\"name\"],"
             "\"explain\":\"full\",\"why_not\":\"w\",\"strict\":true,\"dry_run\":false,"
             "\"locale\":\"de-AT\",\"currency\":\"EUR\"}"));
    check_everything();
}

static void a_null_member_is_as_if_it_were_not_there(void **state)
{
    (void)state;
    assert_true(json("{\"customer\":null,\"cart\":null,\"limit\":null,\"strict\":null}"));
    assert_int_equal(parameters.request.customer.size, 0);
    assert_int_equal(parameters.request.limit, 10);
}

static void a_cart_line_has_quantity_and_price(void **state)
{
    (void)state;
    assert_true(json(
        "{\"cart\":[{\"product\":\"a\",\"quantity\":3,\"price\":199},{\"product\":\"b\",\"price\":null}]}"));
    assert_int_equal(parameters.request.cart[0].quantity, 3);
    assert_int_equal(parameters.request.cart[0].price, 199);
    assert_int_equal(parameters.request.cart[1].price, AFF_NO_MONEY);
}

static void wrong_values_are_refused_one_by_one(void **state)
{
    static const char *const cases[][3] = {
        {"limit=0", "limit", "must be from 1 to 100"},
        {"limit=101", "limit", "must be from 1 to 100"},
        {"limit=1.0", "limit", "must be a whole number"},
        {"limit=+1", "limit", "must be a whole number"},
        {"limit= 1", "limit", "must be a whole number"},
        {"limit=", "limit", "must be a whole number"},
        {"limit", "limit", "has no value"},
        {"limit=99999999999999999999", "limit", "must be a whole number"},
        {"limit=-1", "limit", "must be from 1 to 100"},
        {"limit=1&limit=1", "limit", "may be given once"},
        {"min_lift=nan", "min_lift", "must be a number"},
        {"min_lift=inf", "min_lift", "must be a number"},
        {"min_lift=0x10", "min_lift", "must be a number"},
        {"min_lift=1,5", "min_lift", "must be a number"},
        {"min_lift=-1", "min_lift", "must be a number"},
        {"min_confidence=1.01", "min_confidence", "must be from 0 to 1"},
        {"min_confidence=1e999", "min_confidence", "must be from 0 to 1"},
        {"min_orders=4294967296", "min_orders", "must be from 0 to 4294967295"},
        {"price_min=-1", "price_min", "must be from 0"},
        {"price_min=2&price_max=1", "price_min", "is above price_max"},
        {"strict=1", "strict", "must be true or false"},
        {"strict=TRUE", "strict", "must be true or false"},
        {"placement=shelf", "placement", "must be of: product, cart, checkout, post_purchase, home"},
        {"placement=", "placement", "must be of"},
        {"kind=cross_sell,", "kind", "must be of: cross_sell, replenish, substitute"},
        {"kind=cross_sell,cross_sell", "kind", "names a word twice"},
        {"fields=cost", "fields", "must be of: product, kind"},
        {"explain=all", "explain", "must be of: none, basic, full"},
        {"relation=next", "relation", "is no parameter here"},
        {"cart=", "cart", "must be 1 to 128 bytes"},
        {"cart=a%0Ab", "cart", "must be 1 to 128 bytes"},
        {"cart=a%00b", "cart", "holds a NUL byte"},
        {"cart=%ff", "cart", "is not UTF-8"},
        {"cart=%c0%80", "cart", "is not UTF-8"},
        {"cart=%4", "cart", "holds a NUL byte or a %"},
        {"locale=de_AT", "locale", "must be a language tag"},
        {"locale=d", "locale", "must be a language tag"},
        {"locale=de-", "locale", "must be a language tag"},
        {"currency=eur", "currency", "must be three capital letters"},
        {"filter=price", "filter", "must be a field, one of"},
        {"filter=colour=red", "filter", "must begin with category"},
        {"filter=attributes.=red", "filter", "must begin with category"},
        {"filter=price<1.5", "filter", "compares price with something that is no whole number"},
        {"filter=brand<5", "filter", "may use < <= > >= for price only"},
        {"filter=brand=", "filter", "has no value behind"},
        {"=1", "", "there is a parameter without a name"},
        {"a=1&", "a", "is no parameter here"},
        {"Limit=1", "Limit", "is no parameter here"},
        {"%ff=1", "%ff", "is not UTF-8"},
        {"limit%00=1", "limit%00", "holds a NUL byte"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i][0], "a=1&") == 0) {
            assert_false(query(cases[i][0]));
            says(cases[i][1], cases[i][2]);
        } else {
            one_wrong(cases[i][0], cases[i][1], cases[i][2]);
        }
    }
}

static void wrong_json_members_are_refused_one_by_one(void **state)
{
    static const char *const cases[][3] = {
        {"{\"limit\":\"5\"}", "limit", "must be a whole number, not a text"},
        {"{\"limit\":5.0}", "limit", "must be a whole number, not a number"},
        {"{\"limit\":1e1}", "limit", "must be a whole number, not a number"},
        {"{\"limit\":0}", "limit", "must be from 1 to 100"},
        {"{\"min_lift\":true}", "min_lift", "must be a number, not true or false"},
        {"{\"strict\":\"true\"}", "strict", "must be true or false, not a text"},
        {"{\"customer\":5}", "customer", "must be a text, not a whole number"},
        {"{\"customer\":\"\"}", "customer", "must be 1 to 128 bytes"},
        {"{\"customer\":[]}", "customer", "must be a text, not an array"},
        {"{\"explain\":{}}", "explain", "must be a text, not an object"},
        {"{\"cart\":\"a\"}", "cart", "must be an array, not a text"},
        {"{\"cart\":[\"a\",null]}", "cart[1]", "must be a product id or an object"},
        {"{\"cart\":[{}]}", "cart[0].product", "is missing"},
        {"{\"cart\":[{\"product\":1}]}", "cart[0].product", "must be a text, not a whole number"},
        {"{\"cart\":[{\"product\":\"a\",\"quantity\":0}]}", "cart[0].quantity",
         "must be a whole number from 1"},
        {"{\"cart\":[{\"product\":\"a\",\"quantity\":1e2}]}", "cart[0].quantity",
         "must be a whole number from 1"},
        {"{\"cart\":[{\"product\":\"a\",\"price\":-1}]}", "cart[0].price",
         "must be a whole number of minor units"},
        {"{\"cart\":[{\"product\":\"a\",\"price\":1.5}]}", "cart[0].price",
         "must be a whole number of minor units"},
        {"{\"cart\":[{\"product\":\"a\",\"qty\":1}]}", "cart[0].qty", "is not a member of a cart line"},
        {"{\"exclude\":[5]}", "exclude[0]", "must be a text, not a whole number"},
        {"{\"filter\":[\"x\"]}", "filter[0]", "must be a field, one of"},
        {"{\"kind\":5}", "kind", "must be a text or an array of texts"},
        {"{\"kind\":[\"cross_sell\",5]}", "kind[1]", "must be a text, not a whole number"},
        {"{\"kinds\":[]}", "kinds", "is no parameter here"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        one_wrong_in_json(cases[i][0], cases[i][1], cases[i][2]);
}

static void every_wrong_field_is_listed(void **state)
{
    (void)state;
    assert_false(query("limit=0&foo=1&cart=&cart=%ff&kind=a,b&x"));
    assert_int_equal(parameters.errors.n, 7);
    assert_false(
        json("{\"cart\":[1,{\"product\":2,\"quantity\":0,\"price\":-1,\"x\":1}],\"limit\":0,\"y\":1}"));
    assert_int_equal(parameters.errors.n, 7);
    says("cart[1].x", "is not a member");
    says("y", "is no parameter here");
}

static void lists_end_at_their_limit(void **state)
{
    char text[8192];
    size_t size = 0;

    (void)state;
    for (int i = 0; i < AFF_CART_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%scart=p%d", i == 0 ? "" : "&", i);
    assert_true(query(text));
    assert_int_equal(parameters.request.n_cart, AFF_CART_MAX);
    size += (size_t)snprintf(text + size, sizeof text - size, "&cart=a&cart=b&cart=c");
    assert_false(query(text));
    assert_int_equal(parameters.errors.n, 1);
    says("cart", "may have at most 200 entries");
    size = 0;
    for (int i = 0; i < AFF_EXCLUDE_MAX + 1; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%sexclude=p", i == 0 ? "" : "&");
    assert_false(query(text));
    says("exclude", "may have at most 500 entries");
}

static void an_id_may_have_128_bytes(void **state)
{
    char text[200] = "product=";

    (void)state;
    memset(text + 8, 'a', 128);
    assert_true(query(text));
    text[8 + 128] = 'a';
    one_wrong(text, "product", "must be 1 to 128 bytes");
}

static void refused_body(const char *text, size_t size, aff_status status, const char *with)
{
    struct aff_error error = {0};

    aff_parameters_reset(&parameters, AFF_PARAMETERS_RECOMMEND);
    assert_int_equal(aff_parameters_read_json(&parameters, (struct aff_text){text, size}, &error), status);
    if (strstr(error.text, with) == NULL)
        fail_msg("'%s' does not say '%s'", error.text, with);
}

static void bodies_that_are_no_object_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", "not JSON"},
        {"[]", "must be a JSON object, not an array"},
        {"5", "not JSON"},
        {"{\"a\":1}{", "not JSON"},
        {"{\"limit\":1,\"limit\":1}", "duplicate"},
        {"{\"customer\":\"\\u0000\"}", "not JSON"},
        {"{\"customer\":\"\xC0\x80\"}", "not JSON"},
        {"{\"customer\":\"\\ud800\"}", "not JSON"},
        {"{\"min_lift\":1e999}", "not JSON"},
        {"{\"limit\":99999999999999999999}", "not JSON"},
        {"\xEF\xBB\xBF{}", "not JSON"},
        {"{\"limit\":NaN}", "not JSON"},
        {"{'limit':1}", "not JSON"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_body(cases[i][0], strlen(cases[i][0]), AFF_INVALID, cases[i][1]);
    refused_body("{}\0", 3, AFF_INVALID, "not JSON");
}

static void bombs_are_refused_before_they_are_parsed(void **state)
{
    char *bomb = malloc(1000000);

    (void)state;
    memset(bomb, '[', 1000000);
    refused_body(bomb, 1000000, AFF_LIMIT, "nested deeper than 32");
    refused_body(bomb, 33, AFF_LIMIT, "nested deeper than 32");
    refused_body(bomb, 32, AFF_INVALID, "not JSON");
    for (size_t i = 0; i + 3 <= 999999; i += 3)
        memcpy(bomb + 1 + i, "{},", 3);
    refused_body(bomb, 1000000, AFF_LIMIT, "more than 10000 values");
    free(bomb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_given_means_the_defaults, done),
        cmocka_unit_test_teardown(every_parameter_is_read_from_a_query_string, done),
        cmocka_unit_test_teardown(every_parameter_is_read_from_json, done),
        cmocka_unit_test_teardown(a_null_member_is_as_if_it_were_not_there, done),
        cmocka_unit_test_teardown(a_cart_line_has_quantity_and_price, done),
        cmocka_unit_test_teardown(wrong_values_are_refused_one_by_one, done),
        cmocka_unit_test_teardown(wrong_json_members_are_refused_one_by_one, done),
        cmocka_unit_test_teardown(every_wrong_field_is_listed, done),
        cmocka_unit_test_teardown(lists_end_at_their_limit, done),
        cmocka_unit_test_teardown(an_id_may_have_128_bytes, done),
        cmocka_unit_test_teardown(bodies_that_are_no_object_are_refused, done),
        cmocka_unit_test_teardown(bombs_are_refused_before_they_are_parsed, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
