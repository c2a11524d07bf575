/* SPDX-License-Identifier: Apache-2.0 */
#include "core/intake/line.h"

#include <endian.h>

uint64_t aff_order_line_hash(const struct aff_order_line *line)
{
    uint64_t words[7] = {
        htole64(aff_text_hash(line->product_id)),
        htole64(line->customer_id.size == 0 ? 0 : aff_text_hash(line->customer_id)),
        htole64((uint64_t)line->ordered_at_us),
        htole64((uint64_t)line->unit_price),
        htole64((uint64_t)line->unit_cost),
        htole64((uint64_t)(int64_t)line->quantity),
        htole64((uint64_t)line->discounted | (uint64_t)line->cancels << 1),
    };

    return aff_text_hash((struct aff_text){(const char *)words, sizeof words});
}

struct aff_hash_halves aff_hash_split(uint64_t hash)
{
    int32_t low = (int32_t)(uint32_t)hash;

    return (struct aff_hash_halves){.high = (int32_t)(uint32_t)((hash - (uint64_t)(int64_t)low) >> 32),
                                    .low = low};
}
