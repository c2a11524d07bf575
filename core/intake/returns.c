/* SPDX-License-Identifier: Apache-2.0 */
#include "core/intake/returns.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct aff_return_line *a = left, *b = right;

    if (a->ordered_at_us != b->ordered_at_us)
        return a->ordered_at_us < b->ordered_at_us ? -1 : 1;
    if ((a->quantity < 0) != (b->quantity < 0))
        return a->quantity < 0 ? 1 : -1;
    if (a->order_key != b->order_key)
        return a->order_key < b->order_key ? -1 : 1;
    if (a->quantity != b->quantity)
        return a->quantity < b->quantity ? -1 : 1;
    if (a->content != b->content)
        return a->content < b->content ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* Takes units off the stack of purchases, whose top is `top`, and returns the new top. */
static int32_t take_back(struct aff_return_line *lines, struct aff_return_line *back, int32_t top)
{
    int64_t left = -(int64_t)back->quantity;

    while (left > 0 && top >= 0) {
        struct aff_return_line *bought = &lines[top];
        int64_t open = (int64_t)bought->quantity - bought->returned;
        int64_t taken = left < open ? left : open;
        bought->returned += (int32_t)taken;
        left -= taken;
        if (taken == open)
            top = bought->below;
    }
    back->returned = (int32_t)(left > INT32_MAX ? INT32_MAX : left);
    return top;
}

void aff_returns_match(struct aff_return_line *lines, size_t n)
{
    int32_t top = -1;

    if (n > 1)
        qsort(lines, n, sizeof lines[0], compare);
    for (size_t i = 0; i < n; i++) {
        lines[i].returned = 0;
        if (lines[i].quantity > 0) {
            lines[i].below = top;
            top = (int32_t)i;
        } else {
            top = take_back(lines, &lines[i], top);
        }
    }
}
