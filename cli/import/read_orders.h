/* SPDX-License-Identifier: Apache-2.0 */
/* From a record of a file to an order line: checks, cancellations, lines that are left out. */
#pragma once

#include "cli/import/columns.h"
#include "cli/import/csv.h"
#include "cli/import/rejects.h"
#include "cli/import/rules.h"
#include "core/intake/line.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

enum aff_line_outcome {
    AFF_LINE_TAKEN,
    AFF_LINE_REJECTED,
    AFF_LINE_NO_PRODUCT, /* left out: the product's id does not match the pattern */
    AFF_LINE_FREE,       /* left out: a price of zero */
};

/* Whether ids match the pattern, remembered: a regular expression costs more than all else that happens to a
 * line. */
struct aff_pattern {
    regex_t compiled;
    bool given;
    struct aff_pattern_memo *memo;
};

/* `pattern` must be one that aff_rules_set() accepted; "" accepts every id. */
AFF_MUST_CHECK aff_status aff_pattern_open(struct aff_pattern *ret, const char *pattern,
                                           struct aff_error *reterr);
bool aff_pattern_matches(struct aff_pattern *pattern, struct aff_text id);
void aff_pattern_close(struct aff_pattern *pattern);

struct aff_order_reader {
    const struct aff_rules *rules;
    const struct aff_columns *columns; /* of the current file */
    struct aff_pattern pattern;
    int digits;           /* of the currency */
    const char *currency; /* of the store */
    int64_t now_us;
    struct aff_text cancellation_prefix;
    int64_t rounded;    /* lines with a price that was rounded */
    int64_t turned;     /* lines of cancellations whose quantity was positive: counted as returns */
    char time_text[40]; /* lines of one order repeat its time: read it once */
    size_t time_size;
    int64_t time_us;
};

/* Reads a well-formed record. The line's texts are those of the record. *ret_reason and *ret_field (a field
 * of enum aff_order_field) say why it was rejected. */
enum aff_line_outcome aff_order_read(struct aff_order_reader *reader, const struct aff_csv_record *record,
                                     struct aff_order_line *ret, enum aff_reject *ret_reason, int *ret_field);
