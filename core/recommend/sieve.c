/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include "core/learn/evidence.h"

static bool in_category(struct aff_text path, struct aff_text of)
{
    const struct aff_text separator = aff_text_of(AFF_CATEGORY_SEPARATOR);

    if (path.size < of.size || memcmp(path.at, of.size == 0 ? path.at : of.at, of.size) != 0)
        return false;
    return path.size == of.size || (of.size > 0 && path.size - of.size > separator.size &&
                                    memcmp(path.at + of.size, separator.at, separator.size) == 0);
}

static bool has_attribute(const struct aff_product *product, const struct aff_filter *filter)
{
    for (uint32_t i = 0; i < product->n_attributes; i++)
        if (aff_text_equal(product->attributes[i].name, filter->name) &&
            aff_text_equal(product->attributes[i].value, filter->value))
            return true;
    return false;
}

static bool price_compares(const struct aff_filter *filter, int64_t price)
{
    if (price == AFF_NO_MONEY)
        return false;
    switch (filter->compare) {
    case AFF_COMPARE_EQ:
        return price == filter->price;
    case AFF_COMPARE_NE:
        return price != filter->price;
    case AFF_COMPARE_LT:
        return price < filter->price;
    case AFF_COMPARE_LE:
        return price <= filter->price;
    case AFF_COMPARE_GT:
        return price > filter->price;
    case AFF_COMPARE_GE:
        return price >= filter->price;
    }
    return false;
}

static bool filter_passes(const struct aff_filter *filter, const struct aff_product *product)
{
    bool equal = false;

    switch (filter->field) {
    case AFF_FILTER_PRICE:
        return price_compares(filter, product->price);
    case AFF_FILTER_CATEGORY:
        equal = in_category(product->category, filter->value);
        break;
    case AFF_FILTER_BRAND:
        equal = aff_text_equal(product->brand, filter->value);
        break;
    case AFF_FILTER_ATTRIBUTE:
        equal = has_attribute(product, filter);
        break;
    }
    return equal == (filter->compare == AFF_COMPARE_EQ);
}

bool aff_filters_pass(const struct aff_request *request, const struct aff_product *product)
{
    for (size_t i = 0; i < request->n_filters; i++)
        if (!filter_passes(&request->filters[i], product))
            return false;
    return true;
}

static bool price_passes(const struct aff_request *request, int64_t price)
{
    return (request->price_min == AFF_NO_MONEY || price >= request->price_min) &&
           (request->price_max == AFF_NO_MONEY || price <= request->price_max);
}

enum aff_kind aff_kind_of(const struct aff_side *side)
{
    if (side == NULL)
        return AFF_KIND_CROSS_SELL;
    if (side->flags & AFF_SIDE_SUBSTITUTE)
        return AFF_KIND_SUBSTITUTE;
    return side->flags & AFF_SIDE_BOUGHT ? AFF_KIND_REPLENISH : AFF_KIND_CROSS_SELL;
}

/* Marks and eligibility of a row as bits by reason, beside AFF_MARK_SIDE; 0: none holds. */
static inline unsigned reasons_of(const uint8_t *marks, const uint8_t *eligibility, unsigned looked,
                                  uint32_t row)
{
    return marks[row] | (aff_byte_read(&eligibility[row]) & looked) << AFF_MARK_ELIGIBILITY;
}

/* The eligibility bits that the request looks at. */
static unsigned looked_at(const struct aff_run *run)
{
    return run->request->unpriced ? UINT8_MAX & ~(unsigned)AFF_INELIGIBLE_UNPRICED : UINT8_MAX;
}

static bool is_among(const uint32_t *rows, size_t n, uint32_t row)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i] == row)
            return true;
    return false;
}

/* The first of the reasons that hold. A rejected product has the mark of the excluded ones. */
static enum aff_drop first_of(const struct aff_run *run, uint32_t row, unsigned reasons)
{
    const struct aff_request *request = run->request;
    enum aff_drop drop = (enum aff_drop)__builtin_ctz(reasons);

    if (drop != AFF_DROP_EXCLUDED || !is_among(run->space->rejected, request->n_rejected, row) ||
        is_among(run->excluded, request->n_exclude, row))
        return drop;
    reasons &= ~(unsigned)(AFF_MARK_EXCLUDED | AFF_MARK_SIDE);
    return reasons != 0 ? (enum aff_drop)__builtin_ctz(reasons) : AFF_DROP_REJECTED;
}

/* The first reason beyond marks and eligibility. */
static inline enum aff_drop judge(const struct aff_run *run, uint32_t row, const struct aff_side *side)
{
    const struct aff_request *request = run->request;

    if (side->flags & AFF_SIDE_NOT_DUE)
        return AFF_DROP_NOT_DUE;
    if (request->n_filters > 0 || request->price_min != AFF_NO_MONEY || request->price_max != AFF_NO_MONEY) {
        const struct aff_product *product = aff_catalogue_product(run->catalogue, row);
        if (!aff_filters_pass(request, product))
            return AFF_DROP_FILTERED;
        if (!price_passes(request, product->price))
            return AFF_DROP_PRICE;
    }
    if (run->floors && !(side->flags & (AFF_SIDE_PROVEN | AFF_SIDE_SUBSTITUTE)))
        return AFF_DROP_BELOW_FLOOR;
    if (!(run->kinds >> aff_kind_of(side) & 1))
        return AFF_DROP_WRONG_KIND;
    return AFF_DROP_LIMIT;
}

