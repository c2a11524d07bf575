/* SPDX-License-Identifier: Apache-2.0 */
/* From a record of a file to the columns of a product or a customer. */
#pragma once

#include "cli/import/columns.h"
#include "cli/import/csv.h"
#include "cli/import/rejects.h"
#include "cli/import/rules.h"
#include "sql/intake/catalogue.h"
#include "json/writer.h"

#include <stdint.h>

/* Set to zero, fill the first part, and call aff_catalogue_reader_done() in the end. */
struct aff_catalogue_reader {
    enum aff_import_what what; /* AFF_IMPORT_PRODUCTS or AFF_IMPORT_CUSTOMERS */
    const struct aff_rules *rules;
    const struct aff_columns *columns; /* of the current file */
    const struct aff_text *header;     /* of the current file: names of attributes */
    int digits;                        /* of the currency */
    int64_t rounded;                   /* rows with an amount that was rounded */

    char numbers[AFF_PRODUCT_COLUMNS][24]; /* texts of the current row's numbers */
    struct aff_json attributes;
};

/* Which columns the file has, as bits for aff_catalogue_intake_open(). */
unsigned aff_catalogue_columns(enum aff_import_what what, const struct aff_columns *columns);

/* Reads a well-formed record. `ret_values` (AFF_PRODUCT_COLUMNS entries) is for aff_catalogue_intake_put()
 * and valid until the next call. *ret_field is the column of the file, from 0, that is wrong. */
enum aff_reject aff_catalogue_read(struct aff_catalogue_reader *reader, const struct aff_csv_record *record,
                                   struct aff_text *ret_id, struct aff_text ret_values[], int *ret_column);

void aff_catalogue_reader_done(struct aff_catalogue_reader *reader);
