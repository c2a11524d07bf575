/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/snapshot_write.h"

#include "core/base/clock.h"
#include "core/catalogue/frozen.h"
#include "core/customer/frozen.h"
#include "core/index/snapshot_sink.h"
#include "core/index/snapshot_traces.h"

#include <stdlib.h>

/* Bytes that are copied between one acquire and release. */
enum { SLICE_BYTES = 256 * 1024 };

struct writing {
    const struct aff_slot *slot;
    const struct aff_watch *watch;
    struct aff_snapshot_sink sink;
    struct aff_snapshot_head head;
    uint64_t about_bytes;  /* that there will be */
    uint32_t n_categories; /* that the products written so far need */
    /* These tell whether the model is still the one that the writing began with: batches leave the tables
     * where they are, and another model has been loaded at another time. */
    const struct aff_neighbours *together;
    int64_t loaded_at_us;
    const struct aff_traces *traces; /* whose arrays are copied a slice at a time */
};

/* Puts the item of a row into the sink. Leaves *ret_entries and the sink alone where the row has none. */
typedef aff_status (*put_fn)(struct writing *writing, const struct aff_model *model, uint32_t row,
                             uint64_t *ret_entries);

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

/* Products below this number are in the file; later ones, and what leads to them, are not. */
static uint32_t n_products(const struct writing *writing)
{
    return (uint32_t)writing->head.parts[AFF_SNAPSHOT_PRODUCTS].n;
}

static char *put_text(char *at, struct aff_text text)
{
    if (text.size > 0)
        memcpy(at, text.at, text.size);
    return at + text.size;
}

static aff_status put_product(struct writing *writing, const struct aff_model *model, uint32_t row,
                              uint64_t *ret_entries)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, row);
    const struct aff_snapshot_product item = {
        .price = product->price,
        .compare_at = product->compare_at,
        .cost = product->cost,
        .weight = product->weight,
        .revenue = product->revenue,
        .margin = product->margin,
        .last_at_us = product->last_at_us,
        .key = product->key,
        .stock = product->stock,
        .category_row = product->category_row,
        .orders = product->orders,
        .sessions = product->sessions,
        .id_size = (uint32_t)product->id.size,
        .name_size = (uint32_t)product->name.size,
        .brand_size = (uint32_t)product->brand.size,
        .n_attributes = product->n_attributes,
        .first_attribute = *ret_entries,
        .available = product->available,
        .durable = product->durable,
        .discounted = product->discounted,
    };
    size_t bytes = sizeof item + product->id.size + product->name.size + product->brand.size;

    for (uint32_t i = 0; i < product->n_attributes; i++)
        bytes += 2 * sizeof(uint32_t) + product->attributes[i].name.size + product->attributes[i].value.size;
    char *at = aff_snapshot_sink_take(&writing->sink, bytes);
    if (at == NULL)
        return AFF_NOMEM;
    memcpy(at, &item, sizeof item);
    at += sizeof item;
    for (uint32_t i = 0; i < product->n_attributes; i++) {
        const uint32_t sizes[] = {(uint32_t)product->attributes[i].name.size,
                                  (uint32_t)product->attributes[i].value.size};
        memcpy(at, sizes, sizeof sizes);
        at += sizeof sizes;
    }
    at = put_text(at, product->id);
    at = put_text(at, product->name);
    at = put_text(at, product->brand);
    for (uint32_t i = 0; i < product->n_attributes; i++) {
        at = put_text(at, product->attributes[i].name);
        at = put_text(at, product->attributes[i].value);
    }
    *ret_entries += product->n_attributes;
    if (product->category_row != AFF_NO_ROW && product->category_row >= writing->n_categories)
        writing->n_categories = product->category_row + 1;
    return AFF_OK;
}

static aff_status put_customer(struct writing *writing, const struct aff_model *model, uint32_t row,
                               uint64_t *ret_entries)
{
    const struct aff_history *history = aff_customers_at(model->customers, row);
    const struct aff_text id = aff_history_id(history);
    uint32_t n = 0;

    for (uint32_t i = 0; i < history->n; i++)
        n += history->purchases[i].row < n_products(writing);
    const struct aff_history item = {.orders = history->orders, .n = n, .id_size = (uint32_t)id.size};
    char *at =
        aff_snapshot_sink_take(&writing->sink, sizeof item + n * sizeof history->purchases[0] + id.size);
    if (at == NULL)
        return AFF_NOMEM;
    memcpy(at, &item, sizeof item);
    at += sizeof item;
    for (uint32_t i = 0; i < history->n; i++) {
        if (history->purchases[i].row >= n_products(writing))
            continue;
        memcpy(at, &history->purchases[i], sizeof history->purchases[i]);
        at += sizeof history->purchases[i];
    }
    (void)put_text(at, id);
    *ret_entries += n;
    return AFF_OK;
}

