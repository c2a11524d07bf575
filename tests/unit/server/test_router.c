/* SPDX-License-Identifier: Apache-2.0 */
#include "server/percent.h"
#include "server/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct aff_match find(enum aff_method method, const char *path)
{
    return aff_router_find(method, aff_text_of(path));
}

static void each_row_of_the_table_is_found(void **state)
{
    (void)state;
    assert_int_equal(find(AFF_METHOD_GET, "/recommend").series, AFF_SERIES_recommend);
    assert_int_equal(find(AFF_METHOD_POST, "/v1/recommend").route->method, AFF_METHOD_POST);
    assert_int_equal(find(AFF_METHOD_GET, "/health/ready").series, AFF_SERIES_health_ready);
    for (size_t i = 0; i < aff_routes_n; i++)
        if (strchr(aff_routes[i].path, '{') == NULL)
            assert_ptr_equal(find(aff_routes[i].method, aff_routes[i].path).route, &aff_routes[i]);
}

static void head_is_answered_where_get_is(void **state)
{
    (void)state;
    assert_ptr_equal(find(AFF_METHOD_HEAD, "/metrics").route, find(AFF_METHOD_GET, "/metrics").route);
}

static void an_id_in_the_path_may_hold_slashes(void **state)
{
    struct aff_match match = find(AFF_METHOD_GET, "/v1/products/a%2Fb/c/affinities");

    (void)state;
    assert_non_null(match.route);
    assert_true(aff_text_equal(match.id, aff_text_of("a%2Fb/c")));
    assert_null(find(AFF_METHOD_GET, "/v1/products//affinities").route);
    assert_null(find(AFF_METHOD_GET, "/v1/products/affinities").route);
}

static void paths_are_compared_exactly(void **state)
{
    static const char *const wrong[] = {"/",
                                        "/Recommend",
                                        "/recommend/",
                                        "//recommend",
                                        "/%72ecommend",
                                        "/recommen",
                                        "/health/../metrics",
                                        "/v1/products/x/affinities/"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct aff_match match = find(AFF_METHOD_GET, wrong[i]);
        assert_null(match.route);
        assert_int_equal(match.allow, 0);
        assert_int_equal(match.series, AFF_SERIES_unmatched);
    }
}

static void a_wrong_method_names_the_right_ones(void **state)
{
    char text[64];
    struct aff_match match = find(AFF_METHOD_DELETE, "/v1/recommend");

    (void)state;
    assert_null(match.route);
    assert_int_equal(match.series, AFF_SERIES_recommend);
    aff_router_allow(match.allow, text);
    assert_string_equal(text, "GET, HEAD, POST, OPTIONS");
    aff_router_allow(find(AFF_METHOD_POST, "/metrics").allow, text);
    assert_string_equal(text, "GET, HEAD, OPTIONS");
    aff_router_allow(~0u, text);
    assert_string_equal(text, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static void decodes(const char *from, bool plus, const char *to)
{
    char copy[64];
    size_t size = 99;

    (void)strcpy(copy, from);
    assert_true(aff_percent_decode(copy, strlen(from), plus, copy, &size));
    assert_int_equal(size, strlen(to));
    assert_memory_equal(copy, to, size);
}

static void percent_decoding_takes_whole_escapes_only(void **state)
{
    static const char *const wrong[] = {"%", "a%", "%4", "%zz", "%4g", "%00", "a%00b", "%%"};
    char copy[64];
    size_t size = 99;

    (void)state;
    decodes("a%2Fb%c3%A9+c", true, "a/b\xC3\xA9 c");
    decodes("a+b", false, "a+b");
    decodes("", true, "");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(aff_percent_decode(wrong[i], strlen(wrong[i]), true, copy, &size));
    assert_int_equal(size, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_table_is_found),
        cmocka_unit_test(head_is_answered_where_get_is),
        cmocka_unit_test(an_id_in_the_path_may_hold_slashes),
        cmocka_unit_test(paths_are_compared_exactly),
        cmocka_unit_test(a_wrong_method_names_the_right_ones),
        cmocka_unit_test(percent_decoding_takes_whole_escapes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
