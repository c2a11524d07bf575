/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    enum { PIECES = 5000 };
    struct aff_arena arena = {0};
    unsigned char **pieces = calloc(PIECES, sizeof *pieces);

    assert_non_null(pieces);
    for (size_t i = 0; i < PIECES; i++) {
        size_t size = i % 97;
        pieces[i] = aff_arena_take(&arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t j = 0; j < i % 97; j++)
            assert_int_equal(pieces[i][j], i % 251);
    aff_arena_done(&arena);
    free(pieces);
}

static void a_piece_larger_than_a_block_is_given(void **state)
{
    (void)state;
    struct aff_arena arena = {0};
    size_t size = 10000000;
    unsigned char *small = aff_arena_take(&arena, 8);
    unsigned char *large = aff_arena_take(&arena, size);
    unsigned char *after = aff_arena_take(&arena, 8);

    assert_non_null(small);
    assert_non_null(large);
    assert_non_null(after);
    memset(large, 1, size);
    assert_true(arena.total >= size);
    aff_arena_done(&arena);
}

static void what_cannot_be_had_gives_null_and_leaves_the_arena_usable(void **state)
{
    (void)state;
    struct aff_arena arena = {0};

    assert_null(aff_arena_take(&arena, SIZE_MAX));
    assert_null(aff_arena_take(&arena, SIZE_MAX / 2 + 1));
    assert_non_null(aff_arena_take(&arena, 1));
    aff_arena_done(&arena);
}

static void a_copy_is_independent_and_ends_with_nul(void **state)
{
    (void)state;
    struct aff_arena arena = {0};
    char source[] = "teapot";
    struct aff_text copy = aff_arena_copy(&arena, (struct aff_text){source, 3});
    struct aff_text empty = aff_arena_copy(&arena, (struct aff_text){NULL, 0});

    source[0] = 'x';
    assert_string_equal(copy.at, "tea");
    assert_int_equal(copy.size, 3);
    assert_string_equal(empty.at, "");
    assert_int_equal(empty.size, 0);
    aff_arena_done(&arena);
}

static void a_finished_arena_can_be_used_again_and_finished_twice(void **state)
{
    (void)state;
    struct aff_arena arena = {0};

    aff_arena_done(&arena);
    assert_non_null(aff_arena_take(&arena, 100));
    aff_arena_done(&arena);
    assert_int_equal(arena.total, 0);
    assert_non_null(aff_arena_take(&arena, 100));
    aff_arena_done(&arena);
    aff_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_piece_larger_than_a_block_is_given),
        cmocka_unit_test(what_cannot_be_had_gives_null_and_leaves_the_arena_usable),
        cmocka_unit_test(a_copy_is_independent_and_ends_with_nul),
        cmocka_unit_test(a_finished_arena_can_be_used_again_and_finished_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
