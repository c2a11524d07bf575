/* SPDX-License-Identifier: Apache-2.0 */
/* A product that is too new to have neighbours of its own borrows those of the products that are most like
 * it: its row is estimated by the mean of their rows, weighted by likeness. This is the k-nearest-neighbour
 * mapping from attributes to features of Gantner, Drumond, Freudenthaler, Rendle, Schmidt-Thieme: Learning
 * attribute-to-feature mappings for cold-start recommendations, ICDM 2010. With each order the product's own
 * row takes over. */
#include "core/catalogue/likeness.h"
#include "core/recommend/run.h"

enum {
    KNOWN_NEIGHBOURS = 20, /* a product that has as many needs no others */
    MAX_COMPARED = 300,    /* products, for all new ones of a request */
    MAX_OF_LIST = 100,     /* of one list, the most popular first */
};
#define LEAST_LIKENESS 0.2F

/* The products most like a new one, best first. */
struct nearest {
    uint32_t rows[AFF_LOOKALIKES];
    float likeness[AFF_LOOKALIKES];
    uint32_t n;
};

static void insert(struct nearest *nearest, uint32_t row, float likeness)
{
    if (nearest->n == AFF_LOOKALIKES && likeness <= nearest->likeness[nearest->n - 1])
        return;
    if (nearest->n < AFF_LOOKALIKES)
        nearest->n++;
    uint32_t at = nearest->n - 1;
    for (; at > 0 && nearest->likeness[at - 1] < likeness; at--) {
        nearest->likeness[at] = nearest->likeness[at - 1];
        nearest->rows[at] = nearest->rows[at - 1];
    }
    nearest->likeness[at] = likeness;
    nearest->rows[at] = row;
}

static bool is_new(const struct aff_run *run, const struct aff_product *product)
{
    return product->orders < run->blend->content_below_orders;
}

/* True for products that lend what they have anyway. Viewed ones have no mark. */
static bool is_given(const struct aff_run *run, uint32_t row)
{
    for (uint32_t i = 0; i < run->n_given; i++)
        if (run->space->bases[i].row == row)
            return true;
    return false;
}

/* Looks through one list of popular products. */
static void look_through(struct aff_run *run, const struct aff_product *product, uint32_t category,
                         struct nearest *nearest)
{
    uint32_t n;
    const uint32_t *rows = aff_catalogue_popular(run->catalogue, category, &n);

    for (uint32_t i = 0; i < n && i < MAX_OF_LIST && run->n_compared < MAX_COMPARED; i++) {
        const struct aff_row *together = aff_neighbours_row(run->model->together, rows[i]);
        if (together == NULL || is_given(run, rows[i]))
            continue;
        const struct aff_product *other = aff_catalogue_product(run->catalogue, rows[i]);
        run->n_compared++;
        const float likeness = aff_likeness(product, other);
        if (likeness >= LEAST_LIKENESS && !is_new(run, other))
            insert(nearest, rows[i], likeness);
    }
}

/* The most alike products of the new one's category, of the one above it, or where these have none of the
 * store. */
static void find_nearest(struct aff_run *run, const struct aff_product *product, struct nearest *nearest)
{
    nearest->n = 0;
    if (product->category_row != AFF_NO_ROW) {
        const uint32_t parent = aff_catalogue_category_parent(run->catalogue, product->category_row);
        look_through(run, product, product->category_row, nearest);
        if (parent != AFF_NO_ROW && nearest->n < AFF_LOOKALIKES)
            look_through(run, product, parent, nearest);
    }
    if (nearest->n == 0)
        look_through(run, product, AFF_NO_ROW, nearest);
}

/* Puts the products that are most like base number `of` among the bases. */
static void add_lookalikes(struct aff_run *run, uint32_t of, const struct aff_product *product)
{
    const double age = (double)product->orders / run->blend->content_below_orders;
    const double weight = (double)run->space->bases[of].weight * run->blend->content * (1 - age);
    struct nearest nearest;
    double sum = 0;

    find_nearest(run, product, &nearest);
    for (uint32_t i = 0; i < nearest.n; i++)
        sum += (double)nearest.likeness[i];
    for (uint32_t i = 0; i < nearest.n; i++)
        run->space->bases[run->n_bases++] = (struct aff_base){
            .row = nearest.rows[i],
            .of = of,
            .weight = (float)(weight * (double)nearest.likeness[i] / sum),
            .together = aff_neighbours_row(run->model->together, nearest.rows[i]),
        };
}

void aff_lookalikes_add(struct aff_run *run)
{
    uint32_t n_new = 0;

    run->n_given = run->n_bases;
    run->n_compared = 0;
    if (run->blend->content <= 0)
        return;
    /* The page product, which is the last base, is what the customer looks at; then the newest of the cart.
     */
    for (uint32_t i = run->n_given; i-- > 0 && n_new < AFF_NEW_BASES;) {
        const struct aff_base *base = &run->space->bases[i];
        if (base->together != NULL && base->together->n >= KNOWN_NEIGHBOURS)
            continue;
        const struct aff_product *product = aff_catalogue_product(run->catalogue, base->row);
        if (!is_new(run, product))
            continue;
        add_lookalikes(run, i, product);
        n_new++;
    }
}
