/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/changes.h"

#include "core/catalogue/catalogue_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The record that a row gets; once applied, the one that it had (NULL: none). */
struct change {
    uint32_t row;
    struct aff_product *record;
};

struct aff_catalogue_changes {
    struct aff_catalogue *catalogue; /* what readers have until the next model */
    struct aff_catalogue *next;      /* a copy of it, which becomes the next view */
    uint32_t limit;
    struct change *changes; /* at most one for each row */
    uint32_t n, capacity;
    struct aff_keymap by_row;        /* row as a key -> number of its change */
    struct aff_idmap new_ids;        /* of added products, to rows */
    struct aff_keymap new_keys;      /* the same */
    struct aff_category *categories; /* the added */
    struct aff_idmap category_rows;
    uint32_t n_categories, category_capacity;
    struct aff_popular *popular, *popular_before; /* NULL: not made anew */
};

aff_status aff_catalogue_changes_new(struct aff_catalogue *catalogue, uint32_t limit,
                                     struct aff_catalogue_changes **ret_changes)
{
    struct aff_catalogue_changes *changes = calloc(1, sizeof *changes);

    if (changes == NULL)
        return AFF_NOMEM;
    changes->next = malloc(sizeof *changes->next);
    if (changes->next == NULL) {
        free(changes);
        return AFF_NOMEM;
    }
    *changes->next = *catalogue;
    changes->catalogue = catalogue;
    changes->limit = limit < catalogue->capacity ? limit : catalogue->capacity;
    *ret_changes = changes;
    return AFF_OK;
}

static struct change *find_change(const struct aff_catalogue_changes *changes, uint32_t row)
{
    uint32_t at = aff_keymap_find(&changes->by_row, (int32_t)row);

    return at == AFF_KEYMAP_NONE ? NULL : &changes->changes[at];
}

/* The record as the changes have it so far. */
static const struct aff_product *record_of(const void *context, uint32_t row)
{
    const struct aff_catalogue_changes *changes = context;
    const struct change *change = find_change(changes, row);

    return change != NULL ? change->record : aff_catalogue_product(changes->catalogue, row);
}

uint32_t aff_catalogue_changes_find(const struct aff_catalogue_changes *changes, int32_t key)
{
    uint32_t row = aff_keymap_find(&changes->catalogue->keys, key);

    return row != AFF_NO_ROW ? row : aff_keymap_find(&changes->new_keys, key);
}

static uint32_t find_id(const struct aff_catalogue_changes *changes, struct aff_text id)
{
    uint32_t row = aff_idmap_find(&changes->catalogue->ids, id);

    return row != AFF_NO_ROW ? row : aff_idmap_find(&changes->new_ids, id);
}

static aff_status add_category(struct aff_catalogue_changes *changes, struct aff_text path, uint32_t row)
{
    if (row >= changes->catalogue->categories.capacity)
        return AFF_LIMIT;
    if (changes->n_categories == changes->category_capacity) {
        uint32_t capacity = changes->category_capacity == 0 ? 8 : changes->category_capacity * 2;
        struct aff_category *categories = realloc(changes->categories, capacity * sizeof *categories);
        if (categories == NULL)
            return AFF_NOMEM;
        changes->categories = categories;
        changes->category_capacity = capacity;
    }
    struct aff_category *category = &changes->categories[changes->n_categories];
    aff_status status = aff_category_new(path, category);
    if (status != AFF_OK)
        return status;
    status = aff_idmap_add(&changes->category_rows, aff_category_path(category), row);
    if (status == AFF_OK)
        changes->n_categories++;
    else
        free(category->path);
    return status;
}

/* The row and the lasting path of a category, which is added if it is new. */
static aff_status find_category(struct aff_catalogue_changes *changes, struct aff_text path,
                                uint32_t *ret_row, struct aff_text *ret_path)
{
    const struct aff_categories *categories = &changes->catalogue->categories;
    uint32_t row = aff_idmap_find(&categories->rows, path);

    if (row == AFF_NO_ROW)
        row = aff_idmap_find(&changes->category_rows, path);
    if (row == AFF_NO_ROW) {
        row = categories->n + changes->n_categories;
        aff_status status = add_category(changes, path, row);
        if (status != AFF_OK)
            return status;
    }
    *ret_row = row;
    *ret_path = aff_category_path(row < categories->n ? &categories->at[row]
                                                      : &changes->categories[row - categories->n]);
    return AFF_OK;
}

