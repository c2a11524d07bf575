/* SPDX-License-Identifier: Apache-2.0 */
/* Which earlier purchase a return takes back. The shop rarely says; we take the customer's newest purchase of
 * the product first (last in, first out), because that is the one that people bring back. The result is a
 * function of the lines alone: it does not depend on the sequence in which they were imported. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line of one customer and one product. */
struct aff_return_line {
    int64_t ordered_at_us;
    int64_t order_key;
    int64_t content; /* hash of what else the line says */
    int32_t line;
    int32_t quantity; /* negative: a return */
    int32_t
        returned; /* out: units of this purchase that returns took back; of a return, units that found none */
    int32_t below;  /* used inside */
    int32_t stored; /* for the caller, not read: `returned` as the tables have it */
    bool ours;      /* for the caller, not read: the line is one that it has just written */
};

/* Sorts the lines of one customer and one product by time and fills `returned` of each. A return takes units
 * of purchases at or before its own time, newest first; lines of the same time count purchases first, then
 * order key and line number decide. n log n. */
void aff_returns_match(struct aff_return_line *lines, size_t n);
