/* SPDX-License-Identifier: Apache-2.0 */
#include "server/batch.h"

#include "server/batch_internal.h"
#include "json/split.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* An order of AFF_ORDER_LINES_MAX lines has seven values and six names a line. */
#define ENTRY_DEPTH 32
#define ENTRY_VALUES ((size_t)AFF_ORDER_LINES_MAX * 16)

const char *aff_batch_name(enum aff_batch_kind kind)
{
    static const char *const names[] = {"orders", "products", "customers", "pairs", "pairs"};

    return names[kind];
}

void aff_entry_error(struct aff_entry_reader *reader, struct aff_text field, const char *format, ...)
{
    char reason[256];
    va_list arguments;

    if (reader->errors.n >= AFF_ENTRY_ERRORS_MAX) {
        reader->errors.n++;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    aff_field_error(&reader->errors, field, "%s", reason);
}

void aff_entry_wrong_type(struct aff_entry_reader *reader, struct aff_text field, const char *wanted,
                          const struct aff_node *value)
{
    aff_entry_error(reader, field, "must be %s, not %s", wanted, aff_node_kind_name(aff_node_kind(value)));
}

struct aff_text aff_entry_keep(struct aff_entry_reader *reader, struct aff_text text)
{
    struct aff_text copy = aff_arena_copy(&reader->batch->arena, text);

    if (copy.at == NULL)
        reader->failed = true;
    return copy.at == NULL ? (struct aff_text){"", 0} : copy;
}

bool aff_entry_take_id(struct aff_entry_reader *reader, struct aff_text field, const struct aff_node *value,
                       struct aff_text *ret_id)
{
    if (aff_node_kind(value) != AFF_NODE_TEXT) {
        aff_entry_wrong_type(reader, field, "a text", value);
        return false;
    }
    if (!aff_text_is_id(aff_node_text(value))) {
        aff_entry_error(reader, field, "must be 1 to %d bytes of UTF-8 text without control characters",
                        AFF_ID_MAX);
        return false;
    }
    *ret_id = aff_entry_keep(reader, aff_node_text(value));
    return true;
}

bool aff_entry_take_whole(struct aff_entry_reader *reader, struct aff_text field,
                          const struct aff_node *value, int64_t least, int64_t most, int64_t *ret)
{
    if (aff_node_kind(value) != AFF_NODE_WHOLE) {
        aff_entry_wrong_type(reader, field, "a whole number", value);
        return false;
    }
    if (aff_node_whole(value) < least || aff_node_whole(value) > most) {
        aff_entry_error(reader, field, "must be from %lld to %lld", (long long)least, (long long)most);
        return false;
    }
    *ret = aff_node_whole(value);
    return true;
}

bool aff_entry_take_flag(struct aff_entry_reader *reader, struct aff_text field, const struct aff_node *value,
                         bool *ret)
{
    if (aff_node_kind(value) != AFF_NODE_FLAG) {
        aff_entry_wrong_type(reader, field, "true or false", value);
        return false;
    }
    *ret = aff_node_flag(value);
    return true;
}

/* An id may stand in a batch once: which of two was meant last, nobody can say. */
static void check_twice(struct aff_entry_reader *reader)
{
    struct aff_batch *batch = reader->batch;
    uint32_t row = (uint32_t)(reader->entry - batch->entries);
    uint32_t before = aff_idmap_find(&batch->ids, reader->entry->id);

    if (before != AFF_IDMAP_NONE)
        aff_entry_error(reader, aff_text_of(reader->frame->kind == AFF_BATCH_REVIEWS ? "other" : "id"),
                        "entry %u of the request has the same %s", before,
                        reader->frame->kind == AFF_BATCH_REVIEWS ? "pair" : "id");
    else if (aff_idmap_add(&batch->ids, reader->entry->id, row) != AFF_OK)
        reader->failed = true;
}

static void read_object(struct aff_entry_reader *reader, const struct aff_node *root)
{
    if (aff_node_kind(root) != AFF_NODE_OBJECT) {
        aff_entry_wrong_type(reader, aff_text_of(""), "an object", root);
        return;
    }
    if (reader->frame->kind == AFF_BATCH_ORDERS)
        aff_entry_read_order(reader, root);
    else if (reader->frame->kind == AFF_BATCH_REVIEWS)
        aff_entry_read_review(reader, root);
    else
        aff_entry_read_row(reader, root);
    if (reader->errors.n == 0 && !reader->failed)
        check_twice(reader);
}

static void read_entry(struct aff_entry_reader *reader, struct aff_text text)
{
    static const struct aff_json_bounds bounds = {.depth = ENTRY_DEPTH, .values = ENTRY_VALUES};
    struct aff_document *document = NULL;
    struct aff_error error = {0};

    aff_field_errors_reset(&reader->errors);
    if (text.at[0] != '{' && text.at[0] != '[') {
        aff_entry_error(reader, aff_text_of(""), "must be an object");
    } else {
        aff_status status = aff_document_parse(text, &bounds, &document, &error);
        if (status == AFF_NOMEM)
            reader->failed = true;
        else if (status != AFF_OK)
            aff_entry_error(reader, aff_text_of(""), "%s", error.text);
        else
            read_object(reader, aff_document_root(document));
    }
    aff_document_free(document);
    reader->entry->status = reader->errors.n > 0 ? AFF_ENTRY_REFUSED : AFF_ENTRY_UNCHANGED;
    reader->entry->n_errors = reader->errors.n;
    if (reader->errors.n > 0)
        reader->entry->errors =
            aff_entry_keep(reader, (struct aff_text){reader->errors.list.bytes, reader->errors.list.size});
    else
        reader->batch->n_lines += reader->entry->n_lines;
    if (reader->errors.list.failed)
        reader->failed = true;
}

static aff_status split(const struct aff_batch_frame *frame, struct aff_text body, struct aff_text *entries,
                        size_t *ret_n, struct aff_error *reterr)
{
    aff_status status =
        frame->lines ? aff_split_lines(body, entries, frame->most, ret_n, reterr)
                     : aff_split_json(body, aff_batch_name(frame->kind), entries, frame->most, ret_n, reterr);

    if (status == AFF_OK && *ret_n == 0)
        status = aff_error_set(reterr, AFF_INVALID, "without any entry");
    return status;
}

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

aff_status aff_batch_read(const struct aff_batch_frame *frame, struct aff_text body,
                          struct aff_batch *ret_batch, struct aff_error *reterr)
{
    struct aff_batch batch = {.kind = frame->kind};
    struct aff_entry_reader reader = {.frame = frame, .batch = &batch};
    struct aff_text *texts = calloc(frame->most, sizeof *texts);

    if (texts == NULL)
        return no_memory(reterr);
    aff_status status = split(frame, body, texts, &batch.n, reterr);
    if (status == AFF_OK) {
        batch.entries = aff_arena_take(&batch.arena, batch.n * sizeof *batch.entries);
        reader.failed = batch.entries == NULL;
    }
    for (size_t i = 0; status == AFF_OK && !reader.failed && i < batch.n; i++) {
        batch.entries[i] = (struct aff_entry){.id = {"", 0}, .errors = {"", 0}};
        reader.entry = &batch.entries[i];
        read_entry(&reader, texts[i]);
    }
    if (status == AFF_OK && reader.failed)
        status = no_memory(reterr);
    aff_field_errors_done(&reader.errors);
    free(texts);
    if (status == AFF_OK)
        *ret_batch = batch;
    else
        aff_batch_done(&batch);
    return status;
}

void aff_batch_done(struct aff_batch *batch)
{
    aff_idmap_done(&batch->ids);
    aff_arena_done(&batch->arena);
    *batch = (struct aff_batch){0};
}

aff_status aff_batch_refuse(struct aff_batch *batch, size_t index, const char *field, const char *reason)
{
    struct aff_field_errors errors = {0};
    struct aff_entry *entry = &batch->entries[index];

    aff_field_error(&errors, aff_text_of(field), "%s", reason);
    struct aff_text text = aff_arena_copy(
        &batch->arena, (struct aff_text){errors.list.bytes, errors.list.failed ? 0 : errors.list.size});
    bool failed = errors.list.failed || text.at == NULL;
    aff_field_errors_done(&errors);
    if (failed)
        return AFF_NOMEM;
    entry->status = AFF_ENTRY_REFUSED;
    entry->errors = text;
    entry->n_errors = 1;
    return AFF_OK;
}

void aff_batch_count(const struct aff_batch *batch, size_t ret_counts[AFF_ENTRY_STATUSES])
{
    memset(ret_counts, 0, AFF_ENTRY_STATUSES * sizeof *ret_counts);
    for (size_t i = 0; i < batch->n; i++)
        ret_counts[batch->entries[i].status]++;
}

static const char *const status_names[AFF_ENTRY_STATUSES] = {
    [AFF_ENTRY_REFUSED] = "refused",
    [AFF_ENTRY_CREATED] = "created",
    [AFF_ENTRY_CHANGED] = "changed",
    [AFF_ENTRY_UNCHANGED] = "unchanged",
};

static void write_id(struct aff_json *json, const char *name, struct aff_text id)
{
    aff_json_name(json, name);
    if (id.size > 0)
        aff_json_text(json, id);
    else
        aff_json_null(json);
}

static void write_result(enum aff_batch_kind kind, const struct aff_entry *entry, size_t index,
                         struct aff_json *json)
{
    const struct aff_text none = {"", 0};

    aff_json_open_object(json);
    aff_json_name(json, "index");
    aff_json_uint(json, index);
    if (kind == AFF_BATCH_REVIEWS) {
        write_id(json, "product", entry->values == NULL ? none : entry->values[AFF_REVIEW_PRODUCT]);
        write_id(json, "other", entry->values == NULL ? none : entry->values[AFF_REVIEW_OTHER]);
    } else {
        write_id(json, "id", entry->id);
    }
    aff_json_name(json, "status");
    aff_json_string(json, status_names[entry->status]);
    aff_json_name(json, "errors");
    aff_json_open_array(json);
    if (entry->n_errors > 0)
        aff_json_raw(json, entry->errors.at, entry->errors.size);
    aff_json_close_array(json);
    if (entry->n_errors > AFF_ENTRY_ERRORS_MAX) {
        aff_json_name(json, "errors_not_listed");
        aff_json_uint(json, entry->n_errors - AFF_ENTRY_ERRORS_MAX);
    }
    aff_json_close_object(json);
}

void aff_batch_write(const struct aff_batch *batch, struct aff_json *json)
{
    static const enum aff_entry_status sequence[] = {AFF_ENTRY_CREATED, AFF_ENTRY_CHANGED,
                                                     AFF_ENTRY_UNCHANGED, AFF_ENTRY_REFUSED};
    size_t counts[AFF_ENTRY_STATUSES];

    aff_batch_count(batch, counts);
    aff_json_name(json, "counts");
    aff_json_open_object(json);
    for (size_t i = 0; i < AFF_ENTRY_STATUSES; i++) {
        aff_json_name(json, status_names[sequence[i]]);
        aff_json_uint(json, counts[sequence[i]]);
    }
    aff_json_close_object(json);
    aff_json_name(json, "results");
    aff_json_open_array(json);
    for (size_t i = 0; i < batch->n; i++)
        write_result(batch->kind, &batch->entries[i], i, json);
    aff_json_close_array(json);
}
