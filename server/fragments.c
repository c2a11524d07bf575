/* SPDX-License-Identifier: Apache-2.0 */
#include "server/fragments.h"

#include "server/present.h"
#include "json/writer.h"

#include <stdlib.h>

static const char before_id[] = "\"product\":\"";

enum { BEFORE_ID = sizeof before_id - 1, LINE = 64 };

struct place {
    uint32_t offset;
    uint16_t id_size, size;
};

struct fragments {
    char *bytes;
    struct place places[];
};

static void free_fragments(void *prepared)
{
    struct fragments *fragments = prepared;

    free(fragments->bytes);
    free(fragments);
}

/* Writes one fragment behind the others; json->comma is false before it. */
static void write_fragment(struct aff_json *json, const struct aff_model *model, uint32_t row,
                           struct place *ret_place)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, row);
    size_t start = json->size;

    json->comma = false;
    aff_json_name(json, "product");
    aff_json_text(json, product->id);
    size_t id_end = json->size - 1;
    aff_present_prices(json, product, model->currency);
    *ret_place = (struct place){.offset = (uint32_t)start,
                                .id_size = (uint16_t)(id_end - start - BEFORE_ID),
                                .size = (uint16_t)(json->size - start)};
}

aff_status aff_fragments_prepare(struct aff_model *model)
{
    uint32_t n = aff_catalogue_size(model->catalogue);
    struct fragments *fragments = malloc(sizeof *fragments + n * sizeof fragments->places[0]);
    struct aff_json json = {0};
    aff_status status = fragments == NULL ? AFF_NOMEM : AFF_OK;

    for (uint32_t row = 0; row < n && status == AFF_OK; row++) {
        write_fragment(&json, model, row, &fragments->places[row]);
        if (json.failed)
            status = AFF_NOMEM;
        else if (json.size > UINT32_MAX - UINT16_MAX)
            status = AFF_LIMIT;
    }
    if (status != AFF_OK) {
        aff_json_done(&json);
        free(fragments);
        return status;
    }
    fragments->bytes = json.bytes;
    model->prepared = fragments;
    model->prepared_bytes = sizeof *fragments + n * sizeof fragments->places[0] + json.capacity;
    model->free_prepared = free_fragments;
    return AFF_OK;
}

struct aff_fragment aff_fragments_get(const struct aff_model *model, uint32_t row)
{
    const struct fragments *fragments = model->prepared;
    const struct place *place = &fragments->places[row];
    const char *at = fragments->bytes + place->offset;

    return (struct aff_fragment){.members = {at, place->size}, .id = {at + BEFORE_ID, place->id_size}};
}

void aff_fragments_prefetch_place(const struct aff_model *model, uint32_t row)
{
    const struct fragments *fragments = model->prepared;

    __builtin_prefetch(&fragments->places[row]);
}

void aff_fragments_prefetch_bytes(const struct aff_model *model, uint32_t row)
{
    const struct fragments *fragments = model->prepared;
    const char *at = fragments->bytes + fragments->places[row].offset;

    __builtin_prefetch(at);
    __builtin_prefetch(at + LINE);
}
