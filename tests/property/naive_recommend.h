/* SPDX-License-Identifier: Apache-2.0 */
/* A recommender that knows no accumulators, no marks and no lists: for each product of the store it asks each
 * rule of core/recommend/recommend.h in turn. Slow, and the measure of the fast one. Included by the one test
 * that uses it. */
#pragma once

#include "core/learn/evidence.h"
#include "core/recommend/recommend.h"
#include "random_store.h"

#include <math.h>
#include <stdio.h>

enum { MOST_PRODUCTS = 240 };

/* What the reference finds out about one product. */
struct verdict {
    bool named, by_base, by_history, bought, substitute, by_likeness;
    uint32_t lender; /* by_likeness: the item that a new product is like */
    float affinity, sequence, personal, history, content;
    enum aff_drop drop;
    float score;
};

struct reference {
    const struct aff_model *model;
    const struct aff_request *request;
    const struct aff_blend *blend;
    const struct aff_weights *weights; /* of the situation */
    float base_weights[AFF_CART_MAX + 1 + 24];
    uint32_t of[AFF_CART_MAX + 1 + 24]; /* number of the base that it stands in for */
    uint32_t n;
    uint32_t cart[AFF_CART_MAX], n_cart, bases[AFF_CART_MAX + 1 + 24], n_given, n_bases, newest, product;
    const struct aff_history *history;
    struct verdict verdicts[MOST_PRODUCTS];
    uint32_t order[MOST_PRODUCTS], n_live;
    uint32_t dropped[AFF_DROP_MAX], candidates;
};

static const struct aff_product *record(const struct reference *reference, uint32_t row)
{
    return aff_catalogue_product(reference->model->catalogue, row);
}

static uint32_t find(const struct reference *reference, struct aff_text id)
{
    for (uint32_t row = 0; row < reference->n; row++)
        if (aff_text_equal(record(reference, row)->id, id))
            return row;
    return AFF_NO_ROW;
}

static bool among(const uint32_t *rows, uint32_t n, uint32_t row)
{
    for (uint32_t i = 0; i < n; i++)
        if (rows[i] == row)
            return true;
    return false;
}

