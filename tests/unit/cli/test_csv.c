/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/csv.h"
#include "core/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Gives out a text in pieces of `piece` bytes. */
struct text_source {
    const char *at;
    size_t left, piece;
    bool fails;
};

static aff_status give(void *context, char *into, size_t size, size_t *ret_size, struct aff_error *reterr)
{
    struct text_source *source = context;
    size_t n = source->left < source->piece ? source->left : source->piece;

    if (source->fails)
        return aff_error_set(reterr, AFF_IO, "the disk is gone");
    n = n < size ? n : size;
    memcpy(into, source->at, n);
    source->at += n;
    source->left -= n;
    *ret_size = n;
    return AFF_OK;
}

/* Writes what the reader says about `text` as "line:field|field|" or "line!fault column 'raw'", one record a
 * line. */
static char *tell(const char *text, size_t size, size_t piece, char separator, size_t n_columns)
{
    struct text_source source = {text, size, piece, false};
    struct aff_csv_reader reader;
    struct aff_csv_record record;
    struct aff_error error;
    char *told = NULL;
    size_t told_size = 0;
    FILE *out = open_memstream(&told, &told_size);
    bool more = true;

    assert_int_equal(aff_csv_open(&reader, give, &source, separator, &error), AFF_OK);
    reader.n_columns = n_columns;
    for (;;) {
        assert_int_equal(aff_csv_read(&reader, &record, &more, &error), AFF_OK);
        if (!more)
            break;
        if (record.fault != AFF_CSV_FINE) {
            (void)fprintf(out, "%d!%d %zu '%.*s'\n", (int)record.line, (int)record.fault, record.column,
                          (int)(record.raw.size > 40 ? 40 : record.raw.size), record.raw.at);
            continue;
        }
        (void)fprintf(out, "%d:", (int)record.line);
        for (size_t i = 0; i < record.n_fields; i++)
            (void)fprintf(out, "%.*s|", (int)record.fields[i].size, record.fields[i].at);
        (void)fputc('\n', out);
    }
    aff_csv_close(&reader);
    (void)fclose(out);
    return told;
}

static void expect(const char *text, size_t n_columns, const char *expected)
{
    for (size_t piece = 1; piece < 20; piece += 6) {
        char *told = tell(text, strlen(text), piece, '\0', n_columns);
        assert_string_equal(told, expected);
        free(told);
    }
}

static void fields_are_split_at_separators(void **state)
{
    (void)state;
    expect("a,b,c\n1,,3\n", 0, "1:a|b|c|\n2:1||3|\n");
    expect("a\n", 0, "1:a|\n");
    expect("a,b", 0, "1:a|b|\n");
    expect(",\n", 0, "1:||\n");
    expect("", 0, "");
}

static void separators_are_found_out(void **state)
{
    (void)state;
    expect("a;b;c,d\n1;2;3\n", 0, "1:a|b|c,d|\n2:1|2|3|\n");
    expect("a\tb,c\td\n", 0, "1:a|b,c|d|\n");
    expect("\"a;a;a\",b\n", 0, "1:a;a;a|b|\n");
    char *told = tell("a|b,c\n", 6, 9, '|', 0);
    assert_string_equal(told, "1:a|b,c|\n");
    free(told);
}

static void quoted_fields_keep_separators_line_ends_and_quotes(void **state)
{
    (void)state;
    expect("a,\"b,\n\"\"c\"\"\",d\ne,f,g\n", 3, "1:a|b,\n\"c\"|d|\n3:e|f|g|\n");
    expect("\"\",\"\"\"\"\n", 0, "1:|\"|\n");
    expect("\"a\"\"b\",\"c\"\"d\"\n", 0, "1:a\"b|c\"d|\n");
    expect("12\" ruler,b\n", 0, "1:12\" ruler|b|\n");
}

static void windows_line_ends_and_byte_order_marks_are_no_content(void **state)
{
    (void)state;
    expect("\xEF\xBB\xBF"
           "a,b\r\n1,\"2\"\r\n3,4\r",
           2, "1:a|b|\n2:1|2|\n3:3|4|\n");
    expect("a,\"x\r\ny\"\r\n", 0, "1:a|x\r\ny|\n");
    expect("\xEF\xBB\xBF", 0, "");
}

