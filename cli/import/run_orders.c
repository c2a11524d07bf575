/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_orders.h"
#include "cli/import/run.h"
#include "core/base/clock.h"
#include "core/base/money.h"
#include "sql/intake/intake.h"

#include <stdio.h>

struct orders {
    struct aff_import *import;
    struct aff_order_reader reader;
    struct aff_intake *intake; /* NULL: only check */
    int64_t taken, no_product, free;
    const char *step; /* what the database is doing after all has been read; NULL: it has not begun */
    int64_t step_started_us;
};

static aff_status read_all(struct orders *orders, struct aff_error *reterr)
{
    struct aff_files *files = orders->import->files;

    for (;;) {
        struct aff_csv_record record;
        struct aff_order_line line;
        enum aff_reject reason = AFF_REJECT_NONE;
        int field = 0;
        bool more = false;
        aff_status status = aff_files_next(files, &record, &more, reterr);
        if (status != AFF_OK || !more)
            return status;
        switch (aff_order_read(&orders->reader, &record, &line, &reason, &field)) {
        case AFF_LINE_TAKEN:
            orders->taken++;
            if (orders->intake != NULL)
                status = aff_intake_put(orders->intake, &line, reterr);
            break;
        case AFF_LINE_REJECTED:
            status = aff_files_reject(files, &record, files->columns.at[field], reason, reterr);
            break;
        case AFF_LINE_NO_PRODUCT:
            orders->no_product++;
            break;
        case AFF_LINE_FREE:
            orders->free++;
            break;
        }
        if (status != AFF_OK)
            return status;
    }
}

/* Nothing says how far the database is within a step, so each is told when it begins, and how long it took
 * when it is over. */
static void end_step(struct orders *orders)
{
    double took_s = (double)(aff_clock_monotonic_us() - orders->step_started_us) / (double)AFF_SECOND_US;

    if (orders->step != NULL && !orders->import->options->settings.quiet)
        (void)fprintf(stderr, "%s: done in %.1f s\n", orders->step, took_s);
}

static void show_step(void *context, const char *what)
{
    struct orders *orders = context;

    end_step(orders);
    orders->step = what;
    orders->step_started_us = aff_clock_monotonic_us();
    if (!orders->import->options->settings.quiet)
        (void)fprintf(stderr, "%s\n", what);
}

static void print_report(const struct orders *orders, const struct aff_intake_report *report)
{
    char texts[3][AFF_COUNT_TEXT];
    char note[256];

    if (orders->intake == NULL)
        aff_count_print(orders->taken, "order lines are fine (nothing was stored)");
    else
        (void)printf("orders: %s new, %s changed, %s unchanged\n",
                     aff_count_text(report->orders_new, texts[0]),
                     aff_count_text(report->orders_changed, texts[1]),
                     aff_count_text(report->orders_unchanged, texts[2]));
    aff_count_print(report->lines, "lines stored");
    aff_count_print(report->products_new, "products seen for the first time");
    aff_count_print(report->products_priced, "products had no price and have that of their newest sale");
    aff_count_print(report->customers_new, "customers seen for the first time");
    aff_count_print(report->returns_matched, "returns matched with purchases");
    aff_count_print(report->returns_partly, "returns matched for a part of their units");
    aff_count_print(report->returns_unmatched, "returns without an earlier purchase of the customer");
    aff_count_print(report->orders_several_customers,
                    "orders with several customers (the earliest line decided)");
    aff_count_print(orders->no_product, "lines left out: the product does not match the pattern");
    aff_count_print(orders->free, "lines left out: a price of zero");
    aff_count_print(orders->reader.turned,
                    "lines of cancellations with a positive quantity, taken as returns");
    aff_count_print(orders->reader.rounded, "lines with an amount that was rounded");
    if (report->orders_colliding > 0) {
        (void)snprintf(note, sizeof note, "orders rejected: another order has the same key (%.180s)",
                       report->colliding);
        aff_count_print(report->orders_colliding, note);
    }
}

static aff_status open_intake(struct orders *orders, struct aff_error *reterr)
{
    const struct aff_import *import = orders->import;
    struct aff_intake_options options = {.store = import->store,
                                         .job = import->job,
                                         .resumable = import->resumable,
                                         .restart = import->options->restart,
                                         .chunk = import->options->chunk};

    if (import->connection == NULL)
        return AFF_OK;
    aff_status status = aff_intake_open(import->connection, &options, &orders->intake, reterr);
    if (status != AFF_OK)
        return status;
    orders->reader.now_us = aff_intake_started_us(orders->intake);
    int64_t resumed = aff_intake_resumed(orders->intake);
    char text[AFF_COUNT_TEXT];
    if (resumed > 0 && !import->options->settings.quiet)
        (void)fprintf(stderr, "going on with an earlier import: %s lines are staged already\n",
                      aff_count_text(resumed, text));
    return AFF_OK;
}

aff_status aff_import_orders(struct aff_import *import, struct aff_error *reterr)
{
    const struct aff_rules *rules = &import->options->rules;
    struct aff_intake_report report = {0};
    struct orders orders = {
        .import = import,
        .reader = {.rules = rules,
                   .columns = &import->files->columns,
                   .digits = aff_currency_digits(import->currency),
                   .currency = import->currency,
                   .now_us = aff_clock_now_us(),
                   .cancellation_prefix = aff_text_of(rules->cancellation_prefix)},
    };
    aff_status status = aff_pattern_open(&orders.reader.pattern, rules->product_pattern, reterr);

    if (status == AFF_OK)
        status = open_intake(&orders, reterr);
    if (status == AFF_OK)
        status = read_all(&orders, reterr);
    if (status == AFF_OK)
        aff_progress_finish(import->progress, import->files->records);
    if (status == AFF_OK && orders.intake != NULL)
        status = aff_intake_apply(orders.intake, show_step, &orders, &report, reterr);
    if (status == AFF_OK)
        end_step(&orders);
    if (status == AFF_OK) {
        print_report(&orders, &report);
        import->files->rejects->total += report.orders_colliding;
    }
    aff_intake_close(orders.intake);
    aff_pattern_close(&orders.reader.pattern);
    return status;
}
