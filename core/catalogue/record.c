/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_internal.h"

#include <stdlib.h>

size_t aff_record_bytes(const struct aff_product *record)
{
    size_t bytes = sizeof *record + record->n_attributes * sizeof *record->attributes + record->id.size +
                   record->name.size + record->brand.size;

    for (uint32_t i = 0; i < record->n_attributes; i++)
        bytes += record->attributes[i].name.size + record->attributes[i].value.size;
    return bytes;
}

/* Copies the bytes of `text` to *at and moves *at behind them. */
static struct aff_text put_text(char **at, struct aff_text text)
{
    struct aff_text copy = {*at, text.size};

    if (text.size > 0)
        memcpy(*at, text.at, text.size);
    *at += text.size;
    return copy;
}

struct aff_product *aff_record_new(const struct aff_product *product, struct aff_text category,
                                   uint32_t category_row)
{
    struct aff_product *record = malloc(aff_record_bytes(product));

    if (record == NULL)
        return NULL;
    struct aff_attribute *attributes = (void *)(record + 1);
    char *at = (char *)(attributes + product->n_attributes);
    *record = *product;
    record->category = category;
    record->category_row = category_row;
    record->id = put_text(&at, product->id);
    record->name = put_text(&at, product->name);
    record->brand = put_text(&at, product->brand);
    record->attributes = product->n_attributes == 0 ? NULL : attributes;
    for (uint32_t i = 0; i < product->n_attributes; i++) {
        attributes[i].name = put_text(&at, product->attributes[i].name);
        attributes[i].value = put_text(&at, product->attributes[i].value);
    }
    return record;
}

bool aff_record_is_frozen(const struct aff_catalogue *catalogue, const struct aff_product *record)
{
    return catalogue->frozen != NULL && record >= catalogue->frozen &&
           record < catalogue->frozen + catalogue->n_frozen;
}

uint8_t aff_record_eligibility(const struct aff_product *record)
{
    bool sold_out = record->stock != AFF_NO_STOCK && record->stock <= 0;
    unsigned reasons = 0;

    if (!record->available || sold_out)
        reasons |= AFF_INELIGIBLE_UNAVAILABLE;
    if (record->price == AFF_NO_MONEY)
        reasons |= AFF_INELIGIBLE_UNPRICED;
    return (uint8_t)reasons;
}
