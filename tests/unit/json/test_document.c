/* SPDX-License-Identifier: Apache-2.0 */
#include "json/document.h"

#include "core/base/random.h"
#include "json/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct aff_json_bounds bounds = {.depth = 3, .values = 8};

static aff_status within(const char *text)
{
    struct aff_error error;

    return aff_json_within(aff_text_of(text), &bounds, &error);
}

static void bounds_count_every_value_outside_texts(void **state)
{
    (void)state;
    assert_int_equal(within(""), AFF_OK);
    assert_int_equal(within("[[[]]]"), AFF_OK);
    assert_int_equal(within("[[[[]]]]"), AFF_LIMIT);
    assert_int_equal(within("{\"a\":{\"b\":[1]}}"), AFF_OK);
    assert_int_equal(within("[\"[[[[[[\", \"\\\"[[[[\"]"), AFF_OK);
    assert_int_equal(within("[1,2,3,4,5,6,7]"), AFF_OK);
    assert_int_equal(within("[1,2,3,4,5,6,7,8]"), AFF_LIMIT);
    assert_int_equal(within("[true,null,-1e5,\"x\",{},[],0]"), AFF_OK);
    assert_int_equal(within("]]]]}}}}"), AFF_OK);
    assert_int_equal(within("\"unterminated \\"), AFF_OK);
}

static void values_keep_their_kind(void **state)
{
    static const char text[] = "[null,true,5,5.0,\"a\\u00e9\",[],{}]";
    static const enum aff_node_kind kinds[] = {AFF_NODE_NULL, AFF_NODE_FLAG,  AFF_NODE_WHOLE, AFF_NODE_REAL,
                                               AFF_NODE_TEXT, AFF_NODE_ARRAY, AFF_NODE_OBJECT};
    struct aff_document *document = NULL;
    struct aff_error error;

    (void)state;
    assert_int_equal(aff_document_parse(aff_text_of(text), &bounds, &document, &error), AFF_OK);
    const struct aff_node *root = aff_document_root(document);
    assert_int_equal(aff_node_size(root), 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(aff_node_kind(aff_node_at(root, i)), kinds[i]);
    assert_int_equal(aff_node_whole(aff_node_at(root, 2)), 5);
    assert_true(aff_text_equal(aff_node_text(aff_node_at(root, 4)), aff_text_of("a\xC3\xA9")));
    aff_document_free(document);
    aff_document_free(NULL);
}

static void texts_come_back_as_they_were_written(void **state)
{
    struct aff_random random = {.state = 5};
    struct aff_json json = {0};

    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        char bytes[40];
        size_t size = (size_t)aff_random_below(&random, sizeof bytes);
        struct aff_document *document = NULL;
        struct aff_error error;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)(1 + aff_random_below(&random, aff_random_below(&random, 4) == 0 ? 0x7F : 0x40));
        aff_json_reset(&json);
        aff_json_open_array(&json);
        aff_json_text(&json, (struct aff_text){bytes, size});
        aff_json_close_array(&json);
        assert_int_equal(
            aff_document_parse((struct aff_text){json.bytes, json.size}, &bounds, &document, &error), AFF_OK);
        struct aff_text back = aff_node_text(aff_node_at(aff_document_root(document), 0));
        assert_int_equal(back.size, size);
        if (size > 0)
            assert_memory_equal(back.at, bytes, size);
        assert_null(memchr(json.bytes, 0x7F, json.size));
        aff_document_free(document);
    }
    aff_json_done(&json);
}

static void numbers_are_put_as_they_are(void **state)
{
    static const struct {
        double value;
        const char *text;
    } scores[] = {{0, "0"},
                  {1, "1"},
                  {-0.5, "-0.5"},
                  {0.000001, "0.000001"},
                  {1.0000004, "1"},
                  {0.25, "0.25"},
                  {123456, "123456"},
                  {-1e-9, "0"},
                  {0.1234567, "0.123457"},
                  {1e13, "null"},
                  {10.05, "10.05"},
                  {999999.9999999, "1000000"}};
    static const int64_t wholes[] = {0, 1, -1, 42, INT64_MAX, INT64_MIN};
    char text[AFF_JSON_NUMBER + 1], expected[40];

    (void)state;
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        *aff_json_put_score(text, scores[i].value) = '\0';
        assert_string_equal(text, scores[i].text);
    }
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        *aff_json_put_int(text, wholes[i]) = '\0';
        (void)snprintf(expected, sizeof expected, "%lld", (long long)wholes[i]);
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_count_every_value_outside_texts),
        cmocka_unit_test(values_keep_their_kind),
        cmocka_unit_test(texts_come_back_as_they_were_written),
        cmocka_unit_test(numbers_are_put_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
