/* SPDX-License-Identifier: Apache-2.0 */
/* The products of one store in memory: a map from the shop's ids and from database keys to dense row numbers
 * (0 .. n-1), an immutable record for each row, one byte of eligibility a row, and for each category its
 * products by popularity.
 *
 * A builder takes the products; finishing it gives a catalogue that many threads read without locks. While
 * they do, records and bytes can be exchanged and products added (core/index/update.h): rows below
 * aff_catalogue_capacity() may then be met that are not below the size the reader knows. Everything that is
 * taken from a catalogue is valid until aff_slot_release. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define AFF_NO_ROW UINT32_MAX
#define AFF_NO_MONEY INT64_MIN /* a price or cost that is not known */
#define AFF_NO_STOCK INT32_MIN /* stock is not tracked */
#define AFF_CATEGORY_SEPARATOR " > "

/* One attribute of a product as text, for example {"colour", "red"}. */
struct aff_attribute {
    struct aff_text name, value;
};

/* A product's record. Texts and attributes are borrowed from the catalogue (in a builder call: from the
 * caller, for the call). Money is minor units of the store's currency. */
struct aff_product {
    int32_t key; /* affinity.product.product */
    struct aff_text id, name, category, brand;
    int64_t price, compare_at, cost; /* AFF_NO_MONEY if unknown */
    int32_t stock;                   /* AFF_NO_STOCK if not tracked */
    bool available, durable;
    const struct aff_attribute *attributes;
    uint32_t n_attributes;
    uint32_t category_row; /* set by the builder; AFF_NO_ROW for products without category */
    uint32_t orders;       /* baskets that hold it */
    uint32_t discounted;   /* of these, with a discounted line of it */
    uint32_t sessions;     /* sessions in which it was viewed */
    int64_t weight;        /* sum of basket weights, fixed point 2^20 */
    int64_t revenue, margin;
    int64_t last_at_us; /* newest basket; 0 if never bought */
};

/* Why a product may not be offered to anybody at the moment; bits of the eligibility byte. */
enum aff_ineligible {
    AFF_INELIGIBLE_UNAVAILABLE = 1, /* available is false, or stock is tracked and not positive */
    AFF_INELIGIBLE_UNPRICED = 2,    /* it has no price, so it cannot be shown */
};

/* Learned counts of a product, as in affinity.product_stat and affinity.viewed_stat. */
struct aff_product_counts {
    uint32_t orders;
    int64_t weight, revenue, margin, last_at_us;
    uint32_t discounted, sessions;
};

struct aff_catalogue;
struct aff_catalogue_builder;

AFF_MUST_CHECK aff_status aff_catalogue_builder_new(struct aff_catalogue_builder **ret_builder);
void aff_catalogue_builder_free(struct aff_catalogue_builder *builder); /* NULL is a no-op */

/* Adds a copy of `product`; its row is the number of products added before. AFF_INVALID: the id is no id
 * (aff_text_is_id), id or key came before, or the category is 16 MiB or longer. Levels of a category path are
 * separated by AFF_CATEGORY_SEPARATOR. */
AFF_MUST_CHECK aff_status aff_catalogue_builder_add(struct aff_catalogue_builder *builder,
                                                    const struct aff_product *product);

/* Makes the catalogue and empties the builder, which can then only be freed. */
AFF_MUST_CHECK aff_status aff_catalogue_builder_finish(struct aff_catalogue_builder *builder,
                                                       struct aff_catalogue **ret_catalogue);
void aff_catalogue_free(struct aff_catalogue *catalogue); /* NULL is a no-op */

uint32_t aff_catalogue_size(const struct aff_catalogue *catalogue);

/* Every row that this catalogue will ever hold is below: what scratch memory by row is made for. */
uint32_t aff_catalogue_capacity(const struct aff_catalogue *catalogue);

/* The row of a product, AFF_NO_ROW if it is unknown. */
uint32_t aff_catalogue_find(const struct aff_catalogue *catalogue, struct aff_text id);
uint32_t aff_catalogue_find_key(const struct aff_catalogue *catalogue, int32_t key);

/* The record of a row below aff_catalogue_size(), or that the catalogue's maps, lists, neighbours or
 * histories name. Asked again it may be a newer one. */
const struct aff_product *aff_catalogue_product(const struct aff_catalogue *catalogue, uint32_t row);