/* Notes the record for the row, in place of one that was noted before. Owns the record, also on failure. */
static aff_status note(struct aff_catalogue_changes *changes, uint32_t row, struct aff_product *record)
{
    struct change *change = find_change(changes, row);
    aff_status status = AFF_OK;

    if (change != NULL) {
        free(change->record);
        change->record = record;
        return AFF_OK;
    }
    if (changes->n == changes->capacity) {
        uint32_t capacity = changes->capacity == 0 ? 16 : changes->capacity * 2;
        struct change *larger = realloc(changes->changes, capacity * sizeof *larger);
        if (larger == NULL)
            status = AFF_NOMEM;
        else {
            changes->changes = larger;
            changes->capacity = capacity;
        }
    }
    if (status == AFF_OK)
        status = aff_keymap_add(&changes->by_row, (int32_t)row, changes->n);
    if (status != AFF_OK) {
        free(record);
        return status;
    }
    changes->changes[changes->n++] = (struct change){row, record};
    return AFF_OK;
}

/* Notes the record for a row beyond those of the catalogue. What can fail comes before the id and key are
 * known, so that a product is either added as a whole or not at all. */
static aff_status note_new(struct aff_catalogue_changes *changes, uint32_t row, struct aff_product *record)
{
    aff_status status = aff_idmap_reserve(&changes->new_ids, changes->new_ids.n + 1);

    if (status == AFF_OK)
        status = aff_keymap_reserve(&changes->new_keys, changes->new_keys.n + 1);
    if (status != AFF_OK) {
        free(record);
        return status;
    }
    status = note(changes, row, record);
    if (status == AFF_OK)
        status = aff_idmap_add(&changes->new_ids, record->id, row);
    if (status == AFF_OK)
        status = aff_keymap_add(&changes->new_keys, record->key, row);
    return status;
}

aff_status aff_catalogue_changes_product(struct aff_catalogue_changes *changes,
                                         const struct aff_product *product)
{
    struct aff_product content = *product;
    struct aff_text path = {0};
    uint32_t category_row = AFF_NO_ROW;

    if (!aff_text_is_id(product->id))
        return AFF_INVALID;
    uint32_t row = aff_catalogue_changes_find(changes, product->key);
    if (find_id(changes, product->id) != row)
        return AFF_INVALID;
    const bool is_new = row == AFF_NO_ROW;
    if (is_new)
        row = changes->catalogue->n + (uint32_t)changes->new_keys.n;
    if (row >= changes->limit)
        return AFF_LIMIT;
    if (product->category.size > 0) {
        aff_status status = find_category(changes, product->category, &category_row, &path);
        if (status != AFF_OK)
            return status;
    }
    const struct aff_product none = {0}, *before = is_new ? &none : record_of(changes, row);
    content.orders = before->orders;
    content.weight = before->weight;
    content.revenue = before->revenue;
    content.margin = before->margin;
    content.discounted = before->discounted;
    content.last_at_us = before->last_at_us;
    content.sessions = before->sessions;
    struct aff_product *record = aff_record_new(&content, path, category_row);
    if (record == NULL)
        return AFF_NOMEM;
    if (is_new)
        return note_new(changes, row, record);
    if (row >= changes->catalogue->n) /* the bytes that new_ids has are about to be freed */
        aff_idmap_move(&changes->new_ids, record->id);
    return note(changes, row, record);
}

aff_status aff_catalogue_changes_counts(struct aff_catalogue_changes *changes, int32_t key,
                                        const struct aff_product_counts *counts)
{
    uint32_t row = aff_catalogue_changes_find(changes, key);

    if (row == AFF_NO_ROW)
        return AFF_NOTFOUND;
    struct change *change = find_change(changes, row);
    struct aff_product *record;
    if (change != NULL) {
        record = change->record;
    } else {
        const struct aff_product *before = aff_catalogue_product(changes->catalogue, row);
        record = aff_record_new(before, before->category, before->category_row);
        if (record == NULL)
            return AFF_NOMEM;
        aff_status status = note(changes, row, record);
        if (status != AFF_OK)
            return status;
    }
    record->orders = counts->orders;
    record->weight = counts->weight;
    record->revenue = counts->revenue;
    record->margin = counts->margin;
    record->last_at_us = counts->last_at_us;
    record->discounted = counts->discounted;
    record->sessions = counts->sessions;
    return AFF_OK;
}

