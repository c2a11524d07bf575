/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/ridge.h"

#include "core/learn/decay.h"
#include "core/learn/top.h"

#include <math.h>
#include <stdlib.h>

/* LAPACK, as Fortran compilers call it: lengths of the text arguments come last. Declared here because
 * Debian's OpenBLAS has no header of its own for them. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_size);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda, double *b,
             const int *ldb, int *info, size_t uplo_size);
void openblas_set_num_threads(int n);

struct aff_ridge {
    const struct aff_pairs *pairs;
    uint32_t others;
    double lambda;
    uint64_t *starts; /* of each product's row in `weights` */
    float
        *weights; /* of each pair, in units of a new basket; beside aff_pairs because only they are needed */
    float *own;   /* G_ii of each product */
};

struct aff_ridge_scratch {
    uint16_t *place;            /* of each product row in N, from 1; 0: not in it */
    struct aff_scored *closest; /* N */
    double *matrix, *vector;
};

aff_status aff_ridge_new(const struct aff_pairs *pairs, uint32_t others, double lambda,
                         struct aff_ridge **ret_ridge)
{
    struct aff_ridge *ridge = calloc(1, sizeof *ridge);
    uint64_t at = 0;

    if (ridge == NULL)
        return AFF_NOMEM;
    *ridge = (struct aff_ridge){.pairs = pairs, .others = others, .lambda = lambda};
    ridge->starts = malloc(((size_t)pairs->n_products + 1) * sizeof *ridge->starts);
    ridge->own = malloc(((size_t)pairs->n_products + 1) * sizeof *ridge->own);
    ridge->weights = malloc((pairs->n_pairs + 1) * sizeof *ridge->weights);
    if (ridge->starts == NULL || ridge->own == NULL || ridge->weights == NULL) {
        aff_ridge_free(ridge);
        return AFF_NOMEM;
    }
    for (uint32_t a = 0; a < pairs->n_products; a++) {
        const struct aff_pair_row *row = &pairs->rows[a];
        ridge->starts[a] = at;
        ridge->own[a] = (float)((double)pairs->stats[a].weight / (double)AFF_WEIGHT_ONE);
        for (uint32_t i = 0; i < row->n; i++)
            ridge->weights[at++] = (float)((double)row->pairs[i].weight / (double)AFF_WEIGHT_ONE);
    }
    /* Targets are solved in parallel by our own threads; each system is small. */
    openblas_set_num_threads(1);
    *ret_ridge = ridge;
    return AFF_OK;
}

void aff_ridge_free(struct aff_ridge *ridge)
{
    if (ridge == NULL)
        return;
    free(ridge->starts);
    free(ridge->own);
    free(ridge->weights);
    free(ridge);
}

aff_status aff_ridge_scratch_new(const struct aff_ridge *ridge, struct aff_ridge_scratch **ret_scratch)
{
    struct aff_ridge_scratch *scratch = calloc(1, sizeof *scratch);
    size_t n = ridge->others;

    if (scratch == NULL)
        return AFF_NOMEM;
    scratch->place = calloc((size_t)ridge->pairs->n_products + 1, sizeof *scratch->place);
    scratch->closest = malloc(n * sizeof *scratch->closest);
    scratch->matrix = malloc(n * n * sizeof *scratch->matrix);
    scratch->vector = malloc(n * sizeof *scratch->vector);
    if (scratch->place == NULL || scratch->closest == NULL || scratch->matrix == NULL ||
        scratch->vector == NULL) {
        aff_ridge_scratch_free(scratch);
        return AFF_NOMEM;
    }
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
    free(scratch);
}

static void offer(const struct aff_ridge *ridge, struct aff_top *top, uint32_t row, float weight)
{
    if (weight > 0)
        aff_top_offer(top, (struct aff_scored){.score = weight / sqrtf(ridge->own[row]), .row = row});
}

/* N of the target by ascending row, and G_Nj. */
static uint32_t choose(const struct aff_ridge *ridge, struct aff_ridge_scratch *scratch, uint32_t target)
{
    const struct aff_pair_row *row = &ridge->pairs->rows[target];
    struct aff_top top = {.entries = scratch->closest, .capacity = ridge->others};

    for (uint32_t i = 0; i < row->n_lower; i++)
        offer(ridge, &top, row->lower[i].a,
              ridge->weights[ridge->starts[row->lower[i].a] + row->lower[i].at]);
    for (uint32_t i = 0; i < row->n; i++)
        offer(ridge, &top, row->others[i], ridge->weights[ridge->starts[target] + i]);
    aff_top_sort_by_row(&top);
    for (uint32_t k = 0; k < top.n; k++)
        scratch->vector[k] =
            (double)scratch->closest[k].score * sqrt((double)ridge->own[scratch->closest[k].row]);
    return top.n;
}

/* Where the pair of `row` with the higher product `other` stands, row->n if there is none, from `low` on. */
static uint32_t lower_bound(const struct aff_pair_row *row, uint32_t low, uint32_t other)
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
static void fill_column(const struct aff_ridge *ridge, struct aff_ridge_scratch *scratch, uint32_t n,
                        uint32_t k)
{
    uint32_t product = scratch->closest[k].row, last = scratch->closest[n - 1].row;
    const struct aff_pair_row *row = &ridge->pairs->rows[product];
    const float *weights = ridge->weights + ridge->starts[product];
    double *column = scratch->matrix + (size_t)k * n;

    for (uint32_t i = k + 1; i < n; i++)
        column[i] = 0;
    column[k] = (double)ridge->own[product] + ridge->lambda;
    if (row->n / 16 > n - k) {
        uint32_t at = 0;
        for (uint32_t i = k + 1; i < n; i++) {
            at = lower_bound(row, at, scratch->closest[i].row);
            if (at < row->n && row->others[at] == scratch->closest[i].row)
                column[i] = (double)weights[at];
        }
        return;
    }
    for (uint32_t at = 0; at < row->n && row->others[at] <= last; at++) {
        uint32_t place = scratch->place[row->others[at]];
        if (place != 0)
            column[place - 1] = (double)weights[at];
    }
}

aff_status aff_ridge_solve(const struct aff_ridge *ridge, struct aff_ridge_scratch *scratch, uint32_t target,
                           struct aff_coefficient *ret_coefficients, uint32_t *ret_n)
{
    uint32_t n = choose(ridge, scratch, target);
    int order = (int)n, one = 1, failed = 0;

    *ret_n = n;
    if (n == 0)
        return AFF_OK;
    for (uint32_t k = 0; k < n; k++)
        scratch->place[scratch->closest[k].row] = (uint16_t)(k + 1);
    for (uint32_t k = 0; k < n; k++)
        fill_column(ridge, scratch, n, k);
    for (uint32_t k = 0; k < n; k++)
        scratch->place[scratch->closest[k].row] = 0;
    dpotrf_("L", &order, scratch->matrix, &order, &failed, 1);
    if (failed != 0)
        return AFF_DATA;
    dpotrs_("L", &order, &one, scratch->matrix, &order, scratch->vector, &order, &failed, 1);
    for (uint32_t k = 0; k < n; k++)
        ret_coefficients[k] = (struct aff_coefficient){scratch->closest[k].row, (float)scratch->vector[k]};
    return AFF_OK;
}