/* Bytes by row that may change while they are read: readers take them with aff_byte_read, which costs no more
 * than a plain load. */
static inline uint8_t aff_byte_read(const uint8_t *byte)
{
    return __atomic_load_n(byte, __ATOMIC_RELAXED);
}

static inline void aff_byte_write(uint8_t *byte, uint8_t value)
{
    __atomic_store_n(byte, value, __ATOMIC_RELAXED);
}

/* Eligibility bytes (enum aff_ineligible), one a row, for aff_byte_read; 0 means that the product may be
 * offered. */
const uint8_t *aff_catalogue_eligibility(const struct aff_catalogue *catalogue);

/* 1 for each durable product, 0 for the others; one byte a row, for aff_byte_read. */
const uint8_t *aff_catalogue_durable(const struct aff_catalogue *catalogue);

/* Popularity of each row: its weight as a share of aff_catalogue_top_weight(), 0 to 1; for rows below the
 * capacity. Like the lists and the top weight it is as of the last load or aff_update_popularity. */
const float *aff_catalogue_popularity(const struct aff_catalogue *catalogue);

/* aff_catalogue_find in three steps, for callers with several ids, so that the cache misses of all ids run at
 * the same time; the second may be left out and tells the probable row (core/base/idmap.h). */
uint64_t aff_catalogue_prefetch(const struct aff_catalogue *catalogue, struct aff_text id);
uint32_t aff_catalogue_guess(const struct aff_catalogue *catalogue, struct aff_text id, uint64_t hash);
uint32_t aff_catalogue_find_hashed(const struct aff_catalogue *catalogue, struct aff_text id, uint64_t hash);

/* The category one level up ("A > B" of "A > B > C"); AFF_NO_ROW if there is none or no product is in it. */
uint32_t aff_catalogue_category_parent(const struct aff_catalogue *catalogue, uint32_t category_row);

/* The category with exactly this path; AFF_NO_ROW if no product is in it. */
uint32_t aff_catalogue_find_category(const struct aff_catalogue *catalogue, struct aff_text path);

/* Number of categories; category rows are 0 .. n-1 in the order of their first product. */
uint32_t aff_catalogue_categories(const struct aff_catalogue *catalogue);

/* Rows of one category (category_row of a product), or of the whole store for AFF_NO_ROW: most popular first
 * by recency-weighted orders, ties by row. Only products that were bought are in the list of the store. A
 * category that came after the lists were made is empty. */
const uint32_t *aff_catalogue_popular(const struct aff_catalogue *catalogue, uint32_t category_row,
                                      uint32_t *ret_n);

#define AFF_NEWCOMERS 256     /* new products of a store that known ones make room for: the newest by key */
#define AFF_NEWCOMER_ORDERS 5 /* a product with fewer is new */

/* A new product that is like a known one (core/catalogue/likeness.h). */
struct aff_newcomer {
    uint32_t row;
    float likeness; /* at least 0.5 */
};

/* The new products that are most like a known one, at most `most`, the most alike first and of these
 * the one with the highest row; as of the last load or aff_update_popularity. Each of the newest
 * AFF_NEWCOMERS is with the up to 8 products, of the 100 most popular ones of its category (without one: of
 * the store), that it is most like. Returns their number. */
uint32_t aff_catalogue_newcomers(const struct aff_catalogue *catalogue, uint32_t row, uint32_t most,
                                 struct aff_newcomer *ret_newcomers);

/* True if products were added since the lists were made. */
bool aff_catalogue_has_unlisted(const struct aff_catalogue *catalogue);

/* The largest `weight` of all products; 0 in a store without orders. */
int64_t aff_catalogue_top_weight(const struct aff_catalogue *catalogue);

/* Bytes of memory that the catalogue holds. */
size_t aff_catalogue_bytes(const struct aff_catalogue *catalogue);

/* What decides how many these are: numbers, and bytes of all texts. */
struct aff_catalogue_shape {
    uint64_t products, product_text;     /* ids, names and brands */
    uint64_t attributes, attribute_text; /* names and values */
    uint64_t categories, category_text;  /* different paths */
};

/* The same of a catalogue of this shape that is made at once, with the room that it keeps for growth. */
uint64_t aff_catalogue_bytes_for(const struct aff_catalogue_shape *shape);
