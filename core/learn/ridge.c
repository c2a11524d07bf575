/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/ridge.h"

#include "core/learn/top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK, as Fortran compilers call it: lengths of the text arguments come last. Declared here because
 * Debian's OpenBLAS has no header of its own for them. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_size);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info, size_t uplo_size);
void openblas_set_num_threads(int n);

struct aff_ridge_scratch {
    uint32_t others;
    uint16_t *place;                 /* of each product row in N, from 1; 0: not in it */
    uint32_t n_places;               /* products that `place` has room for */
    struct aff_scored *closest;      /* N */
    double *matrix, *vector, *right; /* G_NN + lambda I, then its factor; G_Ni, then w; G_Ni */
};

aff_status aff_ridge_scratch_new(uint32_t others, struct aff_ridge_scratch **ret_scratch)
{
    struct aff_ridge_scratch *scratch = calloc(1, sizeof *scratch);
    size_t n = others;

    if (scratch == NULL)
        return AFF_NOMEM;
    scratch->others = others;
    scratch->closest = malloc(n * sizeof *scratch->closest);
    scratch->matrix = malloc(n * n * sizeof *scratch->matrix);
    scratch->vector = malloc(n * sizeof *scratch->vector);
    scratch->right = malloc(n * sizeof *scratch->right);
    if (scratch->closest == NULL || scratch->matrix == NULL || scratch->vector == NULL ||
        scratch->right == NULL) {
        aff_ridge_scratch_free(scratch);
        return AFF_NOMEM;
    }
    /* Products are solved in parallel by our own threads; each system is small. */
    openblas_set_num_threads(1);
    *ret_scratch = scratch;
    return AFF_OK;
}

void aff_ridge_scratch_free(struct aff_ridge_scratch *scratch)
{
    if (scratch == NULL)
        return;
    free(scratch->place);
    free(scratch->closest);
    free(scratch->matrix);
    free(scratch->vector);
    free(scratch->right);
    free(scratch);
}

/* Room for all products; what is new is 0. A growing catalogue asks for more now and then. */
static aff_status make_places(struct aff_ridge_scratch *scratch, uint32_t n_products)
{
    if (n_products <= scratch->n_places)
        return AFF_OK;
    uint32_t wanted = n_products + n_products / 8;
    uint16_t *place = realloc(scratch->place, wanted * sizeof *place);
    if (place == NULL)
        return AFF_NOMEM;
    memset(place + scratch->n_places, 0, (wanted - scratch->n_places) * sizeof *place);
    scratch->place = place;
    scratch->n_places = wanted;
    return AFF_OK;
}

/* N of the product by ascending row, and G_Ni. */
static uint32_t choose(const struct aff_links *links, struct aff_ridge_scratch *scratch, uint32_t product)
{
    struct aff_link_row row = links->row(links->source, product);
    struct aff_top top = {.entries = scratch->closest, .capacity = scratch->others};

    for (uint32_t i = 0; i < row.n; i++)
        if (row.weights[i] > 0)
            aff_top_offer(&top,
                          (struct aff_scored){.score = row.weights[i] / sqrtf(links->own[row.others[i]]),
                                              .row = row.others[i],
                                              .payload = i});
    aff_top_sort_by_row(&top);
    for (uint32_t k = 0; k < top.n; k++)
        scratch->vector[k] = scratch->right[k] = (double)row.weights[scratch->closest[k].payload];
    return top.n;
}

/* Where `other` stands in the row from `low` on, or would stand. */
static uint32_t lower_bound(const struct aff_link_row *row, uint32_t low, uint32_t other)
{
    uint32_t high = row->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row->others[middle] < other)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Column k of the lower triangle: the pairs of N's k-th product with the later ones. A row that is long
 * compared with N is searched instead of read. */
static void fill_column(const struct aff_links *links, double lambda, struct aff_ridge_scratch *scratch,
                        uint32_t n, uint32_t k)
{
    uint32_t product = scratch->closest[k].row, last = scratch->closest[n - 1].row;
    struct aff_link_row row = links->row(links->source, product);
    double *column = scratch->matrix + (size_t)k * n;

    for (uint32_t i = k + 1; i < n; i++)
        column[i] = 0;
    column[k] = (double)links->own[product] + lambda;
    uint32_t at = lower_bound(&row, 0, product);
    if ((row.n - at) / 16 > n - k) {
        for (uint32_t i = k + 1; i < n; i++) {
            at = lower_bound(&row, at, scratch->closest[i].row);
            if (at < row.n && row.others[at] == scratch->closest[i].row)
                column[i] = (double)row.weights[at];
        }
        return;
    }
    for (; at < row.n && row.others[at] <= last; at++) {
        uint32_t place = scratch->place[row.others[at]];
        if (place != 0)
            column[place - 1] = (double)row.weights[at];
    }
}

aff_status aff_ridge_solve(const struct aff_links *links, double lambda, struct aff_ridge_scratch *scratch,
                           uint32_t product, struct aff_coefficient *ret_coefficients, uint32_t *ret_n,
                           float *ret_residual)
{
    double residual = (double)links->own[product] + lambda;
    aff_status status = make_places(scratch, links->n_products);

    if (status != AFF_OK)
        return status;
    uint32_t n = choose(links, scratch, product);
    int order = (int)n, one = 1, failed = 0;
    for (uint32_t k = 0; k < n; k++)
        scratch->place[scratch->closest[k].row] = (uint16_t)(k + 1);
    for (uint32_t k = 0; k < n; k++)
        fill_column(links, lambda, scratch, n, k);
    for (uint32_t k = 0; k < n; k++)
        scratch->place[scratch->closest[k].row] = 0;
    if (n > 0) {
        dpotrf_("L", &order, scratch->matrix, &order, &failed, 1);
        if (failed != 0)
            return AFF_DATA;
        dpotrs_("L", &order, &one, scratch->matrix, &order, scratch->vector, &order, &failed, 1);
    }
    for (uint32_t k = 0; k < n; k++) {
        residual -= scratch->right[k] * scratch->vector[k];
        ret_coefficients[k] = (struct aff_coefficient){scratch->closest[k].row, (float)scratch->vector[k]};
    }
    *ret_n = n;
    *ret_residual = (float)residual;
    return AFF_OK;
}
