/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/ridge.h"

#include "core/base/random.h"
#include "core/learn/decay.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PRODUCTS = 12 };

/* Gram matrix of random baskets, in units of a new basket. */
static void random_gram(struct aff_random *random, double gram[PRODUCTS][PRODUCTS])
{
    memset(gram, 0, PRODUCTS * sizeof *gram);
    for (int basket = 0; basket < 60; basket++) {
        double holds[PRODUCTS], weight = (double)(1 + aff_random_below(random, 4)) / 4;
        for (int i = 0; i < PRODUCTS; i++)
            holds[i] = aff_random_below(random, 4) == 0 ? 1 : 0;
        for (int i = 0; i < PRODUCTS; i++)
            for (int j = 0; j < PRODUCTS; j++)
                gram[i][j] += weight * holds[i] * holds[j];
    }
}

static struct aff_pairs *pairs_of(double gram[PRODUCTS][PRODUCTS])
{
    struct aff_product_stat stats[PRODUCTS] = {0};
    struct aff_pairs_builder *builder = NULL;
    struct aff_pairs *pairs = NULL;

    for (int i = 0; i < PRODUCTS; i++) {
        stats[i].product = i;
        stats[i].weight = (int64_t)(gram[i][i] * (double)AFF_WEIGHT_ONE);
    }
    assert_int_equal(aff_pairs_builder_new(stats, PRODUCTS, 60, 60 * AFF_WEIGHT_ONE, &builder), AFF_OK);
    for (uint32_t i = 0; i < PRODUCTS; i++)
        for (uint32_t j = i + 1; j < PRODUCTS; j++)
            if (gram[i][j] > 0) {
                struct aff_pair pair = {.orders = 1,
                                        .weight = (int64_t)(gram[i][j] * (double)AFF_WEIGHT_ONE)};
                assert_int_equal(aff_pairs_builder_add(builder, i, j, &pair), AFF_OK);
            }
    assert_int_equal(aff_pairs_builder_finish(builder, &pairs), AFF_OK);
    aff_pairs_builder_free(builder);
    return pairs;
}

/* Solves A x = b by Gaussian elimination with pivoting; x ends up in b. */
static void solve(int n, double a[PRODUCTS][PRODUCTS], double b[PRODUCTS])
{
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i][k]) > fabs(a[pivot][k]))
                pivot = i;
        for (int j = 0; j < n; j++) {
            double swap = a[k][j];
            a[k][j] = a[pivot][j];
            a[pivot][j] = swap;
        }
        double swap = b[k];
        b[k] = b[pivot];
        b[pivot] = swap;
        for (int i = k + 1; i < n; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < n; j++)
                a[i][j] -= factor * a[k][j];
            b[i] -= factor * b[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++)
            b[k] -= a[k][j] * b[j];
        b[k] /= a[k][k];
    }
}

/* The `others` best by G_ij / sqrt(G_ii), the lower row first among equals; ascending. */
static int naive_neighbourhood(double gram[PRODUCTS][PRODUCTS], int target, int others,
                               int ret_rows[PRODUCTS])
{
    bool taken[PRODUCTS] = {false};
    int n = 0;

    while (n < others) {
        int best = -1;
        for (int i = 0; i < PRODUCTS; i++)
            if (i != target && !taken[i] && gram[i][target] > 0 &&
                (best < 0 || (float)gram[i][target] / sqrtf((float)gram[i][i]) >
                                 (float)gram[best][target] / sqrtf((float)gram[best][best])))
                best = i;
        if (best < 0)
            break;
        taken[best] = true;
        n++;
    }
    n = 0;
    for (int i = 0; i < PRODUCTS; i++)
        if (taken[i])
            ret_rows[n++] = i;
    return n;
}

static void check(double gram[PRODUCTS][PRODUCTS], int others, double lambda)
{
    struct aff_pairs *pairs = pairs_of(gram);
    struct aff_pair_links *links = NULL;
    struct aff_ridge_scratch *scratch = NULL;
    struct aff_coefficient coefficients[PRODUCTS];

    assert_int_equal(aff_pair_links_new(pairs, &links), AFF_OK);
    assert_int_equal(aff_ridge_scratch_new((uint32_t)others, &scratch), AFF_OK);
    struct aff_links view = aff_pair_links_view(links);
    for (int target = 0; target < PRODUCTS; target++) {
        double a[PRODUCTS][PRODUCTS], b[PRODUCTS];
        int rows[PRODUCTS], n = naive_neighbourhood(gram, target, others, rows);
        double residual = gram[target][target] + lambda;
        uint32_t n_solved;
        float solved_residual;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++)
                a[i][j] = gram[rows[i]][rows[j]] + (i == j ? lambda : 0);
            b[i] = gram[rows[i]][target];
        }
        solve(n, a, b);
        assert_int_equal(aff_ridge_solve(&view, lambda, scratch, (uint32_t)target, coefficients, &n_solved,
                                         &solved_residual),
                         AFF_OK);
        assert_int_equal(n_solved, n);
        for (int i = 0; i < n; i++) {
            assert_int_equal(coefficients[i].row, rows[i]);
            assert_true(fabs((double)coefficients[i].value - b[i]) < 1e-5);
            residual -= gram[rows[i]][target] * b[i];
        }
        assert_true(fabs((double)solved_residual / residual - 1) < 1e-5);
    }
    aff_ridge_scratch_free(scratch);
    aff_pair_links_free(links);
    aff_pairs_free(pairs);
}

static void coefficients_solve_the_dense_equations(void **state)
{
    (void)state;
    struct aff_random random = {2026};
    double gram[PRODUCTS][PRODUCTS];

    for (int round = 0; round < 50; round++) {
        random_gram(&random, gram);
        check(gram, 1 + round % PRODUCTS, 0.25 + round);
    }
}

static void product_without_pairs_has_no_coefficients(void **state)
{
    (void)state;
    double gram[PRODUCTS][PRODUCTS] = {{0}};

    for (int i = 0; i < PRODUCTS; i++)
        gram[i][i] = i; /* the first has no weight either */
    check(gram, 5, 1);
    aff_pair_links_free(NULL);
    aff_ridge_scratch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_solve_the_dense_equations),
        cmocka_unit_test(product_without_pairs_has_no_coefficients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
