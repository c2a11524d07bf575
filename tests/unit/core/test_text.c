/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct aff_text bytes(const char *at, size_t size)
{
    return (struct aff_text){at, size};
}

static void texts_are_equal_by_bytes_and_length(void **state)
{
    (void)state;
    assert_true(aff_text_equal(aff_text_of("tea"), aff_text_of("tea")));
    assert_false(aff_text_equal(aff_text_of("tea"), aff_text_of("te")));
    assert_false(aff_text_equal(aff_text_of("tea"), aff_text_of("Tea")));
    assert_true(aff_text_equal(bytes(NULL, 0), aff_text_of("")));
    assert_true(aff_text_equal(aff_text_of(NULL), aff_text_of("")));
}

/* These numbers are stored as order keys: a change would lose every order of every shop. */
static void the_hash_of_a_text_never_changes(void **state)
{
    (void)state;
    assert_true(aff_text_hash(bytes(NULL, 0)) == UINT64_C(0x2D06800538D394C2));
    assert_true(aff_text_hash(aff_text_of("")) == UINT64_C(0x2D06800538D394C2));
    assert_true(aff_text_hash(aff_text_of("a")) == UINT64_C(0xE6C632B61E964E1F));
    assert_true(aff_text_hash(aff_text_of("abc")) == UINT64_C(0x78AF5F94892F3950));
}

/* First and last character of each length, and the neighbours of the surrogates (RFC 3629, section 3). */
static void well_formed_utf8_is_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "\x01",
        "\x7F",
        "\xC2\x80",
        "\xDF\xBF",
        "\xE0\xA0\x80",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",
        "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF",
        "Tee \xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(aff_text_is_utf8(aff_text_of(good[i])));
}

/* The malformed sequences of Kuhn's "UTF-8 decoder capability and stress test", sections 3 to 5. */
static void malformed_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "a\x80", /* lonely continuation bytes */
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xC3 ", /* cut off */
        "\xE2\x28\xA1",
        "\xE2\x82\x28",
        "\xF0\x28\x8C\xBC", /* a wrong byte inside */
        "\xF0\x90\x28\xBC",
        "\xF0\x90\x8C\x28",
        "\xFE",
        "\xFF",
        "\xC0\xAF",
        "\xC1\xBF", /* bytes that never occur, overlong '/' */
        "\xE0\x80\xAF",
        "\xE0\x9F\xBF",
        "\xF0\x80\x80\xAF", /* overlong */
        "\xF0\x8F\xBF\xBF",
        "\xC0\x80",
        "\xE0\x80\x80",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xED\xA0\x80\xED\xB0\x80", /* surrogates */
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80", /* beyond U+10FFFF */
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(aff_text_is_utf8(aff_text_of(bad[i])));
    assert_false(aff_text_is_utf8(bytes("a\0b", 3)));
}

/* Nothing behind the end is looked at: the next byte would complete the character. */
static void a_character_cut_by_the_length_is_refused(void **state)
{
    (void)state;
    static const char euro[] = "\xE2\x82\xAC";

    assert_true(aff_text_is_utf8(bytes(euro, 3)));
    assert_false(aff_text_is_utf8(bytes(euro, 2)));
    assert_false(aff_text_is_utf8(bytes(euro, 1)));
}

static void an_id_is_short_text_without_control_characters(void **state)
{
    (void)state;
    char longest[AFF_ID_MAX + 2];

    memset(longest, 'x', sizeof longest);
    assert_true(aff_text_is_id(bytes(longest, AFF_ID_MAX)));
    assert_false(aff_text_is_id(bytes(longest, AFF_ID_MAX + 1)));
    assert_false(aff_text_is_id(aff_text_of("")));
    assert_true(aff_text_is_id(aff_text_of("A 1/2'\"<>&,;%\\ \xC3\xA4")));
    assert_true(aff_text_is_id(aff_text_of(" ")));
    assert_false(aff_text_is_id(aff_text_of("a\tb")));
    assert_false(aff_text_is_id(aff_text_of("a\x7F")));
    assert_false(aff_text_is_id(aff_text_of("\x1F")));
    assert_false(aff_text_is_id(bytes("a\0b", 3)));
    assert_false(aff_text_is_id(aff_text_of("caf\xE9")));
}

static void a_broken_text_is_repaired(void **state)
{
    static const struct {
        const char *broken, *whole;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xC3\xA9", "\xC3\xA9"},
        {"a\xC3", "a?"},
        {"\xE2\x82", "??"},
        {"\xFF\xF0\x9F\x98\x80z\x80", "?\xF0\x9F\x98\x80z?"},
        {"\xED\xA0\x80", "???"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)strcpy(text, cases[i].broken);
        aff_text_repair(text);
        assert_string_equal(text, cases[i].whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_text_is_repaired),
        cmocka_unit_test(texts_are_equal_by_bytes_and_length),
        cmocka_unit_test(the_hash_of_a_text_never_changes),
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(malformed_utf8_is_refused),
        cmocka_unit_test(a_character_cut_by_the_length_is_refused),
        cmocka_unit_test(an_id_is_short_text_without_control_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