enum aff_drop aff_sieve_one(const struct aff_run *run, uint32_t row, const struct aff_side *side)
{
    unsigned reasons =
        reasons_of(run->space->marks, aff_catalogue_eligibility(run->catalogue), looked_at(run), row);

    reasons &= ~(unsigned)AFF_MARK_SIDE;
    return reasons != 0 ? first_of(run, row, reasons) : judge(run, row, side);
}

/* Marks the candidates that a pair with one of the bases proves. */
static void prove(struct aff_run *run)
{
    const struct aff_request *request = run->request;
    const struct aff_workspace *space = run->space;
    const double n = (double)run->model->totals.orders;

    for (uint32_t i = 0; i < run->n_given; i++) {
        const struct aff_row *row = space->bases[i].together;
        const struct aff_pair_counts *counts = row == NULL ? NULL : aff_row_counts(row);
        const double n_a = aff_catalogue_product(run->catalogue, space->bases[i].row)->orders;
        for (uint32_t j = 0; row != NULL && j < row->n; j++) {
            uint32_t other = row->entries[j].row;
            const double n_b = aff_catalogue_product(run->catalogue, other)->orders;
            struct aff_evidence evidence = aff_evidence_weighted(counts[j].orders, n_a, n_b, n);
            if (counts[j].orders >= request->min_orders && evidence.lift >= request->min_lift &&
                evidence.confidence >= request->min_confidence)
                aff_side_find(run, other)->flags |= AFF_SIDE_PROVEN;
        }
    }
}

/* Keeps a candidate with a side if nothing speaks against it. */
static void sieve_by_side(struct aff_run *run, uint32_t row, float sum)
{
    struct aff_workspace *space = run->space;
    const uint32_t number = space->cells[row].side;
    const enum aff_drop drop = aff_sieve_one(run, row, &space->sides[number]);

    space->sides[number].drop = (uint8_t)drop;
    if (drop != AFF_DROP_LIMIT) {
        run->answer->dropped[drop]++;
        return;
    }
    space->live[run->n_live] = row;
    space->live_sides[run->n_live] = number;
    space->scores[run->n_live++] = sum;
}

/* Where each candidate has a side: sides and rows are in the same order then. */
static void sieve_each(struct aff_run *run)
{
    const uint8_t *marks = run->space->marks, *eligibility = aff_catalogue_eligibility(run->catalogue);
    const uint32_t *rows = run->space->rows;
    const uint32_t n = run->n_candidates;
    const unsigned looked = looked_at(run);
    struct aff_side *sides = run->space->sides;
    uint32_t *live = run->space->live, *live_sides = run->space->live_sides, n_live = 0;
    float *scores = run->space->scores, *sums = run->space->sums;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t row = rows[i], later = rows[i + AFF_CELLS_AHEAD < n ? i + AFF_CELLS_AHEAD : i];
        __builtin_prefetch(&marks[later]);
        __builtin_prefetch(&eligibility[later]);
        const unsigned reasons = reasons_of(marks, eligibility, looked, row);
        const enum aff_drop drop =
            __builtin_expect(reasons != 0, 0) ? first_of(run, row, reasons) : judge(run, row, &sides[i]);
        sides[i].drop = (uint8_t)drop;
        run->answer->dropped[drop] += drop != AFF_DROP_LIMIT;
        live[n_live] = row;
        live_sides[n_live] = i;
        scores[n_live] = i < run->n_named ? sums[row] : AFF_UNNAMED;
        n_live += drop == AFF_DROP_LIMIT;
    }
    for (uint32_t i = 0; i < run->n_named; i++)
        sums[rows[i]] = AFF_UNNAMED;
    run->n_live = n_live;
}

/* Keeps the candidates that are neither marked nor ineligible, and puts the others, which are few, aside. */
static uint32_t sieve_by_marks(struct aff_run *run)
{
    const uint8_t *marks = run->space->marks, *eligibility = aff_catalogue_eligibility(run->catalogue);
    const uint32_t *rows = run->space->rows;
    const uint32_t n = run->n_candidates;
    const unsigned looked = looked_at(run);
    struct aff_aside *asides = run->space->asides;
    uint32_t *live = run->space->live;
    float *scores = run->space->scores, *sums = run->space->sums;
    uint32_t n_live = 0, n_asides = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t row = rows[i];
        const unsigned reasons = reasons_of(marks, eligibility, looked, row);
        const float sum = sums[row];
        live[n_live] = row;
        scores[n_live] = sum;
        sums[row] = AFF_UNNAMED;
        n_live += reasons == 0;
        if (__builtin_expect(reasons != 0, 0))
            asides[n_asides++] = (struct aff_aside){.row = row, .sum = sum, .reasons = reasons};
    }
    run->n_live = n_live;
    return n_asides;
}

void aff_sieve(struct aff_run *run)
{
    const struct aff_workspace *space = run->space;

    if (run->each) {
        if (run->floors)
            prove(run);
        sieve_each(run);
        return;
    }
    uint32_t n_asides = sieve_by_marks(run);
    run->n_plain = run->n_live;
    for (uint32_t i = 0; i < n_asides; i++) {
        const struct aff_aside aside = space->asides[i];
        space->marks[aside.row] &= (uint8_t)~AFF_MARK_SIDE; /* a source may have put it on any product */
        if (aside.reasons == AFF_MARK_SIDE)
            sieve_by_side(run, aside.row, aside.sum);
        else
            run->answer->dropped[first_of(run, aside.row, aside.reasons)]++;
    }
}
