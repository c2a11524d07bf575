/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_catalogue.h"
#include "cli/import/read_orders.h"
#include "cli/import/run.h"
#include "core/base/money.h"
#include "sql/intake/catalogue.h"

#include <stdio.h>

struct catalogue {
    struct aff_import *import;
    struct aff_catalogue_reader reader;
    struct aff_pattern pattern;
    struct aff_catalogue_intake *intake; /* NULL: only check, or not opened yet */
    int64_t taken, no_product;
};

/* The columns are known when the first header has been read. */
static aff_status open_intake(struct catalogue *catalogue, struct aff_error *reterr)
{
    struct aff_import *import = catalogue->import;

    return aff_catalogue_intake_open(
        import->connection, import->store,
        import->options->what == AFF_IMPORT_PRODUCTS ? AFF_CATALOGUE_PRODUCTS : AFF_CATALOGUE_CUSTOMERS,
        aff_catalogue_columns(import->options->what, &import->files->columns), &catalogue->intake, reterr);
}

static aff_status take_record(struct catalogue *catalogue, const struct aff_csv_record *record,
                              struct aff_error *reterr)
{
    struct aff_files *files = catalogue->import->files;
    struct aff_text values[AFF_PRODUCT_COLUMNS];
    struct aff_text id;
    int column = 0;

    catalogue->reader.header = files->header;
    enum aff_reject reason = aff_catalogue_read(&catalogue->reader, record, &id, values, &column);
    if (reason != AFF_REJECT_NONE)
        return aff_files_reject(files, record, column, reason, reterr);
    if (!aff_pattern_matches(&catalogue->pattern, id)) {
        catalogue->no_product++;
        return AFF_OK;
    }
    catalogue->taken++;
    if (catalogue->import->connection == NULL)
        return AFF_OK;
    aff_status status = catalogue->intake == NULL ? open_intake(catalogue, reterr) : AFF_OK;
    if (status == AFF_OK)
        status = aff_catalogue_intake_put(catalogue->intake, id, values, reterr);
    return status;
}

static aff_status read_all(struct catalogue *catalogue, struct aff_error *reterr)
{
    for (;;) {
        struct aff_csv_record record;
        bool more = false;
        aff_status status = aff_files_next(catalogue->import->files, &record, &more, reterr);
        if (status == AFF_OK && more)
            status = take_record(catalogue, &record, reterr);
        if (status != AFF_OK || !more)
            return status;
    }
}

static void print_report(const struct catalogue *catalogue, const struct aff_catalogue_report *report)
{
    char texts[3][AFF_COUNT_TEXT];

    if (catalogue->import->connection == NULL)
        aff_count_print(catalogue->taken, "rows are fine (nothing was stored)");
    else
        (void)printf("%s: %s new, %s changed, %s unchanged\n",
                     aff_import_word(catalogue->import->options->what),
                     aff_count_text(report->added, texts[0]), aff_count_text(report->changed, texts[1]),
                     aff_count_text(report->unchanged, texts[2]));
    aff_count_print(report->repeated, "rows whose id came again later (the last one counts)");
    aff_count_print(catalogue->no_product, "rows left out: the product does not match the pattern");
    aff_count_print(catalogue->reader.rounded, "rows with an amount that was rounded");
}

aff_status aff_import_catalogue(struct aff_import *import, struct aff_error *reterr)
{
    const struct aff_rules *rules = &import->options->rules;
    struct aff_catalogue_report report = {0};
    struct catalogue catalogue = {
        .import = import,
        .reader = {.what = import->options->what,
                   .rules = rules,
                   .columns = &import->files->columns,
                   .digits = aff_currency_digits(import->currency)},
    };
    aff_status status =
        aff_pattern_open(&catalogue.pattern,
                         import->options->what == AFF_IMPORT_PRODUCTS ? rules->product_pattern : "", reterr);

    if (status == AFF_OK)
        status = read_all(&catalogue, reterr);
    if (status == AFF_OK)
        aff_progress_finish(import->progress, import->files->records);
    if (status == AFF_OK && catalogue.intake != NULL)
        status = aff_catalogue_intake_apply(catalogue.intake, &report, reterr);
    if (status == AFF_OK)
        print_report(&catalogue, &report);
    aff_catalogue_intake_close(catalogue.intake);
    aff_catalogue_reader_done(&catalogue.reader);
    aff_pattern_close(&catalogue.pattern);
    return status;
}
