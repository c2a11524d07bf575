/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/run.h"

#include <math.h>

/* Lists the id of `number` as unknown, once. */
static void add_unknown(struct aff_run *run, size_t number)
{
    struct aff_workspace *space = run->space;
    struct aff_answer *answer = run->answer;

    for (uint32_t i = 0; i < answer->n_unknown; i++)
        if (space->unknown_hashes[i] == space->hashes[number] &&
            aff_text_equal(answer->unknown[i], space->ids[number]))
            return;
    space->unknown_hashes[answer->n_unknown] = space->hashes[number];
    answer->unknown[answer->n_unknown++] = space->ids[number];
}

/* Collects all product ids of the request: cart, page product, excluded, why_not. An empty one stands for
 * what is not given. */
static size_t collect_ids(struct aff_run *run)
{
    const struct aff_request *request = run->request;
    struct aff_text *ids = run->space->ids;
    size_t n = 0;

    for (size_t i = 0; i < request->n_cart; i++)
        ids[n++] = request->cart[i].product;
    ids[n++] = request->product;
    for (size_t i = 0; i < request->n_exclude; i++)
        ids[n++] = request->exclude[i];
    ids[n++] = request->why_not;
    return n;
}

/* Lines of the cart after which its rows count 1/e; 0: all count the same, for the order says nothing. */
static double cart_lines(const struct aff_run *run)
{
    enum aff_situation situation = run->history == NULL ? AFF_SITUATION_ADDED : AFF_SITUATION_ADDED_KNOWN;

    if (run->request->as == AFF_AS_CART)
        return 0;
    if (run->request->as == AFF_AS_VIEWS)
        situation = AFF_SITUATION_VIEWS;
    const double lines = aff_run_weights(run, situation)->cart_lines;
    return lines > 0 ? lines : AFF_CART_LINES;
}

/* The newest counts most, each older one exp(-1 / lines) of the next, and none less than a tenth. */
static float cart_weight(size_t age, double lines)
{
    static const double least = 0.1;

    return lines > 0 ? (float)fmax(exp(-(double)age / lines), least) : 1;
}

static void add_base(struct aff_run *run, uint32_t row, float weight)
{
    const uint32_t number = run->n_bases++;

    run->space->bases[number] = (struct aff_base){
        .row = row,
        .of = number,
        .weight = weight,
        .together = aff_neighbours_row(run->model->together, row),
    };
}

static void add_cart(struct aff_run *run, const uint32_t *rows, size_t n)
{
    uint8_t *marks = run->space->marks;
    const double lines = cart_lines(run);

    for (size_t i = 0; i < n; i++) {
        if (rows[i] == AFF_NO_ROW)
            continue;
        run->newest = rows[i];
        if (marks[rows[i]] & AFF_MARK_IN_CART)
            continue;
        marks[rows[i]] |= AFF_MARK_IN_CART;
        add_base(run, rows[i], cart_weight(n - 1 - i, lines));
    }
}

static void add_product(struct aff_run *run, uint32_t row)
{
    uint8_t *marks = run->space->marks;

    run->product = row;
    if (row == AFF_NO_ROW)
        return;
    if (!(marks[row] & AFF_MARK_IN_CART))
        add_base(run, row, 1);
    marks[row] |= AFF_MARK_IS_PRODUCT;
}

/* What is rejected is marked as excluded; which of the two it is the sieve finds out where it matters. */
static void add_rejected(struct aff_run *run)
{
    for (size_t i = 0; i < run->request->n_rejected; i++) {
        uint32_t row = aff_catalogue_find_key(run->catalogue, run->request->rejected[i]);
        run->space->rejected[i] = row;
        if (row != AFF_NO_ROW)
            run->space->marks[row] |= AFF_MARK_EXCLUDED;
    }
}

static void add_history(struct aff_run *run)
{
    const uint8_t *durable = aff_catalogue_durable(run->catalogue);

    if (run->request->customer.size > 0)
        run->history = aff_customers_find(run->model->customers, run->request->customer);
    run->answer->customer_known = run->history != NULL;
    if (run->history == NULL)
        return;
    for (uint32_t i = 0; i < run->history->n; i++) {
        uint32_t row = run->history->purchases[i].row;
        if (aff_byte_read(&durable[row]))
            run->space->marks[row] |= AFF_MARK_OWNED;
    }
}

void aff_resolve(struct aff_run *run)
{
    struct aff_workspace *space = run->space;
    const struct aff_request *request = run->request;
    size_t n = collect_ids(run);

    for (size_t i = 0; i < n; i++)
        if (space->ids[i].size > 0)
            space->hashes[i] = aff_catalogue_prefetch(run->catalogue, space->ids[i]);
    for (size_t i = 0; i <= request->n_cart; i++)
        if (space->ids[i].size > 0)
            aff_neighbours_prefetch(run->model->together,
                                    aff_catalogue_guess(run->catalogue, space->ids[i], space->hashes[i]));
    for (size_t i = 0; i < n; i++) {
        space->id_rows[i] = AFF_NO_ROW;
        if (space->ids[i].size == 0)
            continue;
        space->id_rows[i] = aff_catalogue_find_hashed(run->catalogue, space->ids[i], space->hashes[i]);
        if (space->id_rows[i] == AFF_NO_ROW)
            add_unknown(run, i);
    }
    add_history(run); /* whether the customer is known decides how cart products count */
    run->newest = AFF_NO_ROW;
    add_cart(run, space->id_rows, request->n_cart);
    add_product(run, space->id_rows[request->n_cart]);
    for (uint32_t i = 0; request->as == AFF_AS_VIEWS && i < run->n_bases; i++)
        space->marks[space->bases[i].row] &= (uint8_t)~AFF_MARK_IN_CART;
    run->excluded = space->id_rows + request->n_cart + 1;
    for (size_t i = 0; i < request->n_exclude; i++)
        if (run->excluded[i] != AFF_NO_ROW)
            space->marks[run->excluded[i]] |= AFF_MARK_EXCLUDED;
    add_rejected(run);
    run->why_not = space->id_rows[n - 1];
}

void aff_resolve_clear(struct aff_run *run)
{
    uint8_t *marks = run->space->marks;

    for (uint32_t i = 0; i < run->n_given; i++)
        marks[run->space->bases[i].row] = 0;
    for (size_t i = 0; i < run->request->n_exclude; i++)
        if (run->excluded[i] != AFF_NO_ROW)
            marks[run->excluded[i]] = 0;
    for (size_t i = 0; i < run->request->n_rejected; i++)
        if (run->space->rejected[i] != AFF_NO_ROW)
            marks[run->space->rejected[i]] = 0;
    for (uint32_t i = 0; run->history != NULL && i < run->history->n; i++)
        marks[run->history->purchases[i].row] = 0;
}