static aff_status put_row(struct writing *writing, const struct aff_row *row, uint64_t *ret_entries)
{
    uint32_t n = 0;

    for (uint32_t i = 0; row != NULL && i < row->n; i++)
        n += row->entries[i].row < n_products(writing);
    if (n == 0)
        return AFF_OK;
    char *at = aff_snapshot_sink_take(&writing->sink, aff_row_bytes(n));
    if (at == NULL)
        return AFF_NOMEM;
    *ret_entries += n;
    if (n == row->n) {
        memcpy(at, row, aff_row_bytes(n));
        return AFF_OK;
    }
    const struct aff_pair_counts *row_counts = aff_row_counts(row);
    const struct aff_row item = {.n = n};
    memcpy(at, &item, sizeof item);
    char *entries = at + sizeof item, *counts = entries + n * sizeof row->entries[0];
    for (uint32_t i = 0; i < row->n; i++) {
        if (row->entries[i].row >= n_products(writing))
            continue;
        memcpy(entries, &row->entries[i], sizeof row->entries[i]);
        memcpy(counts, &row_counts[i], sizeof row_counts[i]);
        entries += sizeof row->entries[i];
        counts += sizeof row_counts[i];
    }
    return AFF_OK;
}

static aff_status put_together(struct writing *writing, const struct aff_model *model, uint32_t row,
                               uint64_t *ret_entries)
{
    return put_row(writing, aff_neighbours_row(model->together, row), ret_entries);
}

static aff_status put_next(struct writing *writing, const struct aff_model *model, uint32_t row,
                           uint64_t *ret_entries)
{
    return put_row(writing, aff_neighbours_row(model->next, row), ret_entries);
}

static aff_status put_viewed(struct writing *writing, const struct aff_model *model, uint32_t row,
                             uint64_t *ret_entries)
{
    return put_row(writing, model->viewed == NULL ? NULL : aff_neighbours_row(model->viewed, row),
                   ret_entries);
}

static aff_status put_category(struct writing *writing, const struct aff_model *model, uint32_t row,
                               uint64_t *ret_entries)
{
    const struct aff_text path = aff_catalogue_category(model->catalogue, row);
    const uint32_t size = (uint32_t)path.size;
    char *at = aff_snapshot_sink_take(&writing->sink, sizeof size + path.size);

    (void)ret_entries;
    if (at == NULL)
        return AFF_NOMEM;
    memcpy(at, &size, sizeof size);
    (void)put_text(at + sizeof size, path);
    return AFF_OK;
}

/* Begins a look at the model; false: it is another one by now. Ends with aff_slot_release either way. */
static bool look(const struct writing *writing, const struct aff_model **ret_model)
{
    const struct aff_model *model = aff_slot_acquire(writing->slot);

    *ret_model = model;
    return model != NULL && model->together == writing->together &&
           model->loaded_at_us == writing->loaded_at_us;
}

/* Puts items from row *row on until a slice is full. */
static aff_status put_slice(struct writing *writing, struct aff_snapshot_place *part, put_fn put,
                            uint64_t *positions, uint32_t *row, struct aff_error *reterr)
{
    const uint64_t start = aff_snapshot_sink_place(&writing->sink);
    const struct aff_model *model;
    aff_status status = AFF_OK;

    if (!look(writing, &model)) {
        aff_slot_release(writing->slot);
        return aff_error_set(reterr, AFF_BUSY, "snapshot '%s': the index was loaded anew meanwhile",
                             writing->sink.path);
    }
    while (*row < part->n && aff_snapshot_sink_place(&writing->sink) - start < SLICE_BYTES) {
        uint64_t place = aff_snapshot_sink_place(&writing->sink);
        status = put(writing, model, *row, &part->n_entries);
        const bool has_item = aff_snapshot_sink_place(&writing->sink) > place;
        if (status == AFF_OK)
            status = aff_snapshot_sink_align(&writing->sink);
        if (status != AFF_OK)
            break;
        part->n_items += has_item;
        positions[(*row)++] = has_item ? place : 0;
    }
    aff_slot_release(writing->slot);
    return status == AFF_OK ? AFF_OK : no_memory(reterr);
}

