/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/snapshot_items.h"

#include <stdlib.h>

aff_status aff_snapshot_item(const struct aff_snapshot_file *file, enum aff_snapshot_part part, uint64_t i,
                             char **ret_item, uint64_t *ret_bytes)
{
    const struct aff_snapshot_place *place = &file->head.parts[part];
    uint64_t at;

    memcpy(&at, file->at + place->positions + i * sizeof at, sizeof at);
    if (at == 0) {
        *ret_item = NULL;
        *ret_bytes = 0;
        return AFF_OK;
    }
    if (at % AFF_SNAPSHOT_ALIGN != 0 || at < place->at || at - place->at >= place->bytes)
        return AFF_DATA;
    *ret_item = file->at + at;
    *ret_bytes = place->bytes - (at - place->at);
    return AFF_OK;
}

static uint64_t n_products(const struct aff_snapshot_file *file)
{
    return file->head.parts[AFF_SNAPSHOT_PRODUCTS].n;
}

/* What is left of an item. */
struct rest {
    const char *at;
    uint64_t bytes;
};

/* Takes `size` bytes from the rest. False: there are not so many. */
static bool take(struct rest *rest, uint64_t size, struct aff_text *ret_text)
{
    if (size > rest->bytes)
        return false;
    *ret_text = (struct aff_text){rest->at, size};
    rest->at += size;
    rest->bytes -= size;
    return true;
}

/* Fills the product's own attributes: `sizes` are two uint32_t each. */
static bool take_attributes(struct rest *rest, const char *sizes, struct aff_attribute *attributes,
                            uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t pair[2];
        memcpy(pair, sizes + i * sizeof pair, sizeof pair);
        if (!take(rest, pair[0], &attributes[i].name) || !take(rest, pair[1], &attributes[i].value))
            return false;
    }
    return true;
}

aff_status aff_snapshot_read_product(const struct aff_snapshot_file *file, uint32_t row,
                                     struct aff_attribute *attributes, struct aff_product *ret_product)
{
    const uint64_t n_attributes = file->head.parts[AFF_SNAPSHOT_PRODUCTS].n_entries;
    struct aff_snapshot_product item;
    struct aff_text head = {0}, sizes = {0};
    char *at = NULL;
    uint64_t bytes = 0;
    aff_status status = aff_snapshot_item(file, AFF_SNAPSHOT_PRODUCTS, row, &at, &bytes);
    struct rest rest = {at, bytes};

    if (status != AFF_OK || !take(&rest, sizeof item, &head))
        return AFF_DATA;
    memcpy(&item, head.at, sizeof item);
    if (item.first_attribute > n_attributes || item.n_attributes > n_attributes - item.first_attribute ||
        !take(&rest, (uint64_t)item.n_attributes * 2 * sizeof(uint32_t), &sizes))
        return AFF_DATA;
    struct aff_product product = {
        .key = item.key,
        .price = item.price,
        .compare_at = item.compare_at,
        .cost = item.cost,
        .stock = item.stock,
        .available = item.available != 0,
        .durable = item.durable != 0,
        .attributes = item.n_attributes == 0 ? NULL : attributes + item.first_attribute,
        .n_attributes = item.n_attributes,
        .category_row = item.category_row,
        .orders = item.orders,
        .weight = item.weight,
        .revenue = item.revenue,
        .margin = item.margin,
        .last_at_us = item.last_at_us,
        .discounted = item.discounted,
        .sessions = item.sessions,
    };
    if (!take(&rest, item.id_size, &product.id) || !take(&rest, item.name_size, &product.name) ||
        !take(&rest, item.brand_size, &product.brand) ||
        !take_attributes(&rest, sizes.at, attributes + item.first_attribute, item.n_attributes))
        return AFF_DATA;
    *ret_product = product;
    return AFF_OK;
}

aff_status aff_snapshot_check_customer(const struct aff_snapshot_file *file, uint32_t row)
{
    char *at = NULL;
    uint64_t bytes = 0;
    aff_status status = aff_snapshot_item(file, AFF_SNAPSHOT_CUSTOMERS, row, &at, &bytes);
    const struct aff_history *history = (const void *)at;
    uint32_t most = 0;

    if (status != AFF_OK || bytes < sizeof *history ||
        history->n > (bytes - sizeof *history) / sizeof history->purchases[0] ||
        history->id_size > bytes - sizeof *history - history->n * sizeof history->purchases[0])
        return AFF_DATA;
    for (uint32_t i = 0; i < history->n; i++)
        most = history->purchases[i].row > most ? history->purchases[i].row : most;
    return history->n > 0 && most >= n_products(file) ? AFF_DATA : AFF_OK;
}

aff_status aff_snapshot_read_category(const struct aff_snapshot_file *file, uint32_t row,
                                      struct aff_text *ret_path)
{
    char *at = NULL;
    uint64_t bytes = 0;
    uint32_t size;
    struct aff_text head = {0};
    aff_status status = aff_snapshot_item(file, AFF_SNAPSHOT_CATEGORIES, row, &at, &bytes);
    struct rest rest = {at, bytes};

    if (status != AFF_OK || !take(&rest, sizeof size, &head))
        return AFF_DATA;
    memcpy(&size, head.at, sizeof size);
    return size > 0 && take(&rest, size, ret_path) ? AFF_OK : AFF_DATA;
}

aff_status aff_snapshot_read_row(const struct aff_snapshot_file *file, enum aff_snapshot_part part,
                                 uint32_t row, struct aff_row **ret_row)
{
    const uint32_t infinite = UINT32_C(0x7F800000); /* exponent bits of what is no finite number */
    char *at = NULL;
    uint64_t bytes = 0;
    uint32_t most = 0, wrong = 0;
    aff_status status = aff_snapshot_item(file, part, row, &at, &bytes);
    struct aff_row *found = (void *)at;

    if (status != AFF_OK)
        return status;
    if (found == NULL) {
        *ret_row = NULL;
        return AFF_OK;
    }
    if (bytes < sizeof *found ||
        found->n > (bytes - sizeof *found) / (sizeof found->entries[0] + sizeof(struct aff_pair_counts)))
        return AFF_DATA;
    /* Without a branch for each entry: there are many. */
    for (uint32_t i = 0; i < found->n; i++) {
        uint32_t score;
        memcpy(&score, &found->entries[i].score, sizeof score);
        most = found->entries[i].row > most ? found->entries[i].row : most;
        wrong |= (score & infinite) == infinite;
    }
    if (found->n == 0 || most >= n_products(file) || wrong != 0)
        return AFF_DATA;
    *ret_row = found;
    return AFF_OK;
}
