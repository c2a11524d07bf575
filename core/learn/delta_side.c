/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/delta_side.h"

#include <stdlib.h>
#include <string.h>

static aff_status make_baskets(const struct aff_delta_settings *settings, const struct aff_line *lines,
                               size_t n, struct aff_baskets **ret_baskets)
{
    const struct aff_baskets_settings fixed = {
        .half_life_s = settings->half_life_s, .cap = settings->cap, .frame = &settings->frame};
    struct aff_baskets_builder *builder = NULL;
    aff_status status = aff_baskets_builder_new(&builder);

    for (size_t i = 0; i < n && status == AFF_OK; i++)
        status = aff_baskets_builder_add(builder, &lines[i]);
    if (status == AFF_OK)
        status = aff_baskets_builder_finish(builder, &fixed, ret_baskets);
    aff_baskets_builder_free(builder);
    return status;
}

/* The array with room for `more` elements behind `n`; NULL if memory is out, the array is then as it was. */
static void *roomy(void *array, size_t n, size_t more, size_t *capacity, size_t size)
{
    if (n + more <= *capacity)
        return array;
    size_t wanted = (n + more) * 2;
    void *bigger = realloc(array, wanted * size);
    if (bigger != NULL)
        *capacity = wanted;
    return bigger;
}

/* Products come in ascending order, since one thread counts. */
static aff_status take_follows(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs,
                               uint32_t n)
{
    struct aff_delta_side *side = context;
    const int32_t *products = side->baskets->products;

    (void)thread;
    struct aff_delta_follow *follows =
        roomy(side->follows, side->n_follows, n, &side->follows_capacity, sizeof *follows);
    if (follows == NULL)
        return AFF_NOMEM;
    side->follows = follows;
    for (uint32_t i = 0; i < n; i++) {
        const struct aff_next_pair *pair = &pairs[i];
        uint8_t *gaps = roomy(side->gaps, side->n_gaps, pair->orders, &side->gaps_capacity, sizeof *gaps);
        if (gaps == NULL)
            return AFF_NOMEM;
        side->gaps = gaps;
        memcpy(gaps + side->n_gaps, pair->gaps, pair->orders);
        follows[side->n_follows++] =
            (struct aff_delta_follow){.key = (uint64_t)products[a] << 32 | (uint32_t)products[pair->b],
                                      .weight = pair->weight,
                                      .gaps = side->n_gaps,
                                      .orders = pair->orders};
        side->n_gaps += pair->orders;
    }
    return AFF_OK;
}

aff_status aff_delta_side_count(const struct aff_delta_settings *settings, const struct aff_line *lines,
                                size_t n, struct aff_delta_side *ret)
{
    aff_status status = make_baskets(settings, lines, n, &ret->baskets);

    if (status == AFF_OK)
        status = aff_pairs_count(ret->baskets, 1, NULL, &ret->pairs);
    if (status == AFF_OK)
        status = aff_next_new(ret->baskets, &ret->next);
    if (status == AFF_OK)
        status = aff_next_count(ret->next, 1, NULL, take_follows, ret);
    return status;
}

void aff_delta_side_done(struct aff_delta_side *side)
{
    aff_next_free(side->next);
    aff_pairs_free(side->pairs);
    aff_baskets_free(side->baskets);
    free(side->follows);
    free(side->gaps);
}
