/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_orders.h"
#include "cli/import/run.h"
#include "cli/import/values.h"
#include "core/base/clock.h"
#include "sql/sessions/sessions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct sessions {
    struct aff_import *import;
    struct aff_pattern pattern;
    struct aff_session_intake intake;
    int64_t now_us, taken, no_product;
};

static struct aff_text field_of(const struct sessions *sessions, const struct aff_csv_record *record,
                                int field)
{
    return record->fields[sessions->import->files->columns.at[field]];
}

/* A time as in orders, or seconds since 1970 with or without decimals. */
static enum aff_reject read_time(const struct sessions *sessions, struct aff_text text, int64_t *ret_us)
{
    char number[32], *end = NULL;

    if (text.size == 0 || text.size >= sizeof number)
        return aff_value_time(text, sessions->now_us, ret_us);
    memcpy(number, text.at, text.size);
    number[text.size] = '\0';
    if (strspn(number, "0123456789.") != text.size)
        return aff_value_time(text, sessions->now_us, ret_us);
    const double at_s = strtod(number, &end);
    if (*end != '\0')
        return AFF_REJECT_TIME;
    if (!(at_s < (double)sessions->now_us / AFF_SECOND_US + 86400))
        return AFF_REJECT_TIME_RANGE;
    *ret_us = llround(at_s * AFF_SECOND_US);
    return AFF_REJECT_NONE;
}

static aff_status take_record(struct sessions *sessions, const struct aff_csv_record *record,
                              struct aff_error *reterr)
{
    struct aff_files *files = sessions->import->files;
    struct aff_text session = field_of(sessions, record, AFF_SESSION_FIELD_ID);
    struct aff_text product = field_of(sessions, record, AFF_SESSION_FIELD_PRODUCT);
    int64_t at_us = 0;
    int field = AFF_SESSION_FIELD_ID;
    enum aff_reject reason = aff_text_is_id(session) ? AFF_REJECT_NONE : AFF_REJECT_ID;

    if (reason == AFF_REJECT_NONE) {
        field = AFF_SESSION_FIELD_PRODUCT;
        reason = aff_text_is_id(product) ? AFF_REJECT_NONE : AFF_REJECT_ID;
    }
    if (reason == AFF_REJECT_NONE) {
        field = AFF_SESSION_FIELD_AT;
        reason = read_time(sessions, field_of(sessions, record, field), &at_us);
    }
    if (reason != AFF_REJECT_NONE)
        return aff_files_reject(files, record, files->columns.at[field], reason, reterr);
    if (!aff_pattern_matches(&sessions->pattern, product)) {
        sessions->no_product++;
        return AFF_OK;
    }
    sessions->taken++;
    if (sessions->import->connection != NULL)
        aff_session_intake_put(&sessions->intake, session, product, at_us);
    return AFF_OK;
}

static aff_status read_all(struct sessions *sessions, struct aff_error *reterr)
{
    for (;;) {
        struct aff_csv_record record;
        bool more = false;
        aff_status status = aff_files_next(sessions->import->files, &record, &more, reterr);
        if (status == AFF_OK && more)
            status = take_record(sessions, &record, reterr);
        if (status != AFF_OK || !more)
            return status;
    }
}

static void print_report(const struct sessions *sessions, const struct aff_session_report *report)
{
    if (sessions->import->connection == NULL) {
        aff_count_print(sessions->taken, "views are fine (nothing was stored)");
    } else {
        aff_count_print(report->sessions, "sessions");
        aff_count_print(sessions->taken, "views");
        aff_count_print(report->products_new, "new products, named by views only: they have no price yet");
    }
    aff_count_print(sessions->no_product, "rows left out: the product does not match the pattern");
}

aff_status aff_import_sessions(struct aff_import *import, struct aff_error *reterr)
{
    struct aff_session_report report = {0};
    struct sessions sessions = {.import = import, .now_us = aff_clock_now_us()};
    aff_status status = aff_pattern_open(&sessions.pattern, import->options->rules.product_pattern, reterr);

    if (status == AFF_OK && import->connection != NULL)
        status = aff_session_intake_open(&sessions.intake, import->connection, import->store, reterr);
    if (status == AFF_OK)
        status = read_all(&sessions, reterr);
    if (status == AFF_OK)
        aff_progress_finish(import->progress, import->files->records);
    if (status == AFF_OK && import->connection != NULL)
        status = aff_session_intake_apply(&sessions.intake, &report, reterr);
    if (status == AFF_OK)
        print_report(&sessions, &report);
    aff_session_intake_close(&sessions.intake);
    aff_pattern_close(&sessions.pattern);
    return status;
}
