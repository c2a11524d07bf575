/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through the steps of aff_recommend; for core/recommend/ only.
 *
 * - resolve.c: ids to rows; marks on rows that may not be offered.
 * - candidates.c, content.c, traces.c: neighbour rows, purchases, category lists and the sources that look at
 *   single sessions and baskets name candidates.
 * - lookalikes.c: products that lend their neighbours to new ones.
 * - impressions.c: finds the candidates that were shown and not clicked.
 * - sieve.c: drops by mark and eligibility byte, then by what the request asks for.
 * - rank.c: maxima, scores, the best `limit`.
 * - newcomers.c: new products that are like one of these.
 * - diversity.c: exchanges what is too much like a better item.
 * - explain.c: winners become items with via, evidence and terms.
 * - fallback.c: popularity fills the rest.
 *
 * The common request (a cart, with or without a known customer) touches for each neighbour one sum, and for
 * each candidate that sum again, one byte of marks and one of eligibility. What else there is to know of a
 * product is in a side, which only the products have that need one: those that the customer has bought, or
 * all candidates where a request asks for more. */
#pragma once

#include "core/recommend/recommend.h"

enum {
    AFF_LOOKALIKES = 8, /* products that lend their neighbours to a new one */
    AFF_NEW_BASES = 3,  /* new products of a request that borrow */
    AFF_BASES_MAX = AFF_CART_MAX + 1 + AFF_NEW_BASES * AFF_LOOKALIKES,
    AFF_IDS_MAX = AFF_CART_MAX + AFF_EXCLUDE_MAX + 2,
    AFF_POOL_MAX = 4 * AFF_ITEMS_MAX, /* candidates that diversity chooses from */
    AFF_CHUNK = 64,                   /* neighbours in which winners are looked for at once */
    AFF_SEQUENCE_PURCHASES = 5,       /* newest purchases whose `next` rows count when there is no cart */
};

/* Marks of a row in one request. With the eligibility byte shifted by AFF_MARK_ELIGIBILITY the lowest set bit
 * is the number of the first reason (enum aff_drop) that holds. */
enum aff_mark {
    AFF_MARK_IN_CART = 1 << AFF_DROP_IN_CART,
    AFF_MARK_IS_PRODUCT = 1 << AFF_DROP_IS_PRODUCT,
    AFF_MARK_EXCLUDED = 1 << AFF_DROP_EXCLUDED,
    AFF_MARK_OWNED = 1 << AFF_DROP_OWNED,
    AFF_MARK_SIDE = 0x40, /* no reason: it has a side, while others have none */
};
enum { AFF_MARK_ELIGIBILITY = AFF_DROP_UNAVAILABLE };
/* Marks of winners while their speakers are looked for: this and the number of the item. No winner has
 * another mark. */
enum { AFF_MARK_WINNER = 0x80 };
_Static_assert(AFF_MARK_WINNER + AFF_ITEMS_MAX <= UINT8_MAX, "the number of each item fits");
_Static_assert(AFF_INELIGIBLE_UNAVAILABLE << AFF_MARK_ELIGIBILITY == 1 << AFF_DROP_UNAVAILABLE &&
                   AFF_INELIGIBLE_UNPRICED << AFF_MARK_ELIGIBILITY == 1 << AFF_DROP_UNPRICED &&
                   AFF_DROP_OWNED > AFF_DROP_UNPRICED,
               "marks and eligibility bits are in the order of the reasons");

/* Says whether a product has a side in the request that `stamp` counts, and which. A new stamp a request
 * empties all cells at once. */
struct aff_cell {
    uint32_t stamp, side;
};

enum { AFF_CELLS_AHEAD = 12 }; /* rows whose cells are asked for before they are needed */

/* What the sum of a product is that no base names. It adds like 0, and no sum of shares gives it. */
#define AFF_UNNAMED (-0.0f)

static inline bool aff_is_unnamed(float sum)
{
    uint32_t bits;

    memcpy(&bits, &sum, sizeof bits);
    return bits == UINT32_C(1) << 31;
}

enum aff_side_flag {
    AFF_SIDE_BOUGHT = 1,     /* by the customer */
    AFF_SIDE_NOT_DUE = 2,    /* too soon to buy again */
    AFF_SIDE_SUBSTITUTE = 4, /* named by a category list */
    AFF_SIDE_PROVEN = 8,     /* a pair with a base passes the request's floors */
    AFF_SIDE_NEWCOMER = 16,  /* new, and like an item */
};

/* A product that was shown and not clicked: 1 - 0.5^times, and that times the weight. */
struct aff_shown_row {
    uint32_t row;
    float share, discount;
    float before; /* the score of the candidate before the discount, popularity apart */
};
_Static_assert(AFF_IMPRESSED_MAX < UINT8_MAX, "a side numbers them from 1");

/* A new product, and the item that it is like. */
struct aff_offer {
    uint32_t row, lender;
    float likeness;
    float lent;  /* the score of that item */
    float value; /* its own, before what impressions take */
};

