/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

enum { TEXT_SIZE = 500000 };

static char *long_text(void)
{
    char *text = malloc(TEXT_SIZE);

    for (int i = 0; i < TEXT_SIZE; i++)
        text[i] = (char)('a' + (i / 7 + i % 13) % 26);
    return text;
}

static void write_file(char path[], const void *bytes, size_t size)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    (void)close(fd);
}

/* Reads the whole file into `into` in odd pieces; the status of the last call. */
static aff_status read_all(const char *path, char *into, size_t *ret_size, struct aff_error *reterr)
{
    struct aff_input *input = NULL;
    size_t got = 1;
    aff_status status = aff_input_open(path, &input, reterr);

    *ret_size = 0;
    while (status == AFF_OK && got > 0) {
        got = 0;
        status = aff_input_read(input, into + *ret_size, 7919, &got, reterr);
        *ret_size += got;
    }
    if (status == AFF_OK)
        assert_true(aff_input_taken(input) == aff_input_size(path));
    aff_input_close(input);
    return status;
}

static size_t gzip(const char *text, size_t size, char *into, size_t capacity)
{
    z_stream zlib = {.next_in = (Bytef *)(uintptr_t)text,
                     .avail_in = (uInt)size,
                     .next_out = (Bytef *)into,
                     .avail_out = (uInt)capacity};

    assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    size_t packed = capacity - zlib.avail_out;
    (void)deflateEnd(&zlib);
    return packed;
}

enum packing { AS_IS, AS_GZIP, AS_ZSTD };

/* Packs the two halves as pieces of their own, one after the other. */
static size_t pack(enum packing packing, const char *text, char *into)
{
    size_t half = TEXT_SIZE / 2, packed;

    if (packing == AS_IS) {
        memcpy(into, text, TEXT_SIZE);
        return TEXT_SIZE;
    }
    if (packing == AS_GZIP) {
        packed = gzip(text, half, into, TEXT_SIZE);
        return packed + gzip(text + half, half, into + packed, TEXT_SIZE);
    }
    packed = ZSTD_compress(into, TEXT_SIZE, text, half, 3);
    return packed + ZSTD_compress(into + packed, TEXT_SIZE, text + half, half, 3);
}

static void plain_and_packed_files_are_read_alike(void **state)
{
    char *text = long_text(), *packed = malloc(2 * TEXT_SIZE), *read = malloc(TEXT_SIZE + 8000);

    (void)state;
    for (int packing = AS_IS; packing <= AS_ZSTD; packing++) {
        char path[] = "/tmp/aff_test_input_XXXXXX";
        struct aff_error error;
        size_t size = 0;
        write_file(path, packed, pack((enum packing)packing, text, packed));
        assert_int_equal(read_all(path, read, &size, &error), AFF_OK);
        assert_int_equal(size, TEXT_SIZE);
        assert_memory_equal(read, text, TEXT_SIZE);
        (void)unlink(path);
    }
    free(text);
    free(packed);
    free(read);
}

static void packed_files_that_are_cut_off_or_damaged_are_errors(void **state)
{
    char *text = long_text(), *packed = malloc(2 * TEXT_SIZE), *read = malloc(TEXT_SIZE + 8000);

    (void)state;
    for (int packing = AS_GZIP; packing <= AS_ZSTD; packing++) {
        char cut[] = "/tmp/aff_test_input_XXXXXX", damaged[] = "/tmp/aff_test_input_XXXXXX";
        struct aff_error error = {.text = ""};
        size_t size = pack((enum packing)packing, text, packed), got = 0;
        write_file(cut, packed, size - 3);
        assert_int_equal(read_all(cut, read, &got, &error), AFF_IO);
        assert_non_null(strstr(error.text, cut));
        memset(packed + size / 4, 0x5A, 40);
        write_file(damaged, packed, size);
        assert_int_equal(read_all(damaged, read, &got, &error), AFF_IO);
        (void)unlink(cut);
        (void)unlink(damaged);
    }
    free(text);
    free(packed);
    free(read);
}

static void an_empty_file_has_no_bytes_and_a_missing_one_is_named(void **state)
{
    char path[] = "/tmp/aff_test_input_XXXXXX", byte[8000];
    struct aff_error error = {.text = ""};
    size_t size = 1;
    bool regular = false;

    (void)state;
    write_file(path, "", 0);
    assert_int_equal(read_all(path, byte, &size, &error), AFF_OK);
    assert_int_equal(size, 0);
    assert_int_equal(aff_input_is_regular(path, &regular, &error), AFF_OK);
    assert_true(regular);
    (void)unlink(path);
    assert_int_equal(read_all(path, byte, &size, &error), AFF_IO);
    assert_non_null(strstr(error.text, "No such file"));
    assert_int_equal(aff_input_is_regular("/tmp", &regular, &error), AFF_IO);
    assert_int_equal(aff_input_is_regular("-", &regular, &error), AFF_OK);
    assert_false(regular);
}

static void the_hash_follows_the_content(void **state)
{
    char a[] = "/tmp/aff_test_input_XXXXXX", b[] = "/tmp/aff_test_input_XXXXXX",
         c[] = "/tmp/aff_test_input_XXXXXX";
    uint64_t hashes[3] = {1, 1, 1};
    struct aff_error error;

    (void)state;
    write_file(a, "abc", 3);
    write_file(b, "abc", 3);
    write_file(c, "abd", 3);
    assert_int_equal(aff_input_hash(a, &hashes[0], &error), AFF_OK);
    assert_int_equal(aff_input_hash(b, &hashes[1], &error), AFF_OK);
    assert_int_equal(aff_input_hash(c, &hashes[2], &error), AFF_OK);
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
    (void)unlink(a);
    (void)unlink(b);
    (void)unlink(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_packed_files_are_read_alike),
        cmocka_unit_test(packed_files_that_are_cut_off_or_damaged_are_errors),
        cmocka_unit_test(an_empty_file_has_no_bytes_and_a_missing_one_is_named),
        cmocka_unit_test(the_hash_follows_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
