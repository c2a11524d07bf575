/* SPDX-License-Identifier: Apache-2.0 */
/* How many rows the tables of a model are made for, so that rows can be added while readers read: every table
 * by row has this many places from the start and never moves. */
#pragma once

#include <stdint.h>

/* Places for a table that begins with `n` rows; below UINT32_MAX, which stands for no row. */
static inline uint32_t aff_room_for(uint32_t n)
{
    uint64_t places = (uint64_t)n + n / 8 + 4096;

    return places < UINT32_MAX ? (uint32_t)places : UINT32_MAX - 1;
}
