/* SPDX-License-Identifier: Apache-2.0 */
/* The CSV reader on any bytes: it must end, stay inside its buffers, count lines without going back, and give
 * out only well-formed text. */
#include "cli/import/csv.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *at;
    size_t left, piece;
};

static aff_status give(void *context, char *into, size_t size, size_t *ret_size, struct aff_error *reterr)
{
    struct bytes *bytes = context;
    size_t n = bytes->left < bytes->piece ? bytes->left : bytes->piece;

    (void)reterr;
    n = n < size ? n : size;
    memcpy(into, bytes->at, n);
    bytes->at += n;
    bytes->left -= n;
    *ret_size = n;
    return AFF_OK;
}

static void check(const struct aff_csv_record *record, size_t n_columns)
{
    assert(record->raw.size <= AFF_CSV_RECORD_MAX);
    if (record->fault != AFF_CSV_FINE)
        return;
    assert(n_columns == 0 || record->n_fields == n_columns);
    for (size_t i = 0; i < record->n_fields; i++)
        assert(aff_text_is_utf8(record->fields[i]));
}

/* The first byte says how the rest is given out and read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separators[] = {'\0', ',', ';', '\t'};
    struct aff_csv_reader reader;
    struct aff_csv_record record;
    struct aff_error error;
    uint64_t line = 0;
    bool more = true;

    if (size == 0)
        return 0;
    struct bytes bytes = {data + 1, size - 1, 1 + (size_t)(data[0] >> 4) * 17};
    if (aff_csv_open(&reader, give, &bytes, separators[data[0] & 3], &error) != AFF_OK)
        abort();
    for (;;) {
        if (aff_csv_read(&reader, &record, &more, &error) != AFF_OK)
            abort();
        if (!more)
            break;
        assert(record.line > line);
        line = record.line;
        check(&record, reader.n_columns);
        if (reader.n_columns == 0 && record.fault == AFF_CSV_FINE && (data[0] & 4) != 0)
            reader.n_columns = record.n_fields;
    }
    aff_csv_close(&reader);
    return 0;
}