static aff_status tell(const struct writing *writing)
{
    uint64_t done = aff_snapshot_sink_place(&writing->sink);
    uint64_t total = done < writing->about_bytes ? writing->about_bytes : done;

    if (writing->watch == NULL || writing->watch->call == NULL ||
        writing->watch->call(writing->watch->context, done, total))
        return AFF_OK;
    return AFF_CANCELLED;
}

static aff_status put_positions(struct writing *writing, const uint64_t *positions, uint32_t n,
                                struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (uint32_t from = 0; status == AFF_OK && from < n; from += SLICE_BYTES / 8) {
        uint32_t count = n - from < SLICE_BYTES / 8 ? n - from : SLICE_BYTES / 8;
        char *at = aff_snapshot_sink_take(&writing->sink, count * sizeof *positions);
        if (at == NULL)
            return no_memory(reterr);
        memcpy(at, positions + from, count * sizeof *positions);
        status = aff_snapshot_sink_flush(&writing->sink, reterr);
    }
    return status;
}

/* Puts one array of the traces, a slice at a time, as long as they are those that the writing began with. */
static aff_status put_trace(struct writing *writing, enum aff_snapshot_trace trace, uint64_t *ret_position,
                            struct aff_error *reterr)
{
    double numbers[AFF_SNAPSHOT_NUMBERS_SIZE];
    struct aff_snapshot_array array = {0};
    aff_status status = AFF_OK;
    uint64_t done = 0;

    do {
        const struct aff_model *model;
        const bool same = look(writing, &model) && model->traces == writing->traces;
        if (same)
            array = aff_snapshot_trace_of(model, trace, numbers);
        const uint64_t head_bytes = done == 0 && array.at != NULL ? sizeof array.n : 0;
        const uint64_t rest = array.n * array.element_bytes - done;
        const size_t size = (size_t)(rest < SLICE_BYTES ? rest : SLICE_BYTES);
        if (head_bytes > 0)
            *ret_position = aff_snapshot_sink_place(&writing->sink);
        char *at = aff_snapshot_sink_take(&writing->sink, head_bytes + size);
        if (same && at != NULL && array.at != NULL) {
            if (head_bytes > 0)
                memcpy(at, &array.n, sizeof array.n);
            memcpy(at + head_bytes, (const char *)array.at + done, size);
        }
        aff_slot_release(writing->slot);
        if (!same)
            return aff_error_set(reterr, AFF_BUSY, "snapshot '%s': the index was loaded anew meanwhile",
                                 writing->sink.path);
        if (at == NULL)
            return no_memory(reterr);
        done += size;
        status = aff_snapshot_sink_flush(&writing->sink, reterr);
        if (status == AFF_OK && tell(writing) != AFF_OK)
            return aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
    } while (status == AFF_OK && done < array.n * array.element_bytes);
    if (status == AFF_OK && aff_snapshot_sink_align(&writing->sink) != AFF_OK)
        return no_memory(reterr);
    return status;
}

static aff_status put_traces(struct writing *writing, struct aff_error *reterr)
{
    struct aff_snapshot_place *part = &writing->head.parts[AFF_SNAPSHOT_TRACES];
    uint64_t positions[AFF_SNAPSHOT_TRACE_MAX] = {0};
    aff_status status = AFF_OK;

    part->n = AFF_SNAPSHOT_TRACE_MAX;
    part->at = aff_snapshot_sink_place(&writing->sink);
    for (int trace = 0; status == AFF_OK && trace < AFF_SNAPSHOT_TRACE_MAX; trace++) {
        status = put_trace(writing, (enum aff_snapshot_trace)trace, &positions[trace], reterr);
        part->n_items += positions[trace] != 0;
    }
    part->positions = aff_snapshot_sink_place(&writing->sink);
    part->bytes = part->positions - part->at;
    return status == AFF_OK ? put_positions(writing, positions, AFF_SNAPSHOT_TRACE_MAX, reterr) : status;
}

static aff_status put_part(struct writing *writing, enum aff_snapshot_part number, put_fn put,
                           struct aff_error *reterr)
{
    struct aff_snapshot_place *part = &writing->head.parts[number];
    uint64_t *positions = malloc((part->n + 1) * sizeof *positions);
    aff_status status = AFF_OK;
    uint32_t row = 0;

