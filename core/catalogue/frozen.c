/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/frozen.h"

#include "core/catalogue/catalogue_internal.h"
#include "core/catalogue/newcomers.h"

#include <stdatomic.h>
#include <stdlib.h>

static aff_status put_categories(struct aff_catalogue *catalogue, const struct aff_frozen_products *frozen)
{
    struct aff_categories *categories = &catalogue->categories;
    /* Room at once, since a map that grows has to hash everything again. */
    const uint32_t room = aff_room_for(frozen->n_categories);
    aff_status status = aff_categories_reserve(categories, room);

    if (status == AFF_OK)
        status = aff_idmap_reserve(&categories->rows, room);
    for (uint32_t i = 0; status == AFF_OK && i < frozen->n_categories; i++) {
        struct aff_category *category = &categories->at[categories->n];
        category->path = frozen->borrowed + (frozen->categories[i].at - frozen->borrowed);
        category->path_size = frozen->categories[i].size;
        atomic_init(&category->parent, AFF_NO_ROW);
        status = aff_idmap_add(&categories->rows, aff_category_path(category), i);
        if (status == AFF_OK)
            categories->n++;
    }
    return status;
}

/* Records whose slots in the maps are being loaded. */
enum { AHEAD = 16 };

static aff_status put_record(struct aff_catalogue *catalogue, struct aff_product *record, uint64_t hash)
{
    const struct aff_categories *categories = &catalogue->categories;

    if (!aff_text_is_id(record->id) ||
        (record->category_row != AFF_NO_ROW && record->category_row >= categories->n))
        return AFF_DATA;
    record->category = record->category_row == AFF_NO_ROW
                           ? (struct aff_text){0}
                           : aff_category_path(&categories->at[record->category_row]);
    aff_status status = aff_keymap_add(&catalogue->keys, record->key, catalogue->n);
    if (status == AFF_OK)
        status = aff_idmap_add_hashed(&catalogue->ids, record->id, catalogue->n, hash);
    if (status == AFF_OK)
        atomic_init(&catalogue->products[catalogue->n++].record, record);
    return status;
}

static aff_status put_records(struct aff_catalogue *catalogue, const struct aff_frozen_products *frozen)
{
    const uint32_t room = aff_room_for(frozen->n);
    uint64_t hashes[AHEAD];
    aff_status status = aff_idmap_reserve(&catalogue->ids, room);

    if (status == AFF_OK)
        status = aff_keymap_reserve(&catalogue->keys, room);
    catalogue->products = malloc(room * sizeof *catalogue->products);
    if (catalogue->products == NULL)
        status = AFF_NOMEM;
    for (uint64_t i = 0; status == AFF_OK && i < (uint64_t)frozen->n + AHEAD; i++) {
        if (i >= AHEAD)
            status = put_record(catalogue, &frozen->records[i - AHEAD], hashes[i % AHEAD]);
        if (i >= frozen->n)
            continue;
        hashes[i % AHEAD] = aff_idmap_prefetch(&catalogue->ids, frozen->records[i].id);
        aff_keymap_prefetch(&catalogue->keys, frozen->records[i].key);
    }
    return status;
}

aff_status aff_catalogue_freeze(const struct aff_frozen_products *frozen,
                                struct aff_catalogue **ret_catalogue)
{
    struct aff_catalogue *catalogue = calloc(1, sizeof *catalogue);

    if (catalogue == NULL) {
        free(frozen->records);
        return AFF_NOMEM;
    }
    catalogue->frozen = frozen->records;
    catalogue->n_frozen = frozen->n;
    catalogue->frozen_bytes = frozen->bytes;
    catalogue->borrowed = frozen->borrowed;
    catalogue->borrowed_bytes = frozen->borrowed_bytes;
    aff_status status = put_categories(catalogue, frozen);
    if (status == AFF_OK)
        status = put_records(catalogue, frozen);
    if (status == AFF_OK)
        status = aff_catalogue_complete(catalogue);
    if (status != AFF_OK) {
        aff_catalogue_free(catalogue);
        return status == AFF_INVALID ? AFF_DATA : status;
    }
    *ret_catalogue = catalogue;
    return AFF_OK;
}

struct aff_text aff_catalogue_category(const struct aff_catalogue *catalogue, uint32_t category_row)
{
    return aff_category_path(&catalogue->categories.at[category_row]);
}

uint64_t aff_catalogue_frozen_bytes(uint32_t n, uint32_t n_categories)
{
    /* At most twice the slots that 60 % full asks for. */
    const uint64_t room = aff_room_for(n), category_room = aff_room_for(n_categories), slots = 4;
    const uint64_t slot_bytes = 16 + sizeof(uint64_t), list_bytes = 2 * sizeof(uint32_t) + sizeof(float);

    return sizeof(struct aff_catalogue) + aff_newcomers_bytes(AFF_NEWCOMERS, n) +
           room * (sizeof(struct aff_place) + 2 * sizeof(uint8_t) + list_bytes + slots * slot_bytes) +
           category_room * (sizeof(struct aff_category) + sizeof(uint32_t) + slots * 16);
}
