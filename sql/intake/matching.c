/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/matching.h"

#include "core/base/text.h"

#include <stdlib.h>

int64_t aff_matching_content(int64_t unit_price, int64_t unit_cost, bool discounted)
{
    int64_t content[3] = {unit_price, unit_cost, discounted};

    return (int64_t)aff_text_hash((struct aff_text){(const char *)content, sizeof content});
}

static aff_status grow(void **array, size_t *capacity, size_t n, size_t size)
{
    if (n < *capacity)
        return AFF_OK;
    size_t wanted = *capacity == 0 ? 256 : *capacity * 2;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return AFF_NOMEM;
    *array = grown;
    *capacity = wanted;
    return AFF_OK;
}

aff_status aff_matching_end(struct aff_matching *matching)
{
    aff_returns_match(matching->lines, matching->n);
    for (size_t i = 0; i < matching->n; i++) {
        const struct aff_return_line *line = &matching->lines[i];
        if (line->quantity < 0) {
            matching->matched += line->ours && line->returned == 0;
            matching->partly += line->ours && line->returned > 0 && line->returned < -line->quantity;
        } else if (line->returned != line->stored) {
            if (grow((void **)&matching->changes, &matching->changes_capacity, matching->n_changes,
                     sizeof matching->changes[0]) != AFF_OK)
                return AFF_NOMEM;
            matching->changes[matching->n_changes++] =
                (struct aff_returned_change){line->order_key, line->line, line->returned};
        }
    }
    matching->n = 0;
    return AFF_OK;
}

aff_status aff_matching_add(struct aff_matching *matching, int64_t customer, int32_t product,
                            const struct aff_return_line *line)
{
    if (matching->n > 0 && (customer != matching->customer || product != matching->product) &&
        aff_matching_end(matching) != AFF_OK)
        return AFF_NOMEM;
    if (grow((void **)&matching->lines, &matching->capacity, matching->n, sizeof matching->lines[0]) !=
        AFF_OK)
        return AFF_NOMEM;
    matching->customer = customer;
    matching->product = product;
    matching->lines[matching->n++] = *line;
    return AFF_OK;
}

void aff_matching_done(struct aff_matching *matching)
{
    free(matching->lines);
    free(matching->changes);
    *matching = (struct aff_matching){0};
}
