/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the naive recommender: which products are named, dropped, and what they score. */
#pragma once

#include "naive_likeness.h"

static void resolve(struct reference *reference)
{
    const struct aff_request *request = reference->request;

    reference->newest = AFF_NO_ROW;
    for (size_t i = 0; i < request->n_cart; i++) {
        uint32_t row = find(reference, request->cart[i].product);
        reference->lines[i] = row;
        if (row == AFF_NO_ROW)
            continue;
        reference->newest = row;
        if (among(reference->cart, reference->n_cart, row))
            continue;
        reference->ages[reference->n_cart] = (double)(request->n_cart - 1 - i);
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
    if (request->as == AFF_AS_VIEWS)
        situation = AFF_SITUATION_VIEWS;
    reference->weights = &reference->blend->of[situation];
    const double lines = reference->weights->cart_lines > 0 ? reference->weights->cart_lines : 2;
    for (uint32_t i = 0; i < reference->n_cart; i++)
        reference->base_weights[i] =
            request->as == AFF_AS_CART ? 1 : fmaxf((float)exp(-reference->ages[i] / lines), 0.1f);
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
    const float half_life_s =
        (float)((reference->weights->half_life_days > 0 ? reference->weights->half_life_days
                                                        : reference->blend->personal_half_life_days) *
                86400);
    const float n = (float)purchase->orders;
    const float last =
        exp2f(-(float)(STORE_NOW_S > purchase->last_s ? STORE_NOW_S - purchase->last_s : 0) / half_life_s);

    if (purchase->orders < 2)
        return last;
    const float ratio =
        exp2f(-(((float)purchase->last_s - (float)purchase->first_s) / (n - 1)) / half_life_s);
    return ratio > 0.999F ? last * n : last * (1 - powf(ratio, n)) / (1 - ratio);
}

/* Adds what an entry of the list says of the row. */
static bool add_entry(struct verdict *verdict, enum aff_trace trace, const struct aff_neighbour *entries,
                      uint32_t n, uint32_t row, float weight)
{
    for (uint32_t i = 0; i < n; i++) {
        if (entries[i].row != row)
            continue;
        verdict->traces[trace] += weight * entries[i].score;
        verdict->by_trace = true;
        return true;
    }
    return false;
}

static bool wants(const struct reference *reference, enum aff_trace trace)
{
    return reference->weights->traces[trace] > 0;
}

/* How likely the visitor returns to a product. */
static float habit(const struct reference *reference)
{
    const uint32_t n_lines = (uint32_t)reference->request->n_cart;
    uint32_t returns = 0;

    for (uint32_t i = 0; i < n_lines; i++)
        for (uint32_t j = 0; j < i; j++)
            if (reference->lines[i] != AFF_NO_ROW && reference->lines[j] == reference->lines[i]) {
                returns++;
                break;
            }
    return ((float)returns + reference->model->traces->revisits) / (float)n_lines;
}

static void name_by_views(struct reference *reference, uint32_t row)
{
    const struct aff_traces *traces = reference->model->traces;
    const uint32_t n_lines = (uint32_t)reference->request->n_cart;
    struct verdict *verdict = &reference->verdicts[row];

    const double views = reference->weights->alike_views > 0 ? reference->weights->alike_views : 0.2;
    for (uint32_t age = 0; wants(reference, AFF_TRACE_ALIKE) && age < n_lines && age < 10; age++) {
        uint32_t n = 0;
        const float share = expf(-(float)age / (float)views);
        if (share < 1e-9f)
            continue;
        const struct aff_neighbour *alike =
            aff_successors_of(traces->alike, reference->lines[n_lines - 1 - age], &n);
        (void)add_entry(verdict, AFF_TRACE_ALIKE, alike, n, row, share);
    }
    for (uint32_t age = 0; age < n_lines && age < 10; age++) {
        const uint32_t line = reference->lines[n_lines - 1 - age];
        uint32_t n = 0;
        const struct aff_neighbour *rules = aff_successors_of(traces->viewed, line, &n);
        if (wants(reference, AFF_TRACE_VIEWED))
            (void)add_entry(verdict, AFF_TRACE_VIEWED, rules, n, row, expf(-(float)age / 2));
        if (!wants(reference, AFF_TRACE_SEEN) || traces->revisits < 0.05f || age == 0 || line != row)
            continue;
        verdict->by_trace = true;
        verdict->traces[AFF_TRACE_SEEN] +=
            (row == reference->lines[n_lines - 1] ? 0.5f : 1.0f) * expf(-(float)age / 10);
    }
    if (n_lines == 0 || row != reference->lines[n_lines - 1])
        return;
    verdict->traces[AFF_TRACE_ALIKE] *= habit(reference) / 0.35f;
    if (traces->revisits >= 0.05f) {
        verdict->traces[AFF_TRACE_VIEWED] *= habit(reference) / traces->revisits;
        verdict->traces[AFF_TRACE_SEEN] *= habit(reference) / traces->revisits;
    }
}

/* The sources of core/recommend/weights.h that look at sessions, baskets and all purchases. */
static void name_by_traces(struct reference *reference, uint32_t row)
{
    const struct aff_traces *traces = reference->model->traces;
    struct verdict *verdict = &reference->verdicts[row];
    uint32_t n = 0;

    for (uint32_t i = 0; wants(reference, AFF_TRACE_HISTORY) && reference->history != NULL &&
                         i < reference->history->n && i < 100;
         i++) {
        const struct aff_purchase *bought = &reference->history->purchases[i];
        const struct aff_row *neighbours = aff_neighbours_row(reference->model->together, bought->row);
        if (neighbours != NULL && add_entry(verdict, AFF_TRACE_HISTORY, neighbours->entries, neighbours->n,
                                            row, worth(reference, bought)))
            verdict->by_history = true;
    }
    if (traces == NULL)
        return;
    uint32_t looked = reference->request->as == AFF_AS_ADDED ? 1 : 5, age = 0;
    for (size_t line = reference->request->n_cart; wants(reference, AFF_TRACE_ADDED) && line-- > 0;) {
        if (reference->lines[line] == AFF_NO_ROW || age == looked)
            continue;
        const struct aff_neighbour *rules = aff_successors_of(traces->added, reference->lines[line], &n);
        (void)add_entry(verdict, AFF_TRACE_ADDED, rules, n, row, expf(-(float)age / 2));
        age++;
    }
    if (reference->request->as == AFF_AS_VIEWS)
        name_by_views(reference, row);
    if (wants(reference, AFF_TRACE_RECENT) && traces->recent_of != NULL) {
        for (uint32_t i = 0; i < traces->n_recent; i++)
            verdict->by_trace = verdict->by_trace || traces->recent[i].row == row;
        verdict->traces[AFF_TRACE_RECENT] = traces->recent_of[row];
    }
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
    name_by_traces(reference, row);
    name_content(reference, row);
    verdict->named = verdict->by_base || verdict->by_trace || next || verdict->bought || verdict->substitute;
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

    if (request->as != AFF_AS_VIEWS && among(reference->cart, reference->n_cart, row))
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
    for (size_t i = 0; i < request->n_rejected; i++)
        if (request->rejected[i] == product->key)
            return AFF_DROP_REJECTED;
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
    return max > 0 && weight / (double)max <= (double)FLT_MAX ? (float)(weight / (double)max) : 0;
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
    float affinity = 0, sequence = 0, personal = 0, traces[AFF_TRACE_MAX] = {0};

    for (uint32_t i = 0; i < reference->n_live; i++) {
        const struct verdict *verdict = &reference->verdicts[reference->order[i]];
        affinity = fmaxf(affinity, verdict->affinity);
        sequence = fmaxf(sequence, verdict->sequence);
        personal = fmaxf(personal, verdict->personal);
        for (int t = 0; t < AFF_TRACE_MAX; t++)
            traces[t] = fmaxf(traces[t], verdict->traces[t]);
    }
    for (uint32_t i = 0; i < reference->n_live; i++) {
        uint32_t row = reference->order[i];
        struct verdict *verdict = &reference->verdicts[row];
        verdict->score = verdict->affinity * scale_of(weights->affinity, affinity) +
                         verdict->sequence * scale_of(weights->sequence, sequence) +
                         verdict->personal * scale_of(weights->personal, personal);
        for (int t = 0; t < AFF_TRACE_MAX; t++)
            verdict->score += verdict->traces[t] * scale_of(weights->traces[t], traces[t]);
        if (verdict->substitute)
            verdict->score = verdict->content;
        verdict->score -= fabsf(verdict->score) * discount(reference, row);
        verdict->score +=
            (float)weights->popularity * aff_catalogue_popularity(reference->model->catalogue)[row];
        if (reference->request->rotation > 0)
            verdict->score *= rotation(reference, row);
    }
}