    if (positions == NULL)
        return no_memory(reterr);
    part->at = aff_snapshot_sink_place(&writing->sink);
    while (status == AFF_OK && row < part->n) {
        status = put_slice(writing, part, put, positions, &row, reterr);
        if (status == AFF_OK)
            status = aff_snapshot_sink_flush(&writing->sink, reterr);
        if (status == AFF_OK)
            status = tell(writing);
        if (status == AFF_CANCELLED)
            (void)aff_error_set(reterr, status, "%s", aff_status_text(status));
    }
    part->positions = aff_snapshot_sink_place(&writing->sink);
    part->bytes = part->positions - part->at;
    if (status == AFF_OK)
        status = put_positions(writing, positions, (uint32_t)part->n, reterr);
    free(positions);
    return status;
}

/* Notes what the model is at this moment. */
static aff_status begin(struct writing *writing, struct aff_error *reterr)
{
    const struct aff_model *model = aff_slot_acquire(writing->slot);
    struct aff_snapshot_head *head = &writing->head;

    if (model == NULL) {
        aff_slot_release(writing->slot);
        return aff_error_set(reterr, AFF_NOTREADY, "%s", aff_status_text(AFF_NOTREADY));
    }
    writing->together = model->together;
    writing->traces = model->traces;
    writing->loaded_at_us = model->loaded_at_us;
    writing->about_bytes = aff_model_bytes(model);
    head->parts[AFF_SNAPSHOT_PRODUCTS].n = aff_catalogue_size(model->catalogue);
    head->parts[AFF_SNAPSHOT_TOGETHER].n = aff_catalogue_size(model->catalogue);
    head->parts[AFF_SNAPSHOT_NEXT].n = aff_catalogue_size(model->catalogue);
    head->parts[AFF_SNAPSHOT_VIEWED].n = aff_catalogue_size(model->catalogue);
    head->parts[AFF_SNAPSHOT_CUSTOMERS].n = aff_customers_size(model->customers);
    head->version = model->version;
    head->generation = model->generation;
    head->catalogue_version = model->catalogue_version;
    head->built_at_us = model->built_at_us;
    head->written_at_us = model->snapshot_at_us != 0 ? model->snapshot_at_us : aff_clock_now_us();
    head->totals = model->totals;
    memcpy(head->store, model->store, sizeof model->store);
    memcpy(head->currency, model->currency, sizeof model->currency);
    aff_slot_release(writing->slot);
    return AFF_OK;
}

static aff_status put_parts(struct writing *writing, struct aff_error *reterr)
{
    aff_status status = put_part(writing, AFF_SNAPSHOT_PRODUCTS, put_product, reterr);

    if (status == AFF_OK)
        status = put_part(writing, AFF_SNAPSHOT_CUSTOMERS, put_customer, reterr);
    if (status == AFF_OK)
        status = put_part(writing, AFF_SNAPSHOT_TOGETHER, put_together, reterr);
    if (status == AFF_OK)
        status = put_part(writing, AFF_SNAPSHOT_NEXT, put_next, reterr);
    if (status == AFF_OK)
        status = put_part(writing, AFF_SNAPSHOT_VIEWED, put_viewed, reterr);
    /* Products that changed while they were written may be in categories that came meanwhile, even in some
     * that the model does not show yet: so it is the products that say how many there are. */
    writing->head.parts[AFF_SNAPSHOT_CATEGORIES].n = writing->n_categories;
    if (status == AFF_OK)
        status = put_part(writing, AFF_SNAPSHOT_CATEGORIES, put_category, reterr);
    if (status == AFF_OK)
        status = put_traces(writing, reterr);
    return status;
}

aff_status aff_snapshot_write_content(const struct aff_slot *slot, int fd, const char *path,
                                      const struct aff_watch *watch, struct aff_snapshot_info *ret_info,
                                      struct aff_error *reterr)
{
    struct writing writing = {.slot = slot, .watch = watch};
    aff_status status = aff_snapshot_sink_begin(&writing.sink, fd, path, reterr);

    if (status == AFF_OK)
        status = begin(&writing, reterr);
    if (status == AFF_OK)
        status = put_parts(&writing, reterr);
    if (status == AFF_OK)
        status = aff_snapshot_sink_finish(&writing.sink, &writing.head, reterr);
    if (status == AFF_OK && ret_info != NULL)
        *ret_info = aff_snapshot_info_of(&writing.head);
    aff_snapshot_sink_done(&writing.sink);
    return status;
}
