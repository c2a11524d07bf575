/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the naive recommender, and what it knows of products that are alike. */
#pragma once

#include "core/learn/evidence.h"
#include "core/recommend/recommend.h"
#include "random_store.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum { MOST_PRODUCTS = 240 };

/* What the reference finds out about one product. */
struct verdict {
    bool named, by_base, by_history, by_trace, bought, substitute, by_likeness;
    uint32_t lender; /* by_likeness: the item that a new product is like */
    float affinity, sequence, personal, content;
    float traces[AFF_TRACE_MAX];
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
    double ages[AFF_CART_MAX + 1];      /* lines after it */
    uint32_t n;
    uint32_t cart[AFF_CART_MAX], n_cart, bases[AFF_CART_MAX + 1 + 24], n_given, n_bases, newest, product;
    const struct aff_history *history;
    uint32_t lines[AFF_CART_MAX]; /* rows of all cart lines, AFF_NO_ROW among them */
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