aff_status aff_catalogue_changes_popularity(struct aff_catalogue_changes *changes)
{
    const struct aff_catalogue *catalogue = changes->catalogue;
    struct aff_popular *popular;
    aff_status status =
        aff_popular_new(catalogue->n + (uint32_t)changes->new_keys.n, catalogue->capacity,
                        catalogue->categories.n + changes->n_categories, record_of, changes, &popular);

    if (status != AFF_OK)
        return status;
    aff_popular_free(changes->popular);
    changes->popular = popular;
    return AFF_OK;
}

/* The maps and tables have room for what was accepted, so that adding cannot fail. */
static void must(aff_status status)
{
    (void)status;
    assert(status == AFF_OK);
}

static void apply_categories(struct aff_catalogue_changes *changes)
{
    struct aff_categories *categories = &changes->next->categories;

    for (uint32_t i = 0; i < changes->n_categories; i++) {
        struct aff_category *category = &categories->at[categories->n];
        category->path = changes->categories[i].path;
        category->path_size = changes->categories[i].path_size;
        atomic_init(&category->parent, AFF_NO_ROW);
        must(aff_idmap_add(&categories->rows, aff_category_path(category), categories->n));
        categories->n++;
    }
    if (changes->n_categories > 0)
        aff_categories_link(categories);
    changes->n_categories = 0; /* the paths are the catalogue's now */
}

/* Leaves the cache line with the readers where nothing changes, as for most records. */
static void change_byte(uint8_t *byte, uint8_t value)
{
    if (aff_byte_read(byte) != value)
        aff_byte_write(byte, value);
}

/* Exchanges the record of one row and what is derived from it. The maps come last, since they lead readers to
 * the row. */
static void apply_record(struct aff_catalogue *next, struct change *change)
{
    struct aff_product *record = change->record;
    const bool is_new = change->row >= next->n;

    next->record_bytes += aff_record_bytes(record);
    change_byte(&next->eligibility[change->row], aff_record_eligibility(record));
    change_byte(&next->durable[change->row], record->durable);
    change->record =
        atomic_exchange_explicit(&next->products[change->row].record, record, memory_order_acq_rel);
    if (change->record != NULL && !aff_record_is_frozen(next, change->record))
        next->record_bytes -= aff_record_bytes(change->record);
    if (is_new) {
        assert(change->row == next->n && change->record == NULL);
        next->n++;
        must(aff_keymap_add(&next->keys, record->key, change->row));
        must(aff_idmap_add(&next->ids, record->id, change->row));
    } else {
        aff_idmap_move(&next->ids, record->id);
    }
}

struct aff_catalogue *aff_catalogue_changes_apply(struct aff_catalogue_changes *changes)
{
    struct aff_catalogue *next = changes->next;

    apply_categories(changes);
    for (uint32_t i = 0; i < changes->n; i++)
        apply_record(next, &changes->changes[i]);
    if (changes->popular != NULL) {
        changes->popular_before = next->popular;
        next->popular = changes->popular;
        changes->popular = NULL;
    }
    changes->next = NULL;
    return next;
}

static void free_changes(struct aff_catalogue_changes *changes)
{
    for (uint32_t i = 0; i < changes->n_categories; i++)
        free(changes->categories[i].path);
    free(changes->categories);
    aff_idmap_done(&changes->category_rows);
    aff_idmap_done(&changes->new_ids);
    aff_keymap_done(&changes->new_keys);
    aff_keymap_done(&changes->by_row);
    free(changes->changes);
    aff_popular_free(changes->popular);
    free(changes->next);
    free(changes);
}

void aff_catalogue_changes_settle(struct aff_catalogue_changes *changes)
{
    struct aff_catalogue *before = changes->catalogue;

    for (uint32_t i = 0; i < changes->n; i++)
        if (!aff_record_is_frozen(before, changes->changes[i].record))
            free(changes->changes[i].record);
    aff_popular_free(changes->popular_before);
    free(before);
    free_changes(changes);
}

void aff_catalogue_changes_drop(struct aff_catalogue_changes *changes)
{
    if (changes == NULL)
        return;
    for (uint32_t i = 0; i < changes->n; i++)
        free(changes->changes[i].record);
    free_changes(changes);
}