/* The lower-case words of a name, which no random store repeats in one name. */
static uint32_t words_of(struct aff_text name, char words[8][16])
{
    uint32_t n = 0, length = 0;

    for (size_t i = 0; i <= name.size; i++) {
        char c = i < name.size ? name.at[i] : ' ';
        if (c == ' ' || c == ',') {
            words[n][length] = '\0';
            n += length > 0;
            length = 0;
        } else {
            words[n][length++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
    }
    return n;
}

/* Levels that two category paths share, of the levels of the longer one. */
static float common_path(struct aff_text a, struct aff_text b)
{
    struct aff_text paths[] = {a, b};
    char levels[2][4][16];
    uint32_t n[2] = {0, 0}, same = 0;

    if (a.size == 0 || b.size == 0)
        return 0;
    for (int p = 0; p < 2; p++) {
        uint32_t length = 0;
        for (size_t i = 0; i <= paths[p].size; i++) {
            if (i == paths[p].size || paths[p].at[i] == '>') {
                levels[p][n[p]][length] = '\0';
                n[p]++;
                length = 0;
            } else if (paths[p].at[i] != ' ') {
                levels[p][n[p]][length++] = paths[p].at[i];
            }
        }
    }
    while (same < n[0] && same < n[1] && strcmp(levels[0][same], levels[1][same]) == 0)
        same++;
    return (float)same / (float)(n[0] > n[1] ? n[0] : n[1]);
}

static bool same_price(const struct aff_product *a, const struct aff_product *b)
{
    return a->price != AFF_NO_MONEY && b->price != AFF_NO_MONEY && 10 * a->price >= 8 * b->price &&
           10 * b->price >= 8 * a->price;
}

static float common_attributes(const struct aff_product *a, const struct aff_product *b)
{
    uint32_t most = a->n_attributes > b->n_attributes ? a->n_attributes : b->n_attributes, same = 0;

    for (uint32_t i = 0; i < a->n_attributes && i < b->n_attributes; i++)
        same += aff_text_equal(a->attributes[i].value, b->attributes[i].value);
    return most == 0 ? 0 : (float)same / (float)most;
}

static float common_words(const struct aff_product *a, const struct aff_product *b)
{
    char left[8][16], right[8][16];
    uint32_t n_left = words_of(a->name, left), n_right = words_of(b->name, right), common = 0;

    for (uint32_t i = 0; i < n_left; i++)
        for (uint32_t j = 0; j < n_right; j++)
            common += strcmp(left[i], right[j]) == 0;
    return common == 0 ? 0 : (float)common / (float)(n_left + n_right - common);
}

static float closeness(const struct aff_product *a, const struct aff_product *b)
{
    float sum = 0.4F * common_path(a->category, b->category);

    sum += a->brand.size > 0 && aff_text_equal(a->brand, b->brand) ? 0.15F : 0;
    sum += same_price(a, b) ? 0.15F : 0;
    sum += 0.15F * common_attributes(a, b);
    return sum + 0.15F * common_words(a, b);
}

/* The known products of a list that may lend their neighbours, appended to `found`. */
static uint32_t lenders_of(struct reference *reference, const struct aff_product *product, uint32_t category,
                           uint32_t *found, uint32_t n_found, uint32_t *compared)
{
    uint32_t n;
    const uint32_t *rows = aff_catalogue_popular(reference->model->catalogue, category, &n);

    for (uint32_t i = 0; i < n && i < 100 && *compared < 300; i++) {
        if (aff_neighbours_row(reference->model->together, rows[i]) == NULL ||
            rows[i] == reference->product || among(reference->cart, reference->n_cart, rows[i]))
            continue;
        ++*compared;
        if (record(reference, rows[i])->orders >= reference->blend->content_below_orders &&
            closeness(product, record(reference, rows[i])) >= 0.2F)
            found[n_found++] = rows[i];
    }
    return n_found;
}

static void borrow_for(struct reference *reference, uint32_t of, uint32_t *compared)
{
    const struct aff_product *product = record(reference, reference->bases[of]);
    const struct aff_catalogue *catalogue = reference->model->catalogue;
    uint32_t found[300], n = 0;
    double sum = 0;

    if (product->category_row != AFF_NO_ROW) {
        uint32_t parent = aff_catalogue_category_parent(catalogue, product->category_row);
        n = lenders_of(reference, product, product->category_row, found, n, compared);
        if (n < 8 && parent != AFF_NO_ROW)
            n = lenders_of(reference, product, parent, found, n, compared);
    }
    if (n == 0)
        n = lenders_of(reference, product, AFF_NO_ROW, found, n, compared);
    for (uint32_t i = 1; i < n; i++) /* by falling likeness, equal ones as they came */
        for (uint32_t j = i; j > 0 && closeness(product, record(reference, found[j - 1])) <
                                          closeness(product, record(reference, found[j]));
             j--) {
            uint32_t row = found[j];
            found[j] = found[j - 1];
            found[j - 1] = row;
        }
    n = n < 8 ? n : 8;
    for (uint32_t i = 0; i < n; i++)
        sum += (double)closeness(product, record(reference, found[i]));
    for (uint32_t i = 0; i < n; i++) {
        double weight = (double)reference->base_weights[of] * reference->blend->content *
                        (1 - (double)product->orders / reference->blend->content_below_orders);
        reference->base_weights[reference->n_bases] =
            (float)(weight * (double)closeness(product, record(reference, found[i])) / sum);
        reference->of[reference->n_bases] = of;
        reference->bases[reference->n_bases++] = found[i];
    }
}

/* Adds what new products borrow neighbours from: the last three of the bases that are new. */
static void borrow(struct reference *reference)
{
    uint32_t compared = 0, n_new = 0;

    for (uint32_t i = reference->n_given; i-- > 0 && n_new < 3 && reference->blend->content > 0;) {
        const struct aff_row *row = aff_neighbours_row(reference->model->together, reference->bases[i]);
        if ((row != NULL && row->n >= 20) ||
            record(reference, reference->bases[i])->orders >= reference->blend->content_below_orders)
            continue;
        borrow_for(reference, i, &compared);
        n_new++;
    }
}

static void resolve(struct reference *reference)
{
    const struct aff_request *request = reference->request;

    reference->newest = AFF_NO_ROW;
    for (size_t i = 0; i < request->n_cart; i++) {
        uint32_t row = find(reference, request->cart[i].product);
        if (row == AFF_NO_ROW)
            continue;
        reference->newest = row;
        if (among(reference->cart, reference->n_cart, row))
            continue;
        float fade = (float)exp(-(double)(request->n_cart - 1 - i) / 2);
        reference->base_weights[reference->n_cart] = request->as == AFF_AS_CART ? 1 : fmaxf(fade, 0.1f);
        reference->cart[reference->n_cart++] = row;
    }
    for (uint32_t i = 0; i < reference->n_cart; i++)
        reference->bases[reference->n_bases++] = reference->cart[i];
    reference->product = find(reference, request->product);
    if (reference->product != AFF_NO_ROW && !among(reference->cart, reference->n_cart, reference->product)) {
        reference->base_weights[reference->n_bases] = 1;
        reference->bases[reference->n_bases++] = reference->product;
    }
    reference->history = aff_customers_find(reference->model->customers, request->customer);
    const bool known = reference->history != NULL, added = request->as == AFF_AS_ADDED;
    enum aff_situation situation = known ? AFF_SITUATION_CART_KNOWN : AFF_SITUATION_CART;
    if (reference->n_bases > 0 && added)
        situation = known ? AFF_SITUATION_ADDED_KNOWN : AFF_SITUATION_ADDED;
    if (reference->n_bases == 0 && known)
        situation = AFF_SITUATION_NEXT_BASKET;
    reference->weights = &reference->blend->of[situation];
    reference->n_given = reference->n_bases;
    for (uint32_t i = 0; i < reference->n_given; i++)
        reference->of[i] = i;
    borrow(reference);
}

static int entry_of(const struct aff_row *row, uint32_t other)
{
    for (uint32_t i = 0; row != NULL && i < row->n; i++)
        if (row->entries[i].row == other)
            return (int)i;
    return -1;
}

static const struct aff_purchase *purchase_of(const struct reference *reference, uint32_t row)
{
    for (uint32_t i = 0; reference->history != NULL && i < reference->history->n; i++)
        if (reference->history->purchases[i].row == row)
            return &reference->history->purchases[i];
    return NULL;
}

static unsigned kinds(const struct reference *reference)
{
    if (reference->request->kinds != 0)
        return reference->request->kinds;
    return 1u << AFF_KIND_CROSS_SELL | (reference->history != NULL ? 1u << AFF_KIND_REPLENISH : 0);
}

static float likeness(const struct aff_product *base, const struct aff_product *other)
{
    float sum = aff_text_equal(base->category, other->category) ? 0.4f : 0.2f;

    if (base->brand.size > 0 && aff_text_equal(base->brand, other->brand))
        sum += 0.2f;
    sum += 0.2f * common_attributes(base, other);
    return sum + 0.2f * common_words(base, other);
}

static bool is_substitute_of(const struct aff_product *base, const struct aff_product *other)
{
    size_t parent = base->category.size;

    while (parent > 0 &&
           (base->category.size - parent < 3 || memcmp(base->category.at + parent, " > ", 3) != 0))
        parent--;
    bool same = base->category.size > 0 && aff_text_equal(base->category, other->category);
    bool up = parent > 0 && aff_text_equal((struct aff_text){base->category.at, parent}, other->category);
    if (!(same || up) || base == other)
        return false;
    return base->price == AFF_NO_MONEY || other->price == AFF_NO_MONEY ||
           (2 * other->price >= base->price && other->price <= 2 * base->price);
}

static void name_content(struct reference *reference, uint32_t row)
{
    struct verdict *verdict = &reference->verdicts[row];
    uint32_t first = reference->n_given > 8 ? reference->n_given - 8 : 0;

    if (!(kinds(reference) >> AFF_KIND_SUBSTITUTE & 1))
        return;
    for (uint32_t i = first; i < reference->n_given; i++) {
        uint32_t base = reference->bases[i];
        if (reference->product != AFF_NO_ROW && base != reference->product)
            continue;
        if (!is_substitute_of(record(reference, base), record(reference, row)))
            continue;
        float value = likeness(record(reference, base), record(reference, row));
        verdict->content = !verdict->substitute || value > verdict->content ? value : verdict->content;
        verdict->substitute = true;
    }
}

/* The closed form of recommend.h, in single precision as there. */
static float worth(const struct reference *reference, const struct aff_purchase *purchase)
{
    const float half_life_s = (float)(reference->blend->personal_half_life_days * 86400);
    const float n = (float)purchase->orders;
    const float last =
        exp2f(-(float)(STORE_NOW_S > purchase->last_s ? STORE_NOW_S - purchase->last_s : 0) / half_life_s);

    if (purchase->orders < 2)
        return last;
    const float ratio =
        exp2f(-(((float)purchase->last_s - (float)purchase->first_s) / (n - 1)) / half_life_s);
    return ratio > 0.999F ? last * n : last * (1 - powf(ratio, n)) / (1 - ratio);
}

static void name(struct reference *reference, uint32_t row)
{
    struct verdict *verdict = &reference->verdicts[row];
    const struct aff_purchase *purchase = purchase_of(reference, row);

    for (uint32_t i = 0; i < reference->n_bases; i++) {
        const struct aff_row *neighbours =
            aff_neighbours_row(reference->model->together, reference->bases[i]);
        int entry = entry_of(neighbours, row);
        if (entry < 0)
            continue;
        verdict->by_base = true;
        verdict->affinity += reference->base_weights[i] * neighbours->entries[entry].score;
    }
    bool next = false;
    for (uint32_t i = 0; i < 5 && reference->weights->sequence > 0; i++) {
        uint32_t from = reference->newest;
        if (from == AFF_NO_ROW && reference->history != NULL && i < reference->history->n)
            from = reference->history->purchases[i].row;
        if (from == AFF_NO_ROW || (i > 0 && from == reference->newest))
            break;
        const struct aff_row *neighbours = aff_neighbours_row(reference->model->next, from);
        int entry = entry_of(neighbours, row);
        next = next || entry >= 0;
        verdict->sequence += entry < 0 ? 0 : neighbours->entries[entry].score;
    }
    if (purchase != NULL) {
        verdict->bought = true;
        verdict->personal = worth(reference, purchase);
    }
    for (uint32_t i = 0; reference->weights->traces[AFF_TRACE_HISTORY] > 0 && reference->history != NULL &&
                         i < reference->history->n && i < 100;
         i++) {
        const struct aff_purchase *bought = &reference->history->purchases[i];
        const struct aff_row *neighbours = aff_neighbours_row(reference->model->together, bought->row);
        int entry = entry_of(neighbours, row);
        if (entry < 0)
            continue;
        verdict->by_history = true;
        verdict->history += worth(reference, bought) * neighbours->entries[entry].score;
    }
    name_content(reference, row);
    verdict->named =
        verdict->by_base || verdict->by_history || next || verdict->bought || verdict->substitute;
}

static bool filter_holds(const struct aff_filter *filter, const struct aff_product *product)
{
    bool equal = false;
    int64_t price = product->price;

    if (filter->field == AFF_FILTER_PRICE) {
        const bool holds[] = {price == filter->price, price != filter->price,
                              price<filter->price, price <= filter->price, price> filter->price,
                              price >= filter->price};
        return holds[filter->compare];
    }
    if (filter->field == AFF_FILTER_CATEGORY) {
        char path[64], of[64];
        (void)snprintf(path, sizeof path, "%.*s > ", (int)product->category.size, product->category.at);
        (void)snprintf(of, sizeof of, "%.*s > ", (int)filter->value.size, filter->value.at);
        equal = strncmp(path, of, strlen(of)) == 0;
    } else if (filter->field == AFF_FILTER_BRAND) {
        equal = aff_text_equal(product->brand, filter->value);
    } else {
        for (uint32_t i = 0; i < product->n_attributes; i++)
            equal = equal || (aff_text_equal(product->attributes[i].name, filter->name) &&
                              aff_text_equal(product->attributes[i].value, filter->value));
    }
    return filter->compare == AFF_COMPARE_EQ ? equal : !equal;
}

static bool filters_hold(const struct aff_request *request, const struct aff_product *product)
{
    for (size_t i = 0; i < request->n_filters; i++)
        if (!filter_holds(&request->filters[i], product))
            return false;
    return true;
}

static bool has_floors(const struct reference *reference)
{
    const struct aff_request *request = reference->request;

    return reference->n_given > 0 &&
           (request->min_lift > 0 || request->min_confidence > 0 || request->min_orders > 0);
}

static bool is_proven(const struct reference *reference, uint32_t row)
{
    const struct aff_request *request = reference->request;

    for (uint32_t i = 0; i < reference->n_given; i++) {
        const struct aff_row *neighbours =
            aff_neighbours_row(reference->model->together, reference->bases[i]);
        int entry = entry_of(neighbours, row);
        if (entry < 0)
            continue;
        uint32_t both = aff_row_counts(neighbours)[entry].orders;
        double a = record(reference, reference->bases[i])->orders, b = record(reference, row)->orders;
        double n = (double)reference->model->totals.orders;
        struct aff_evidence evidence = aff_evidence_weighted(both, a, b, n);
        if (both >= request->min_orders && evidence.lift >= request->min_lift &&
            evidence.confidence >= request->min_confidence)
            return true;
    }
    return false;
}

static bool is_excluded(const struct reference *reference, struct aff_text id)
{
    for (size_t i = 0; i < reference->request->n_exclude; i++)
        if (aff_text_equal(reference->request->exclude[i], id))
            return true;
    return false;
}

static bool is_too_soon(const struct reference *reference, uint32_t row)
{
    const struct aff_purchase *purchase = purchase_of(reference, row);
    bool asked = (reference->request->kinds >> AFF_KIND_REPLENISH & 1) != 0;

    if (!asked || purchase == NULL || purchase->orders < 2)
        return false;
    double gap_s = (double)(purchase->last_s - purchase->first_s) / (purchase->orders - 1.0);
    return (double)(STORE_NOW_S - purchase->last_s) < gap_s / 2;
}

/* The first reason that speaks against a product, in the order of AFF_DROP_LIST; AFF_DROP_LIMIT if none does.
 */
static enum aff_drop judge(const struct reference *reference, uint32_t row)
{
    const struct aff_request *request = reference->request;
    const struct aff_product *product = record(reference, row);
    const struct verdict *verdict = &reference->verdicts[row];
    enum aff_kind kind = verdict->bought ? AFF_KIND_REPLENISH : AFF_KIND_CROSS_SELL;

    if (among(reference->cart, reference->n_cart, row))
        return AFF_DROP_IN_CART;
    if (row == reference->product)
        return AFF_DROP_IS_PRODUCT;
    if (is_excluded(reference, product->id))
        return AFF_DROP_EXCLUDED;
    if (!product->available || (product->stock != AFF_NO_STOCK && product->stock <= 0))
        return AFF_DROP_UNAVAILABLE;
    if (product->price == AFF_NO_MONEY)
        return AFF_DROP_UNPRICED;
    if (product->durable && verdict->bought)
        return AFF_DROP_OWNED;
    if (is_too_soon(reference, row))
        return AFF_DROP_NOT_DUE;
    if (!filters_hold(request, product))
        return AFF_DROP_FILTERED;
    if ((request->price_min != AFF_NO_MONEY && product->price < request->price_min) ||
        (request->price_max != AFF_NO_MONEY && product->price > request->price_max))
        return AFF_DROP_PRICE;
    if (has_floors(reference) && !verdict->substitute && !is_proven(reference, row))
        return AFF_DROP_BELOW_FLOOR;
    if (!(kinds(reference) >> (verdict->substitute ? AFF_KIND_SUBSTITUTE : kind) & 1))
        return AFF_DROP_WRONG_KIND;
    return AFF_DROP_LIMIT;
}

static float scale_of(double weight, float max)
{
    return max > 0 ? (float)(weight / (double)max) : 0;
}

/* What impressions take of a score, as a share. */
static float discount(const struct reference *reference, uint32_t row)
{
    for (size_t i = 0; i < reference->request->n_impressed; i++)
        if (reference->request->impressed[i].product == record(reference, row)->key)
            return (float)(reference->blend->impressions *
                           (1 - exp2(-(double)reference->request->impressed[i].times)));
    return 0;
}

/* What rotation leaves of a score. */
static float rotation(const struct reference *reference, uint32_t row)
{
    struct aff_random random = {.state = reference->request->seed ^ (uint64_t)row << 32 ^ row};

    return (float)(1 - reference->request->rotation * 0.05 * aff_random_unit(&random));
}

static void score(struct reference *reference)
{
    const struct aff_weights *weights = reference->weights;
    float affinity = 0, sequence = 0, personal = 0, history = 0;

    for (uint32_t i = 0; i < reference->n_live; i++) {
        const struct verdict *verdict = &reference->verdicts[reference->order[i]];
        affinity = fmaxf(affinity, verdict->affinity);
        sequence = fmaxf(sequence, verdict->sequence);
        personal = fmaxf(personal, verdict->personal);
        history = fmaxf(history, verdict->history);
    }
    for (uint32_t i = 0; i < reference->n_live; i++) {
        uint32_t row = reference->order[i];
        struct verdict *verdict = &reference->verdicts[row];
        verdict->score = verdict->affinity * scale_of(weights->affinity, affinity) +
                         verdict->sequence * scale_of(weights->sequence, sequence) +
                         verdict->personal * scale_of(weights->personal, personal) +
                         verdict->history * scale_of(weights->traces[AFF_TRACE_HISTORY], history);
        if (verdict->substitute)
            verdict->score = verdict->content;
        verdict->score -= fabsf(verdict->score) * discount(reference, row);
        verdict->score +=
            (float)weights->popularity * aff_catalogue_popularity(reference->model->catalogue)[row];
        if (reference->request->rotation > 0)
            verdict->score *= rotation(reference, row);
    }
}

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
        uint32_t found = 0;
        for (uint32_t fresh = 0; fresh < reference->n && found < 4; fresh++) {
            if (!is_linked(reference, fresh, row))
                continue;
            found++;
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
