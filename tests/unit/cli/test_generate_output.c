/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/output.h"

#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

enum { TEXT = 3000000 };

struct place {
    char folder[64], path[128];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    (void)strcpy(place->folder, "/tmp/affinity-output-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    (void)unlink(place->path);
    assert_int_equal(rmdir(place->folder), 0); /* nothing else may be left */
    free(place);
    return 0;
}

static struct aff_output *begin(struct place *place, enum aff_compression compression)
{
    struct aff_output *output;
    struct aff_error error;

    (void)snprintf(place->path, sizeof place->path, "%s/t.csv%s", place->folder,
                   aff_compression_suffix(compression));
    assert_int_equal(aff_output_new(place->folder, "t.csv", compression, &output, &error), AFF_OK);
    return output;
}

static void end(struct aff_output *output)
{
    struct aff_error error;

    assert_int_equal(aff_output_finish(output, &error), AFF_OK);
    assert_int_equal(aff_output_publish(output, &error), AFF_OK);
    aff_output_free(output);
}

/* Up to `size` bytes of the file. */
static size_t read_whole(const char *path, char *into, size_t size)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t got = fread(into, 1, size, file);
    (void)fclose(file);
    return got;
}

static char *random_text(void)
{
    char *text = malloc(TEXT);
    struct aff_random random = {8};

    assert_non_null(text);
    for (size_t i = 0; i < TEXT; i++)
        text[i] = (char)('a' + aff_random_below(&random, 20));
    return text;
}

static void plain_files_hold_what_was_written(void **state)
{
    struct place *place = *state;
    struct aff_output *output = begin(place, AFF_COMPRESS_NONE);
    char *text = random_text(), *back = malloc(TEXT + 1);

    aff_output_write(output, text, TEXT - 5);
    memcpy(aff_output_reserve(output, 100), text + TEXT - 5, 5);
    aff_output_advance(output, 5);
    end(output);
    assert_int_equal(read_whole(place->path, back, TEXT + 1), TEXT);
    assert_memory_equal(back, text, TEXT);
    free(text);
    free(back);
}

static void gzip_files_unpack_to_what_was_written(void **state)
{
    struct place *place = *state;
    struct aff_output *output = begin(place, AFF_COMPRESS_GZIP);
    char *text = random_text(), *back = malloc(TEXT + 1);

    aff_output_write(output, text, TEXT);
    end(output);
    gzFile file = gzopen(place->path, "rb");
    assert_non_null(file);
    assert_int_equal(gzread(file, back, TEXT + 1), TEXT);
    assert_int_equal(gzclose(file), Z_OK);
    assert_memory_equal(back, text, TEXT);
    free(text);
    free(back);
}

static void zstd_files_unpack_to_what_was_written(void **state)
{
    struct place *place = *state;
    struct aff_output *output = begin(place, AFF_COMPRESS_ZSTD);
    char *text = random_text(), *packed = malloc(TEXT), *back = malloc(TEXT + 1);
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();

    aff_output_write(output, text, TEXT);
    end(output);
    ZSTD_inBuffer in = {packed, read_whole(place->path, packed, TEXT), 0};
    ZSTD_outBuffer out = {back, TEXT + 1, 0};
    assert_int_equal(ZSTD_decompressStream(unpacker, &out, &in), 0);
    assert_int_equal(in.pos, in.size);
    assert_int_equal(out.pos, TEXT);
    assert_memory_equal(back, text, TEXT);
    (void)ZSTD_freeDCtx(unpacker);
    free(text);
    free(packed);
    free(back);
}

static void fields_are_quoted_only_when_they_must_be(void **state)
{
    struct place *place = *state;
    struct aff_output *output = begin(place, AFF_COMPRESS_NONE);
    char back[200];
    const char *const fields[] = {"plain", "with, comma", "a \"quoted\" word", "two\nlines", ""};
    const char wanted[] = "plain|\"with, comma\"|\"a \"\"quoted\"\" word\"|\"two\nlines\"||";

    for (size_t i = 0; i < 5; i++) {
        aff_output_field(output, aff_text_of(fields[i]));
        aff_output_write(output, "|", 1);
    }
    end(output);
    assert_int_equal(read_whole(place->path, back, sizeof back), sizeof wanted - 1);
    assert_memory_equal(back, wanted, sizeof wanted - 1);
}

static void an_unpublished_file_disappears_and_spares_the_old_one(void **state)
{
    struct place *place = *state;
    struct aff_output *output = begin(place, AFF_COMPRESS_NONE);
    char back[10];

    aff_output_write(output, "old", 3);
    end(output);
    output = begin(place, AFF_COMPRESS_NONE);
    aff_output_write(output, "new", 3);
    assert_int_equal(aff_output_finish(output, NULL), AFF_OK);
    aff_output_free(output);
    assert_int_equal(read_whole(place->path, back, sizeof back), 3);
    assert_memory_equal(back, "old", 3);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct aff_output *output;
    struct aff_error error;

    (void)state;
    assert_int_equal(aff_output_new("/nonexistent", "t.csv", AFF_COMPRESS_NONE, &output, &error), AFF_IO);
    assert_non_null(strstr(error.text, "/nonexistent/t.csv"));
    aff_output_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_files_hold_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gzip_files_unpack_to_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zstd_files_unpack_to_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_are_quoted_only_when_they_must_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unpublished_file_disappears_and_spares_the_old_one, set_up,
                                        tear_down),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
