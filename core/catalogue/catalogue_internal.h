/* SPDX-License-Identifier: Apache-2.0 */
/* What the catalogue's makers and its readers share; for core/catalogue/ only.
 *
 * Readers hold a view: a struct aff_catalogue that nobody changes. Changing a published catalogue exchanges
 * elements of the tables that all views share, and gives the next model a new view
 * (core/catalogue/changes.h). The tables have room for `capacity` rows from the start and never move. */
#pragma once

#include "core/base/idmap.h"
#include "core/base/keymap.h"
#include "core/base/room.h"
#include "core/catalogue/catalogue.h"

_Static_assert(AFF_NO_ROW == AFF_IDMAP_NONE && AFF_NO_ROW == AFF_KEYMAP_NONE, "maps answer with rows");

struct aff_newcomers;

/* Popularity as it was when this was made; never changed. One allocation, and that of the newcomers. */
struct aff_popular {
    struct aff_newcomers *newcomers;
    uint32_t n; /* products that were there */
    int64_t top_weight;
    uint32_t n_bought, n_categories;
    size_t bytes;
    float *shares;         /* a product row, with the room of the catalogue: weight / top_weight */
    uint32_t *bought;      /* rows of bought products by falling weight */
    uint32_t *by_category; /* rows with a category, category by category, by falling weight */
    uint32_t *start;       /* n_categories + 1 positions in by_category */
};

struct aff_category {
    char *path; /* an allocation of its own, or in the catalogue's `borrowed` */
    size_t path_size;
    _Atomic uint32_t parent; /* AFF_NO_ROW: none */
};

static inline struct aff_text aff_category_path(const struct aff_category *category)
{
    return (struct aff_text){category->path, category->path_size};
}

struct aff_categories {
    struct aff_category *at; /* the first n are set */
    uint32_t n, capacity;
    struct aff_idmap rows; /* path to row */
};

struct aff_place {
    struct aff_product *_Atomic record;
};

struct aff_catalogue {
    struct aff_place *products; /* the first n are set */
    uint8_t *eligibility;       /* aff_byte_read, aff_byte_write */
    uint8_t *durable;           /* 0 or 1, the same way */
    struct aff_popular *popular;
    struct aff_categories categories;
    uint32_t n, capacity;
    struct aff_idmap ids;
    struct aff_keymap keys;
    size_t record_bytes;        /* of all records that are allocations of their own */
    struct aff_product *frozen; /* records that stay until the end, n_frozen in one allocation; or NULL */
    uint32_t n_frozen;
    size_t frozen_bytes;  /* of that allocation */
    const char *borrowed; /* memory that is not the catalogue's, where texts may be; or NULL */
    size_t borrowed_bytes;
};

/* A record as one allocation with everything that it borrows but the category's path. NULL: out of memory. */
struct aff_product *aff_record_new(const struct aff_product *product, struct aff_text category,
                                   uint32_t category_row);
size_t aff_record_bytes(const struct aff_product *record);
/* True for a record that is no allocation of its own. */
bool aff_record_is_frozen(const struct aff_catalogue *catalogue, const struct aff_product *record);

/* enum aff_ineligible of a record. */
uint8_t aff_record_eligibility(const struct aff_product *record);

/* The record of a row as whoever asks wants it seen. */
typedef const struct aff_product *(*aff_record_fn)(const void *context, uint32_t row);

/* Bytes of the lists of `n` products in a catalogue with room for `capacity`. */
size_t aff_popular_bytes(uint64_t n, uint64_t capacity, uint64_t n_categories);

/* Makes the lists of the first `n` rows of a catalogue with room for `capacity`. */
AFF_MUST_CHECK aff_status aff_popular_new(uint32_t n, uint32_t capacity, uint32_t n_categories,
                                          aff_record_fn record, const void *context,
                                          struct aff_popular **ret_popular);

void aff_popular_free(struct aff_popular *popular); /* NULL is a no-op */

/* A category with a copy of the path and no parent. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_category_new(struct aff_text path, struct aff_category *ret_category);

/* Makes what depends on all products: tables with room, eligibility, lists, parents of the categories.
 * `catalogue` has records, ids, keys and categories. It is left as it was, or larger, on failure. */
AFF_MUST_CHECK aff_status aff_catalogue_complete(struct aff_catalogue *catalogue);

/* Looks up the parents of all categories that have none. */
void aff_categories_link(struct aff_categories *categories);
AFF_MUST_CHECK aff_status aff_categories_reserve(struct aff_categories *categories, uint32_t capacity);
