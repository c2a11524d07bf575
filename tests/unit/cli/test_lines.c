/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static char path[] = "/tmp/affinity-lines-XXXXXX";
static struct aff_lines lines;

static int make(void **state)
{
    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int done(void **state)
{
    (void)state;
    aff_lines_done(&lines);
    return unlink(path);
}

static void write_plain(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void opens(void)
{
    struct aff_error error;
    assert_int_equal(aff_lines_open(&lines, path, &error), AFF_OK);
}

static void next_is(const char *expected, uint64_t number)
{
    struct aff_error error;
    struct aff_text line;
    bool more = false;

    assert_int_equal(aff_lines_next(&lines, &line, &more, &error), AFF_OK);
    assert_true(more);
    assert_int_equal(line.size, strlen(expected));
    assert_memory_equal(line.at, expected, line.size);
    assert_int_equal(lines.number, number);
}

static void no_more(void)
{
    struct aff_error error;
    struct aff_text line;
    bool more = true;

    assert_int_equal(aff_lines_next(&lines, &line, &more, &error), AFF_OK);
    assert_false(more);
}

static void line_breaks_are_taken_off(void **state)
{
    (void)state;
    write_plain("one\ntwo\r\n\nlast", 14);
    opens();
    next_is("one", 1);
    next_is("two", 2);
    next_is("", 3);
    next_is("last", 4);
    no_more();
    no_more();
}

static void an_empty_file_has_no_line(void **state)
{
    (void)state;
    opens();
    no_more();
}

static void gzip_reads_as_plain_text(void **state)
{
    (void)state;
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 100000; i++)
        assert_true(gzprintf(file, "line %d\n", i) > 0);
    assert_int_equal(gzclose(file), Z_OK);
    opens();
    for (int i = 0; i < 100000; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "line %d", i);
        next_is(expected, (uint64_t)i + 1);
    }
    no_more();
}

static void gzip_that_is_cut_off_is_an_error(void **state)
{
    struct aff_error error = {0};
    struct aff_text line;
    bool more;
    aff_status status = AFF_OK;

    (void)state;
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        assert_true(gzprintf(file, "line %d\n", i * 7919) > 0);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(truncate(path, 1500), 0);
    opens();
    for (more = true; status == AFF_OK && more;)
        status = aff_lines_next(&lines, &line, &more, &error);
    assert_int_equal(status, AFF_IO);
    assert_non_null(strstr(error.text, "cut off"));
}

static void a_line_that_is_too_long_is_skipped_and_counted(void **state)
{
    struct aff_error error;
    struct aff_text line;
    bool more;
    size_t size = 2 * AFF_LINE_MAX + 100;
    char *bytes = malloc(size);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    memcpy(bytes, "first\n", 6);
    memcpy(bytes + size - 6, "\nlast\n", 6);
    write_plain(bytes, size);
    free(bytes);
    opens();
    next_is("first", 1);
    assert_int_equal(aff_lines_next(&lines, &line, &more, &error), AFF_LIMIT);
    assert_int_equal(lines.number, 2);
    next_is("last", 3);
    no_more();
}

static void the_longest_line_is_read_whole(void **state)
{
    struct aff_error error;
    struct aff_text line;
    bool more = false;
    char *bytes = malloc(AFF_LINE_MAX + 3);

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', AFF_LINE_MAX);
    memcpy(bytes + AFF_LINE_MAX, "\ny\n", 3);
    write_plain(bytes, AFF_LINE_MAX + 3);
    free(bytes);
    opens();
    assert_int_equal(aff_lines_next(&lines, &line, &more, &error), AFF_OK);
    assert_int_equal(line.size, AFF_LINE_MAX);
    next_is("y", 2);
    no_more();
}

static void a_missing_file_is_named(void **state)
{
    struct aff_error error;

    (void)state;
    assert_int_equal(aff_lines_open(&lines, "/nowhere/at-all", &error), AFF_IO);
    assert_non_null(strstr(error.text, "/nowhere/at-all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(line_breaks_are_taken_off, make, done),
        cmocka_unit_test_setup_teardown(an_empty_file_has_no_line, make, done),
        cmocka_unit_test_setup_teardown(gzip_reads_as_plain_text, make, done),
        cmocka_unit_test_setup_teardown(gzip_that_is_cut_off_is_an_error, make, done),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_skipped_and_counted, make, done),
        cmocka_unit_test_setup_teardown(the_longest_line_is_read_whole, make, done),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named, make, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
