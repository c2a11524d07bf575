/* SPDX-License-Identifier: Apache-2.0 */
/* A recommender that knows no accumulators, no marks and no lists: for each product of the store it asks each
 * rule of core/recommend/recommend.h in turn. Slow, and the measure of the fast one. Included by the one test
 * that uses it. */
#pragma once

#include "naive_rules.h"

/* True if a new product has the known one among the up to 8 that it is most like. */
static bool is_linked(const struct reference *reference, uint32_t fresh, uint32_t known)
{
    const struct aff_product *product = record(reference, fresh);
    const float least = closeness(product, record(reference, known));
    uint32_t n, closer = 0;
    const uint32_t *rows = aff_catalogue_popular(reference->model->catalogue, product->category_row, &n);
    bool listed = false;

    if (product->orders >= 5 || record(reference, known)->orders < 5 || least < 0.5F)
        return false;
    for (uint32_t i = 0; i < n && i < 100; i++) {
        const struct aff_product *other = record(reference, rows[i]);
        const float value = other->orders < 5 ? 0 : closeness(product, other);
        listed = listed || rows[i] == known;
        closer += value > least || (value == least && !listed);
    }
    return listed && closer < 8;
}

/* The new products that are linked to a known one, the most alike first, of these the last one. */
static uint32_t find_linked(const struct reference *reference, uint32_t known, uint32_t *ret_linked)
{
    const struct aff_product *product = record(reference, known);
    uint32_t n = 0;

    for (uint32_t fresh = 0; fresh < reference->n; fresh++) {
        if (!is_linked(reference, fresh, known))
            continue;
        uint32_t at = n++;
        for (; at > 0 && closeness(record(reference, ret_linked[at - 1]), product) <=
                             closeness(record(reference, fresh), product);
             at--)
            ret_linked[at] = ret_linked[at - 1];
        ret_linked[at] = fresh;
    }
    return n;
}

/* A new product that an item makes room for. */
struct room {
    uint32_t row, lender;
    float value;
};

/* All of them by falling value, the one that was found first before an equal one. */
static uint32_t find_rooms(const struct reference *reference, struct room *rooms)
{
    const uint32_t limit = reference->request->limit;
    uint32_t n = 0;

    for (uint32_t i = 0; i < reference->n_live && i < limit; i++) {
        const uint32_t row = reference->order[i];
        const struct verdict *verdict = &reference->verdicts[row];
        uint32_t linked[MOST_PRODUCTS];
        const uint32_t n_linked = find_linked(reference, row, linked);
        for (uint32_t j = 0; j < n_linked && j < 4; j++) {
            const uint32_t fresh = linked[j];
            struct room room = {fresh, row,
                                (float)reference->blend->content *
                                    closeness(record(reference, fresh), record(reference, row)) *
                                    verdict->score};
            uint32_t at = 0;
            if (record(reference, fresh)->orders >= reference->blend->content_below_orders ||
                verdict->score <= 0 || verdict->bought || verdict->substitute)
                continue;
            while (at < n && rooms[at].row != fresh)
                at++;
            if (at < n && rooms[at].value >= room.value)
                continue;
            n += at == n;
            for (; at > 0 && rooms[at - 1].value < room.value; at--)
                rooms[at] = rooms[at - 1];
            rooms[at] = room;
        }
    }
    return n;
}

/* Puts new products among the best. */
static void make_room(struct reference *reference)
{
    const uint32_t limit = reference->request->limit;
    const uint32_t most = reference->request->diversity > 0 ? 4 * limit : limit;
    struct room rooms[MOST_PRODUCTS];
    uint32_t n = reference->blend->content > 0 ? find_rooms(reference, rooms) : 0;
    uint32_t places = (limit + 9) / 10, n_top = reference->n_live < most ? reference->n_live : most;

    for (uint32_t i = 0; i < n && places > 0; i++) {
        const uint32_t row = rooms[i].row;
        struct verdict *verdict = &reference->verdicts[row];
        if (verdict->named)
            continue;
        verdict->named = verdict->by_likeness = true;
        verdict->lender = rooms[i].lender;
        verdict->score = rooms[i].value - rooms[i].value * discount(reference, row);
        reference->candidates++;
        verdict->drop = judge(reference, row);
        if (verdict->drop != AFF_DROP_LIMIT) {
            reference->dropped[verdict->drop]++;
            continue;
        }
        uint32_t at = 0, last = reference->n_live++;
        while (at < n_top && (reference->verdicts[reference->order[at]].score > verdict->score ||
                              (reference->verdicts[reference->order[at]].score == verdict->score &&
                               reference->order[at] < row)))
            at++;
        if (at == most)
            at = last;
        else
            places--;
        for (uint32_t j = last; j > at; j--)
            reference->order[j] = reference->order[j - 1];
        reference->order[at] = row;
        n_top += n_top < most;
    }
}

static void run_reference(struct reference *reference)
{
    resolve(reference);
    for (uint32_t row = 0; row < reference->n; row++) {
        struct verdict *verdict = &reference->verdicts[row];
        name(reference, row);
        if (!verdict->named)
            continue;
        reference->candidates++;
        verdict->drop = judge(reference, row);
        if (verdict->drop == AFF_DROP_LIMIT)
            reference->order[reference->n_live++] = row;
        else
            reference->dropped[verdict->drop]++;
    }
    score(reference);
    for (uint32_t i = 1; i < reference->n_live; i++) {
        uint32_t row = reference->order[i], at = i;
        for (; at > 0 && reference->verdicts[reference->order[at - 1]].score < reference->verdicts[row].score;
             at--)
            reference->order[at] = reference->order[at - 1];
        reference->order[at] = row;
    }
    make_room(reference);
}