/* A popular product that was shown: it comes when no other is more popular than this one discounted. */
struct aff_held {
    uint32_t row, via;
    float value;
};

/* Room for the traces in fours, so that loops over them need no rest. */
enum { AFF_TRACE_ROOM = (AFF_TRACE_MAX + 3) / 4 * 4 };

/* What else is known of a candidate than its sum. One line of the cache. */
struct aff_side {
    _Alignas(64) float sequence;
    float sequence_best, personal, content;
    float traces[AFF_TRACE_ROOM]; /* by enum aff_trace, then 0 */
    uint32_t sequence_via;        /* 1 + number in next_rows; 0: none */
    uint32_t content_via;         /* number of the base; of a newcomer, of the offer */
    uint8_t shown;                /* 1 + number in space->shown; 0: it was not shown, or was clicked */
    uint8_t flags, drop;
};
_Static_assert(sizeof(struct aff_side) == _Alignof(struct aff_side), "one line of the cache");

/* A product of the cart, or the one of the page, that neighbour rows are read for, or one that stands in for
 * a new one of these. The row is loaded once, so that scores and evidence of one answer come from the same
 * row. */
struct aff_base {
    uint32_t row;
    uint32_t of; /* number of the base that it stands in for; its own if it was given */
    float weight;
    const struct aff_row *together; /* NULL: no neighbours */
};

/* A candidate that is not simply left: marked or not eligible, by `reasons`, which are read once because
 * eligibility may change at any time. */
struct aff_aside {
    uint32_t row;
    float sum;
    unsigned reasons;
};

/* The base that speaks most for a winner. */
struct aff_speaker {
    float share;
    uint32_t base; /* AFF_NO_BASE: no base names it */
    const struct aff_pair_counts *counts;
};
#define AFF_NO_BASE UINT32_MAX

struct aff_workspace {
    size_t capacity; /* products, and one more that the branch-free loops write ahead */
    /* One element a product. */
    float *sums;    /* affinity; all AFF_UNNAMED between requests */
    uint8_t *marks; /* enum aff_mark; all 0 between requests */
    struct aff_cell *cells;
    uint32_t stamp;
    /* Lists, with room for all products. */
    uint32_t *rows; /* candidates, in the order in which they were named */
    struct aff_side *sides;
    struct aff_aside *asides;
    uint32_t *live;       /* candidates that are left: first those without a side */
    float *scores;        /* their sums, in the same order; from aff_rank on those with a side their scores */
    uint32_t *live_sides; /* numbers of their sides, in the same order; for those that have one */
    uint32_t *contenders; /* positions in live that may be among the best */
    uint32_t found[AFF_CHUNK + 1]; /* winners of one chunk */
    struct aff_speaker speakers[AFF_ITEMS_MAX];
    struct aff_base bases[AFF_BASES_MAX];
    uint64_t top[AFF_POOL_MAX]; /* keys of the best, best first */
    struct aff_text ids[AFF_IDS_MAX];
    uint64_t hashes[AFF_IDS_MAX];
    uint64_t unknown_hashes[AFF_IDS_MAX];
    uint32_t id_rows[AFF_IDS_MAX];
    uint32_t rejected[AFF_REJECTED_MAX]; /* rows, AFF_NO_ROW among them */
    struct aff_shown_row shown[AFF_IMPRESSED_MAX];
    struct aff_offer offers[AFF_NEWCOMERS];
    struct aff_held held[AFF_IMPRESSED_MAX]; /* of one stage of the fallback */
};

struct aff_run {
    const struct aff_model *model;
    const struct aff_catalogue *catalogue;
    const struct aff_blend *blend;
    const struct aff_weights *weights; /* of the situation */
    double half_life_days;             /* of a purchase */
    const struct aff_request *request;
    struct aff_workspace *space;
    struct aff_answer *answer;
    const struct aff_history *history; /* NULL: unknown customer */
    const uint32_t *excluded;          /* rows, AFF_NO_ROW among them */
    uint32_t product, newest, why_not; /* rows; newest: of the cart */
    uint32_t n_given;                  /* distinct cart products, then the page product */
    uint32_t n_bases;                  /* these, then what stands in for new ones */
    uint32_t n_compared;               /* products with new ones */
    uint32_t n_candidates, n_sides, n_live, n_top;
    uint32_t n_named; /* the first candidates, which the neighbour rows name: only they have sums */
    uint32_t n_plain; /* of the live candidates, those without a side */
    uint32_t n_shown;
    const struct aff_row *next_rows[AFF_SEQUENCE_PURCHASES];
    uint32_t next_via[AFF_SEQUENCE_PURCHASES];
    uint32_t n_next;
    unsigned kinds; /* asked for, never 0 */
    bool each;      /* every candidate has a side and is looked at by itself */
    bool floors;    /* min_lift, min_confidence or min_orders apply */
    bool traced;    /* a trace has named candidates */
    float max_affinity, max_sequence, max_personal; /* of the live candidates; 0: nothing positive */
    float max_traces[AFF_TRACE_ROOM];
};