static void blank_lines_are_no_records(void **state)
{
    (void)state;
    expect("\n\r\na,b\n\n\r\n1,2\n\n", 2, "3:a|b|\n6:1|2|\n");
}

static void records_with_the_wrong_number_of_columns_are_rejected_alone(void **state)
{
    (void)state;
    expect("a,b\n1\n1,2,3\n4,5\n", 2, "1:a|b|\n2!4 2 '1'\n3!5 3 '1,2,3'\n4:4|5|\n");
}

static void an_open_quote_costs_one_line(void **state)
{
    (void)state;
    expect("a,\"b\nc,d\ne,f\n", 2, "1!1 2 'a,\"b'\n2:c|d|\n3:e|f|\n");
    expect("a,b\nc,\"d", 2, "1:a|b|\n2!1 2 'c,\"d'\n");
    /* The quote is closed by one three lines later: still only its own line goes. */
    expect("a,\"b\nc,d\ne,f\ng,\"h\"\n", 2, "1!2 2 'a,\"b'\n2:c|d|\n3:e|f|\n4:g|h|\n");
}

static void text_after_a_closing_quote_is_rejected(void **state)
{
    (void)state;
    expect("\"a\"b,c\nd,e\n", 2, "1!2 1 '\"a\"b,c'\n2:d|e|\n");
    expect("\"a\" ,c\nd,e\n", 2, "1!2 1 '\"a\" ,c'\n2:d|e|\n");
    expect("\"a\"\rb,c\nd,e\n", 2, "1!2 1 '\"a\"\rb,c'\n2:d|e|\n");
}

static void bytes_that_are_no_text_are_rejected(void **state)
{
    static const char broken[] = "a,b\nc,\xFF\nd,e\n", with_nul[] = "a\0,b\nd,e\n",
                      cut[] = "a,\xC3\xA4 \xE2\x82\xAC\nlonger than eight \xC3\n";
    char *told;

    (void)state;
    told = tell(broken, sizeof broken - 1, 5, ',', 2);
    assert_string_equal(told, "1:a|b|\n2!7 2 'c,\xFF'\n3:d|e|\n");
    free(told);
    told = tell(with_nul, sizeof with_nul - 1, 5, ',', 2);
    assert_memory_equal(told, "1!6 1 'a", 8);
    free(told);
    told = tell(cut, sizeof cut - 1, 5, ',', 0);
    assert_string_equal(told, "1:a|\xC3\xA4 \xE2\x82\xAC|\n2!7 1 'longer than eight \xC3'\n");
    free(told);
}

/* A first line, a record of `size` bytes without line end, a last line. */
static char *around(size_t size, char filling, const char *start, const char *rest, size_t *ret_size)
{
    char *text = malloc(size + 64);
    size_t at = (size_t)sprintf(text, "a,b\n%s", start);
    size_t fill = 4 + size - at;

    memset(text + at, filling, fill);
    at += fill;
    at += (size_t)sprintf(text + at, "%s", rest);
    *ret_size = at;
    return text;
}

static void a_record_of_64_kib_is_read_and_a_longer_one_rejected(void **state)
{
    size_t size;
    char *text, *told;

    (void)state;
    text = around(AFF_CSV_RECORD_MAX, 'x', "c,", "\nd,e\n", &size);
    told = tell(text, size, 4000, ',', 2);
    assert_non_null(strstr(told, "\n2:c|xxx"));
    assert_non_null(strstr(told, "x|\n3:d|e|\n"));
    free(told);
    free(text);
    text = around(AFF_CSV_RECORD_MAX + 1, 'x', "c,", "\nd,e\n", &size);
    told = tell(text, size, 4000, ',', 2);
    assert_string_equal(told, "1:a|b|\n2!3 2 'c,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n3:d|e|\n");
    free(told);
    free(text);
    /* Far longer than the buffer, and the last one. */
    text = around(20 * AFF_CSV_RECORD_MAX, 'x', "c,", "", &size);
    told = tell(text, size, 100000, ',', 2);
    assert_string_equal(told, "1:a|b|\n2!3 2 'c,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n");
    free(told);
    free(text);
    /* A quote that is not closed within 64 KiB costs its line. */
    text = around(2 * AFF_CSV_RECORD_MAX, '\n', "c,\"", "d,e\n", &size);
    told = tell(text, size, 100000, ',', 2);
    assert_memory_equal(told, "1:a|b|\n2!1 2 'c,\"'\n", 19);
    assert_non_null(strstr(told, ":d|e|\n"));
    free(told);
    free(text);
}

