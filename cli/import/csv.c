/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/csv.h"

#include <stdlib.h>

enum { BUFFER_SIZE = 4 * AFF_CSV_RECORD_MAX };

/* Fills the buffer when a whole record might not be in it any more. */
static aff_status fill(struct aff_csv_reader *reader, struct aff_error *reterr)
{
    if (reader->source_ended || reader->end - reader->begin > AFF_CSV_RECORD_MAX)
        return AFF_OK;
    memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
    reader->end -= reader->begin;
    reader->begin = 0;
    while (!reader->source_ended && reader->end < BUFFER_SIZE) {
        size_t size = 0;
        aff_status status = reader->source(reader->context, reader->buffer + reader->end,
                                           BUFFER_SIZE - reader->end, &size, reterr);
        if (status != AFF_OK)
            return status;
        reader->end += size;
        reader->source_ended = size == 0;
    }
    return AFF_OK;
}

static char detect_separator(const char *at, const char *end)
{
    size_t commas = 0, semicolons = 0, tabs = 0;
    bool quoted = false;

    for (; at < end && (quoted || *at != '\n'); at++) {
        quoted = quoted != (*at == '"');
        commas += !quoted && *at == ',';
        semicolons += !quoted && *at == ';';
        tabs += !quoted && *at == '\t';
    }
    if (tabs > commas && tabs > semicolons)
        return '\t';
    return semicolons > commas ? ';' : ',';
}

static aff_status start(struct aff_csv_reader *reader, struct aff_error *reterr)
{
    static const char mark[] = {'\xEF', '\xBB', '\xBF'};
    aff_status status = fill(reader, reterr);

    if (status != AFF_OK)
        return status;
    if (reader->end >= sizeof mark && memcmp(reader->buffer, mark, sizeof mark) == 0)
        reader->begin = sizeof mark;
    if (reader->separator == '\0')
        reader->separator = detect_separator(reader->buffer + reader->begin, reader->buffer + reader->end);
    reader->started = true;
    return AFF_OK;
}

aff_status aff_csv_open(struct aff_csv_reader *reader, aff_csv_source *source, void *context, char separator,
                        struct aff_error *reterr)
{
    *reader =
        (struct aff_csv_reader){.source = source, .context = context, .separator = separator, .line = 1};
    reader->buffer = malloc(BUFFER_SIZE);
    reader->unquoted = malloc(AFF_CSV_RECORD_MAX);
    reader->fields = malloc(AFF_CSV_COLUMNS_MAX * sizeof reader->fields[0]);
    if (reader->buffer == NULL || reader->unquoted == NULL || reader->fields == NULL) {
        aff_csv_close(reader);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    return AFF_OK;
}

void aff_csv_close(struct aff_csv_reader *reader)
{
    free(reader->buffer);
    free(reader->unquoted);
    free(reader->fields);
    *reader = (struct aff_csv_reader){0};
}

/* The way through one record. `limit` is where it must have ended at the latest. */
struct scan {
    const char *at, *limit;
    char *copy; /* where the next unquoted field with doubled quotes goes */
    size_t n;   /* fields so far */
    enum aff_csv_fault fault;
};

/* Reads a field that begins after a quote; stops behind the closing one. */
static struct aff_text quoted_field(struct scan *scan)
{
    const char *start = scan->at, *from = scan->at;
    char *copy = scan->copy;

    for (;;) {
        const char *quote = memchr(scan->at, '"', (size_t)(scan->limit - scan->at));
        if (quote == NULL) {
            scan->fault = AFF_CSV_QUOTE_OPEN;
            return (struct aff_text){NULL, 0};
        }
        scan->at = quote + 1;
        bool doubled = scan->at < scan->limit && *scan->at == '"';
        if (!doubled && copy == scan->copy)
            return (struct aff_text){start, (size_t)(quote - start)};
        size_t size = (size_t)(quote - from) + (doubled ? 1 : 0);
        memcpy(copy, from, size);
        copy += size;
        if (!doubled) {
            struct aff_text field = {scan->copy, (size_t)(copy - scan->copy)};
            scan->copy = copy;
            return field;
        }
        from = ++scan->at;
    }
}

static struct aff_text plain_field(struct scan *scan, char separator)
{
    const char *start = scan->at, *at = start;

    while (at < scan->limit && *at != separator && *at != '\n')
        at++;
    scan->at = at;
    if (at > start && at[-1] == '\r' && (at == scan->limit || *at == '\n'))
        at--;
    return (struct aff_text){start, (size_t)(at - start)};
}

/* Passes what may stand between a closing quote and the next separator or line end: a carriage return before
 * the latter. */
static void pass_closed(struct scan *scan, char separator)
{
    if (scan->at < scan->limit && scan->at[0] == '\r' && (scan->at + 1 == scan->limit || scan->at[1] == '\n'))
        scan->at++;
    if (scan->at < scan->limit && *scan->at != separator && *scan->at != '\n')
        scan->fault = AFF_CSV_QUOTE_TEXT;
}

/* Reads fields up to the line end, which stays unread, or the limit. */
static void scan_fields(struct aff_csv_reader *reader, struct scan *scan)
{
    for (;;) {
        struct aff_text field;
        if (scan->at < scan->limit && *scan->at == '"') {
            scan->at++;
            field = quoted_field(scan);
            if (scan->fault == AFF_CSV_FINE)
                pass_closed(scan, reader->separator);
        } else {
            field = plain_field(scan, reader->separator);
        }
        if (scan->fault != AFF_CSV_FINE)
            return;
        if (scan->n < AFF_CSV_COLUMNS_MAX)
            reader->fields[scan->n] = field;
        scan->n++;
        if (scan->at >= scan->limit || *scan->at == '\n')
            return;
        scan->at++;
    }
}

/* The column of the first field with a NUL byte or bytes that are not UTF-8. */
static enum aff_csv_fault check_text(const struct aff_csv_record *record, size_t *ret_column)
{
    if (aff_text_is_utf8(record->raw))
        return AFF_CSV_FINE;
    for (size_t i = 0; i < record->n_fields; i++) {
        *ret_column = i + 1;
        if (record->fields[i].size > 0 && memchr(record->fields[i].at, '\0', record->fields[i].size) != NULL)
            return AFF_CSV_NUL;
        if (!aff_text_is_utf8(record->fields[i]))
            return AFF_CSV_NOT_UTF8;
    }
    return AFF_CSV_NOT_UTF8;
}

static size_t count_lines(const char *at, const char *end)
{
    size_t n = 0;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        n++;
    }
    return n;
}