/* The weights that hold in a situation. */
static inline const struct aff_weights *aff_run_weights(const struct aff_run *run,
                                                        enum aff_situation situation)
{
    const struct aff_fitted *fitted = &run->model->fitted;

    return run->blend->fitted && fitted->given[situation] ? &fitted->of[situation]
                                                          : &run->blend->of[situation];
}

/* Weight of the content term. */
#define AFF_CONTENT_WEIGHT 1.0

AFF_MUST_CHECK aff_status aff_request_check(const struct aff_request *request);

AFF_MUST_CHECK aff_status aff_workspace_fit(struct aff_workspace *space, uint32_t n_products);

/* Marks are set by resolve and must be cleared whatever comes after. */
void aff_resolve(struct aff_run *run);
void aff_resolve_clear(struct aff_run *run);

/* Makes the product a candidate if it is none, and returns its side; where each candidate has one, which is
 * then sides[i] of rows[i]. Called often with rows that nobody can foresee, so that no branch depends on
 * them: a row and an empty side are always written behind the last ones, and stay if the row was new. */
static inline struct aff_side *aff_candidate_add(struct aff_run *run, uint32_t row)
{
    struct aff_workspace *space = run->space;
    struct aff_cell *cell = &space->cells[row];
    const struct aff_cell before = *cell;
    const uint32_t n = run->n_candidates;
    const bool is_new = before.stamp != space->stamp;
    const uint32_t side = is_new ? n : before.side;

    *cell = (struct aff_cell){.stamp = space->stamp, .side = side};
    space->rows[n] = row;
    space->sides[n] = (struct aff_side){0};
    run->n_candidates = run->n_sides = n + is_new;
    return &space->sides[side];
}

/* The side of a product, NULL if it has none. */
struct aff_side *aff_side_find(const struct aff_run *run, uint32_t row);
/* Gives all candidates a side, from now on each that is named. */
void aff_side_give_all(struct aff_run *run);
/* Makes the product a candidate if it is none, and gives it a side. */
struct aff_side *aff_candidate_touch(struct aff_run *run, uint32_t row);
void aff_candidates_from_rows(struct aff_run *run);
void aff_candidates_from_sequence(struct aff_run *run);
void aff_candidates_from_history(struct aff_run *run);
void aff_candidates_from_content(struct aff_run *run);
/* What a purchase is worth for its customer at the time of the request. */
float aff_personal_value(const struct aff_run *run, const struct aff_purchase *purchase);
/* True if a source of enum aff_trace gives a value to every candidate, whoever named it. */
bool aff_traces_of_each(const struct aff_run *run);
/* All candidates have sides by then where aff_traces_of_each(). */
void aff_candidates_from_traces(struct aff_run *run);

/* Adds to the given bases what stands in for new ones. */
void aff_lookalikes_add(struct aff_run *run);

/* Fills space->shown from what the request says was shown. */
void aff_impressions_resolve(struct aff_run *run);
/* Gives the candidates among them a side that says so. */
void aff_impressions_discount(struct aff_run *run);
/* 1 + the number of the product in space->shown; 0: it was not shown. */
uint8_t aff_impressions_find(const struct aff_run *run, uint32_t row);
/* Notes the score of product number `shown` - 1 and returns what is left of it. */
float aff_impressions_take(const struct aff_run *run, uint8_t shown, float score);

/* Fills space->live and counts what is dropped. */
void aff_sieve(struct aff_run *run);
/* The first reason that holds for a candidate with a side, AFF_DROP_LIMIT if none does. */
enum aff_drop aff_sieve_one(const struct aff_run *run, uint32_t row, const struct aff_side *side);
/* `side` may be NULL. */
enum aff_kind aff_kind_of(const struct aff_side *side);
bool aff_filters_pass(const struct aff_request *request, const struct aff_product *product);

/* Fills space->top with the best `n` live candidates (fewer if there are fewer), best first. */
void aff_rank(struct aff_run *run, uint32_t n);
uint64_t aff_rank_key_of(float score, uint32_t row);
float aff_rank_score_of(uint64_t key);
uint32_t aff_rank_row_of(uint64_t key);
/* What one unit of a source's sum adds to the score: its weight / its maximum; 0 without a maximum. */
float aff_rank_scale(double weight, float max);
/* 1, or a little less with rotation: what the score of a row is multiplied by. */
float aff_rank_rotation(const struct aff_run *run, uint32_t row);

/* Puts new products that are like items of space->top among the best `most`. */
void aff_newcomers_offer(struct aff_run *run, uint32_t most);

/* Shortens space->top to `limit`, counting what diversity displaced. */
void aff_diversify(struct aff_run *run);

/* Fills items from space->top. */
void aff_explain_items(struct aff_run *run);
/* Tells the fate of the why_not product. */
void aff_explain_why_not(struct aff_run *run);

/* Appends popular products until there are `limit` items or the lists end. */
void aff_fallback(struct aff_run *run);
