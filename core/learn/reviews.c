/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/reviews.h"

#include <stdlib.h>
#include <string.h>

struct aff_review {
    uint64_t pair; /* lower key in the upper half */
    enum aff_verdict verdict;
};

static uint64_t pair_of(int32_t x, int32_t y)
{
    return x < y ? (uint64_t)(uint32_t)x << 32 | (uint32_t)y : (uint64_t)(uint32_t)y << 32 | (uint32_t)x;
}

static uint32_t place_of(const struct aff_reviews *reviews, uint64_t pair)
{
    uint32_t low = 0, high = reviews->n;

    if (high > 0 && reviews->reviews[high - 1].pair < pair)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reviews->reviews[middle].pair < pair)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

aff_status aff_reviews_put(struct aff_reviews *reviews, int32_t x, int32_t y, enum aff_verdict verdict)
{
    uint64_t pair = pair_of(x, y);
    uint32_t at = place_of(reviews, pair);

    if (at < reviews->n && reviews->reviews[at].pair == pair) {
        reviews->reviews[at].verdict = verdict;
        return AFF_OK;
    }
    if (reviews->n == reviews->capacity) {
        uint32_t capacity = reviews->capacity * 2 + 16;
        struct aff_review *bigger = realloc(reviews->reviews, capacity * sizeof *bigger);
        if (bigger == NULL)
            return AFF_NOMEM;
        reviews->reviews = bigger;
        reviews->capacity = capacity;
    }
    memmove(reviews->reviews + at + 1, reviews->reviews + at, (reviews->n - at) * sizeof *reviews->reviews);
    reviews->reviews[at] = (struct aff_review){pair, verdict};
    reviews->n++;
    return AFF_OK;
}

void aff_reviews_clear(struct aff_reviews *reviews)
{
    reviews->n = 0;
}

void aff_reviews_done(struct aff_reviews *reviews)
{
    free(reviews->reviews);
    *reviews = (struct aff_reviews){0};
}

enum aff_verdict aff_reviews_find(const struct aff_reviews *reviews, int32_t x, int32_t y)
{
    if (reviews == NULL || reviews->n == 0)
        return AFF_VERDICT_OPEN;
    uint64_t pair = pair_of(x, y);
    uint32_t at = place_of(reviews, pair);
    return at < reviews->n && reviews->reviews[at].pair == pair ? reviews->reviews[at].verdict
                                                                : AFF_VERDICT_OPEN;
}
