/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/idmap.h"
#include "core/base/keymap.h"

#include <stdio.h>

enum { MANY = 20000 };

static void every_added_id_is_found_and_no_other(void **state)
{
    static char ids[MANY][12];
    struct aff_idmap map = {0};

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "id-%u", (unsigned)i);
        assert_int_equal(aff_idmap_add(&map, aff_text_of(ids[i]), i * 3), AFF_OK);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        char other[16];
        (void)snprintf(other, sizeof other, "ID-%u", (unsigned)i);
        assert_int_equal(aff_idmap_find(&map, aff_text_of(ids[i])), i * 3);
        assert_int_equal(aff_idmap_find(&map, aff_text_of(other)), AFF_IDMAP_NONE);
        uint64_t hash = aff_idmap_prefetch(&map, aff_text_of(ids[i]));
        assert_int_equal(aff_idmap_find_hashed(&map, aff_text_of(ids[i]), hash), i * 3);
        assert_int_not_equal(aff_idmap_guess(&map, aff_text_of(ids[i]), hash), AFF_IDMAP_NONE);
    }
    assert_true(map.n * 10 <= (map.mask + 1) * 6);
    assert_int_equal(aff_idmap_bytes(&map), (map.mask + 1) * 16);
    aff_idmap_done(&map);
}

static void an_id_is_compared_in_full(void **state)
{
    struct aff_idmap map = {0};

    (void)state;
    assert_int_equal(aff_idmap_add(&map, aff_text_of("abc"), 1), AFF_OK);
    /* Among all these are some that share slot and check bits with "abc". */
    for (int a = 1; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            char id[3] = {(char)a, (char)b, 'c'};
            uint32_t expected = a == 'a' && b == 'b' ? 1 : AFF_IDMAP_NONE;
            assert_int_equal(aff_idmap_find(&map, (struct aff_text){id, 3}), expected);
        }
    }
    assert_int_equal(aff_idmap_find(&map, aff_text_of("ab")), AFF_IDMAP_NONE);
    assert_int_equal(aff_idmap_find(&map, aff_text_of("abcd")), AFF_IDMAP_NONE);
    aff_idmap_done(&map);
}

static void an_id_that_is_there_or_empty_is_refused(void **state)
{
    struct aff_idmap map = {0};

    (void)state;
    assert_int_equal(aff_idmap_add(&map, aff_text_of("a"), 1), AFF_OK);
    assert_int_equal(aff_idmap_add(&map, aff_text_of("a"), 2), AFF_INVALID);
    assert_int_equal(aff_idmap_add(&map, aff_text_of(""), 3), AFF_INVALID);
    assert_int_equal(aff_idmap_find(&map, aff_text_of("a")), 1);
    assert_int_equal(map.n, 1);
    aff_idmap_done(&map);
}

static void an_empty_map_finds_nothing(void **state)
{
    struct aff_idmap ids = {0};
    struct aff_keymap keys = {0};

    (void)state;
    assert_int_equal(aff_idmap_find(&ids, aff_text_of("a")), AFF_IDMAP_NONE);
    assert_int_equal(aff_idmap_guess(&ids, aff_text_of("a"), 0), AFF_IDMAP_NONE);
    assert_int_equal(aff_idmap_bytes(&ids), 0);
    assert_int_equal(aff_keymap_find(&keys, 0), AFF_KEYMAP_NONE);
    assert_int_equal(aff_keymap_bytes(&keys), 0);
    aff_idmap_done(&ids);
    aff_keymap_done(&keys);
}

static void every_added_key_is_found_and_no_other(void **state)
{
    struct aff_keymap map = {0};

    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(aff_keymap_add(&map, (int32_t)(i * 7) - 5000, i), AFF_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(aff_keymap_find(&map, (int32_t)(i * 7) - 5000), i);
        assert_int_equal(aff_keymap_find(&map, (int32_t)(i * 7) - 4999), AFF_KEYMAP_NONE);
    }
    assert_int_equal(aff_keymap_add(&map, -5000, 1), AFF_INVALID);
    assert_int_equal(aff_keymap_add(&map, -4999, AFF_KEYMAP_NONE), AFF_INVALID);
    assert_int_equal(aff_keymap_add(&map, INT32_MIN, 8), AFF_OK);
    assert_int_equal(aff_keymap_find(&map, INT32_MIN), 8);
    aff_keymap_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_added_id_is_found_and_no_other),
        cmocka_unit_test(an_id_is_compared_in_full),
        cmocka_unit_test(an_id_that_is_there_or_empty_is_refused),
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(every_added_key_is_found_and_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