/* Takes the record as `raw` up to `end`; the line end after it goes, too. */
static void take(struct aff_csv_reader *reader, const char *end, struct aff_csv_record *record)
{
    const char *start = reader->buffer + reader->begin, *stop = reader->buffer + reader->end;

    reader->line += count_lines(start, end);
    reader->begin = (size_t)(end - reader->buffer);
    if (end < stop && *end == '\n') {
        reader->begin++;
        reader->line++;
    }
    if (end > start && end[-1] == '\r')
        end--;
    record->raw = (struct aff_text){start, (size_t)(end - start)};
}

/* Throws away the rest of a line that is longer than a record may be; the buffer moves on, so that `record`
 * keeps only the fault. */
static aff_status skip_line(struct aff_csv_reader *reader, struct aff_error *reterr)
{
    for (;;) {
        const char *at = reader->buffer + reader->begin;
        const char *end = memchr(at, '\n', reader->end - reader->begin);
        if (end != NULL) {
            reader->begin = (size_t)(end + 1 - reader->buffer);
            reader->line++;
            return AFF_OK;
        }
        reader->begin = reader->end;
        if (reader->source_ended)
            return AFF_OK;
        aff_status status = fill(reader, reterr);
        if (status != AFF_OK)
            return status;
    }
}

/* Takes only the first line of a record whose structure is broken. */
static aff_status give_up(struct aff_csv_reader *reader, struct aff_csv_record *record,
                          struct aff_error *reterr)
{
    const char *start = reader->buffer + reader->begin;
    size_t left = reader->end - reader->begin;
    size_t reach = left < AFF_CSV_RECORD_MAX ? left : AFF_CSV_RECORD_MAX;
    const char *end = memchr(start, '\n', reach);

    if (end != NULL || reach < AFF_CSV_RECORD_MAX || left == reach) {
        take(reader, end != NULL ? end : start + reach, record);
        return AFF_OK;
    }
    record->fault = AFF_CSV_TOO_LONG;
    memcpy(reader->unquoted, start, reach);
    record->raw = (struct aff_text){reader->unquoted, reach};
    return skip_line(reader, reterr);
}

static bool skip_blank(struct aff_csv_reader *reader)
{
    const char *at = reader->buffer + reader->begin;
    size_t left = reader->end - reader->begin;
    size_t size = 0;

    if (left >= 1 && at[0] == '\n')
        size = 1;
    else if (left >= 2 && at[0] == '\r' && at[1] == '\n')
        size = 2;
    reader->begin += size;
    reader->line += size > 0;
    return size > 0;
}

static aff_status read_record(struct aff_csv_reader *reader, struct aff_csv_record *record,
                              struct aff_error *reterr)
{
    const char *start = reader->buffer + reader->begin, *end = reader->buffer + reader->end;
    bool cut = end - start > AFF_CSV_RECORD_MAX;
    struct scan scan = {
        .at = start, .limit = cut ? start + AFF_CSV_RECORD_MAX : end, .copy = reader->unquoted};

    scan_fields(reader, &scan);
    record->column = scan.n + (scan.fault != AFF_CSV_FINE);
    if (scan.fault == AFF_CSV_FINE && cut && scan.at == scan.limit && *scan.at != '\n')
        scan.fault = AFF_CSV_TOO_LONG;
    bool known = reader->n_columns > 0;
    if (scan.fault == AFF_CSV_FINE && known && scan.n < reader->n_columns) {
        scan.fault = AFF_CSV_TOO_FEW;
        record->column = scan.n + 1;
    } else if (scan.fault == AFF_CSV_FINE &&
               (scan.n > AFF_CSV_COLUMNS_MAX || (known && scan.n > reader->n_columns))) {
        scan.fault = AFF_CSV_TOO_MANY;
        record->column = known ? reader->n_columns + 1 : AFF_CSV_COLUMNS_MAX + 1;
    }
    record->fault = scan.fault;
    if (scan.fault != AFF_CSV_FINE)
        return give_up(reader, record, reterr);
    record->fields = reader->fields;
    record->n_fields = scan.n;
    take(reader, scan.at, record);
    record->fault = check_text(record, &record->column);
    return AFF_OK;
}

aff_status aff_csv_read(struct aff_csv_reader *reader, struct aff_csv_record *ret, bool *ret_more,
                        struct aff_error *reterr)
{
    aff_status status = reader->started ? AFF_OK : start(reader, reterr);

    do {
        if (status == AFF_OK)
            status = fill(reader, reterr);
        if (status != AFF_OK)
            return status;
    } while (skip_blank(reader));
    if (reader->begin == reader->end) {
        *ret_more = false;
        return AFF_OK;
    }
    struct aff_csv_record record = {.line = reader->line};
    status = read_record(reader, &record, reterr);
    if (status != AFF_OK)
        return status;
    *ret = record;
    *ret_more = true;
    return AFF_OK;
}
