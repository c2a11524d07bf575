/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a request that writes. The first byte chooses what is written and in which form. */
#include "check_parameters.h"
#include "core/base/clock.h"
#include "core/learn/reviews.h"
#include "server/batch.h"
#include "sql/review/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define NOW_US (INT64_C(1800000000) * AFF_SECOND_US)
#define MOST 50

/* An order that was taken keeps all limits. */
static void check_order(const struct aff_entry *entry)
{
    int64_t worth = 0;

    must(entry->n_lines <= AFF_ORDER_LINES_MAX);
    for (size_t i = 0; i < entry->n_lines; i++) {
        const struct aff_order_line *line = &entry->lines[i];
        int64_t units = line->quantity < 0 ? -(int64_t)line->quantity : line->quantity;
        must(aff_text_equal(line->order_id, entry->id) && aff_text_is_id(line->product_id));
        must(line->customer_id.size == 0 || aff_text_is_id(line->customer_id));
        must(line->ordered_at_us >= 0 && line->ordered_at_us <= NOW_US + AFF_DAY_US);
        must(units > 0 && line->unit_price >= 0 && line->unit_cost >= AFF_COST_UNKNOWN);
        must(line->unit_price <= AFF_MONEY_MAX && line->unit_cost <= AFF_MONEY_MAX);
        must(!line->cancels || line->quantity < 0);
        worth += units * line->unit_price;
        must(worth <= AFF_MONEY_MAX);
    }
}

static void check_row(const struct aff_entry *entry, unsigned columns, unsigned attributes)
{
    must(entry->given >> columns == 0);
    for (unsigned i = 0; i < columns; i++)
        must(aff_text_is_utf8(entry->values[i]));
    if ((entry->given >> attributes & 1) != 0)
        must(entry->values[attributes].size >= 2 && entry->values[attributes].at[0] == '{');
}

static void check_review(const struct aff_entry *entry)
{
    const struct aff_text *values = entry->values;

    must(entry->given <= AFF_VERDICT_REJECT);
    must(aff_text_is_id(values[AFF_REVIEW_PRODUCT]) && aff_text_is_id(values[AFF_REVIEW_OTHER]));
    must(!aff_text_equal(values[AFF_REVIEW_PRODUCT], values[AFF_REVIEW_OTHER]));
    must(aff_review_text_is_fit(values[AFF_REVIEW_BY], AFF_REVIEW_BY_MAX));
    must(aff_review_text_is_fit(values[AFF_REVIEW_NOTE], AFF_REVIEW_NOTE_MAX));
}

static void check_entry(const struct aff_batch *batch, const struct aff_entry *entry)
{
    must(aff_text_is_utf8(entry->errors));
    must((entry->status == AFF_ENTRY_REFUSED) == (entry->n_errors > 0));
    if (entry->status == AFF_ENTRY_REFUSED)
        return;
    if (batch->kind == AFF_BATCH_REVIEWS) {
        check_review(entry);
        return;
    }
    must(aff_text_is_id(entry->id));
    if (batch->kind == AFF_BATCH_ORDERS)
        check_order(entry);
    else if (batch->kind == AFF_BATCH_PRODUCTS)
        check_row(entry, AFF_PRODUCT_COLUMNS, AFF_PRODUCT_ATTRIBUTES);
    else
        check_row(entry, AFF_CUSTOMER_COLUMNS, AFF_CUSTOMER_ATTRIBUTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct aff_batch batch;
    struct aff_error error = {0};

    if (size == 0)
        return 0;
    const struct aff_batch_frame frame = {
        .kind = (enum aff_batch_kind)(bytes[0] / 2 % 4),
        .lines = bytes[0] % 2 == 1,
        .most = MOST,
        .store = {"main", 4},
        .currency = "EUR",
        .now_us = NOW_US,
    };
    if (aff_batch_read(&frame, (struct aff_text){(const char *)bytes + 1, size - 1}, &batch, &error) !=
        AFF_OK) {
        must(error.text[0] != '\0');
        return 0;
    }
    must(batch.n > 0 && batch.n <= MOST);
    for (size_t i = 0; i < batch.n; i++)
        check_entry(&batch, &batch.entries[i]);
    aff_batch_done(&batch);
    return 0;
}