static void too_many_columns_do_not_overflow(void **state)
{
    char *text = malloc(AFF_CSV_COLUMNS_MAX + 8);
    char *told;

    (void)state;
    memset(text, ',', AFF_CSV_COLUMNS_MAX);
    memcpy(text + AFF_CSV_COLUMNS_MAX, "\na\n", 3);
    told = tell(text, AFF_CSV_COLUMNS_MAX + 3, 100, ',', 0);
    assert_memory_equal(told, "1!5 1025 ',,,", 13);
    assert_non_null(strstr(told, "\n2:a|\n"));
    free(told);
    free(text);
}

static void a_failing_source_is_reported(void **state)
{
    struct text_source source = {"", 0, 1, true};
    struct aff_csv_reader reader;
    struct aff_csv_record record;
    struct aff_error error = {.text = ""};
    bool more = true;

    (void)state;
    assert_int_equal(aff_csv_open(&reader, give, &source, '\0', &error), AFF_OK);
    assert_int_equal(aff_csv_read(&reader, &record, &more, &error), AFF_IO);
    assert_string_equal(error.text, "the disk is gone");
    aff_csv_close(&reader);
}

/* Random records, written by the rules of RFC 4180, come back as they were. */
static void what_is_written_is_read_back(void **state)
{
    static const char alphabet[] = "ab,;\"\"\r\n \t\xC3\xA4";
    enum { ROUNDS = 2000, COLUMNS = 4, LONGEST = 12 };

    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct aff_random random = {seed};
        char *text = NULL, *expected = NULL;
        size_t text_size = 0, expected_size = 0;
        FILE *csv = open_memstream(&text, &text_size), *plain = open_memstream(&expected, &expected_size);
        size_t rows = aff_random_below(&random, 5), line = 1;
        for (size_t row = 0; row < rows; row++) {
            (void)fprintf(plain, "%zu:", line);
            for (size_t column = 0; column < COLUMNS; column++) {
                (void)fputs(column == 0 ? "\"" : ",\"", csv);
                for (size_t n = aff_random_below(&random, LONGEST); n > 0; n--) {
                    size_t at = aff_random_below(&random, sizeof alphabet - 2);
                    size_t size = at == sizeof alphabet - 3 ? 2 : 1; /* the last character has two bytes */
                    line += alphabet[at] == '\n';
                    (void)fprintf(csv, "%.*s%s", (int)size, alphabet + at, alphabet[at] == '"' ? "\"" : "");
                    (void)fprintf(plain, "%.*s", (int)size, alphabet + at);
                }
                (void)fputc('"', csv);
                (void)fputc('|', plain);
            }
            line++;
            (void)fputs(aff_random_below(&random, 2) == 0 ? "\n" : "\r\n", csv);
            (void)fputc('\n', plain);
        }
        (void)fclose(csv);
        (void)fclose(plain);
        char *told = tell(text, text_size, 1 + aff_random_below(&random, 50), ',', COLUMNS);
        if (strcmp(told, expected) != 0)
            print_error("seed %d\n", (int)seed);
        assert_string_equal(told, expected);
        free(told);
        free(text);
        free(expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_split_at_separators),
        cmocka_unit_test(separators_are_found_out),
        cmocka_unit_test(quoted_fields_keep_separators_line_ends_and_quotes),
        cmocka_unit_test(windows_line_ends_and_byte_order_marks_are_no_content),
        cmocka_unit_test(blank_lines_are_no_records),
        cmocka_unit_test(records_with_the_wrong_number_of_columns_are_rejected_alone),
        cmocka_unit_test(an_open_quote_costs_one_line),
        cmocka_unit_test(text_after_a_closing_quote_is_rejected),
        cmocka_unit_test(bytes_that_are_no_text_are_rejected),
        cmocka_unit_test(a_record_of_64_kib_is_read_and_a_longer_one_rejected),
        cmocka_unit_test(too_many_columns_do_not_overflow),
        cmocka_unit_test(a_failing_source_is_reported),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
