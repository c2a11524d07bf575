/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/months.h"

#include "core/base/clock.h"

#include <stdlib.h>

struct aff_months {
    uint32_t n_products;
    uint32_t *starts; /* n_products + 2: row p is starts[p] .. starts[p + 1] - 1; all baskets come last */
    int16_t *months;
    int32_t *orders;
};

/* Years of civil dates begin in March, so that leap days end them; 400 years are an era of 146,097 days
 * (Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days). */
int16_t aff_month_of(int64_t at_us)
{
    enum { ERA_DAYS = 146097, TO_MARCH_OF_YEAR_0 = 719468, YEAR_OF_EPOCH = 1970 };
    int64_t days = at_us / AFF_DAY_US - (at_us % AFF_DAY_US < 0) + TO_MARCH_OF_YEAR_0;
    int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day = days - era * ERA_DAYS;
    int64_t year = (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
    int64_t of_year = day - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    int64_t month = (era * 400 + year - YEAR_OF_EPOCH) * 12 + from_march + 2;

    return (int16_t)(month > INT16_MAX ? INT16_MAX : month < INT16_MIN ? INT16_MIN : month);
}

/* Baskets are sorted by time, and so are the baskets of a product: equal months follow one another. */
static void put(struct aff_months *months, uint32_t start, uint32_t *n, int16_t month)
{
    if (*n == start || months->months[*n - 1] != month) {
        months->months[*n] = month;
        months->orders[(*n)++] = 0;
    }
    months->orders[*n - 1]++;
}

/* The month of each basket. */
static int16_t *months_of(const struct aff_baskets *baskets)
{
    int16_t *months = malloc(((size_t)baskets->n_baskets + 1) * sizeof *months);

    for (uint32_t basket = 0; months != NULL && basket < baskets->n_baskets; basket++)
        months[basket] = aff_month_of(baskets->at_us[basket]);
    return months;
}

/* Entries that there will be. */
static size_t entries(const struct aff_baskets *baskets, const int16_t *month_of)
{
    size_t n = 0;

    for (uint32_t row = 0; row < baskets->n_products; row++)
        for (uint32_t i = baskets->product_starts[row]; i < baskets->product_starts[row + 1]; i++) {
            const uint32_t *at = &baskets->positions[i];
            n += i == baskets->product_starts[row] ||
                 month_of[baskets->basket_of[at[0]]] != month_of[baskets->basket_of[at[-1]]];
        }
    for (uint32_t basket = 0; basket < baskets->n_baskets; basket++)
        n += basket == 0 || month_of[basket] != month_of[basket - 1];
    return n;
}

static void fill(struct aff_months *months, const struct aff_baskets *baskets, const int16_t *month_of)
{
    uint32_t n = 0;

    for (uint32_t row = 0; row < baskets->n_products; row++) {
        months->starts[row] = n;
        for (uint32_t i = baskets->product_starts[row]; i < baskets->product_starts[row + 1]; i++)
            put(months, months->starts[row], &n, month_of[baskets->basket_of[baskets->positions[i]]]);
    }
    months->starts[baskets->n_products] = n;
    for (uint32_t basket = 0; basket < baskets->n_baskets; basket++)
        put(months, months->starts[baskets->n_products], &n, month_of[basket]);
    months->starts[baskets->n_products + 1] = n;
}

aff_status aff_months_count(const struct aff_baskets *baskets, struct aff_months **ret_months)
{
    struct aff_months *months = calloc(1, sizeof *months);
    int16_t *month_of = months_of(baskets);
    aff_status status = AFF_NOMEM;

    if (months == NULL || month_of == NULL)
        goto out;
    size_t n = entries(baskets, month_of);
    months->n_products = baskets->n_products;
    months->starts = malloc(((size_t)baskets->n_products + 2) * sizeof *months->starts);
    months->months = malloc((n + 1) * sizeof *months->months);
    months->orders = malloc((n + 1) * sizeof *months->orders);
    if (months->starts == NULL || months->months == NULL || months->orders == NULL)
        goto out;
    fill(months, baskets, month_of);
    *ret_months = months;
    months = NULL;
    status = AFF_OK;
out:
    aff_months_free(months);
    free(month_of);
    return status;
}

void aff_months_free(struct aff_months *months)
{
    if (months == NULL)
        return;
    free(months->starts);
    free(months->months);
    free(months->orders);
    free(months);
}

struct aff_month_row aff_months_row(const struct aff_months *months, uint32_t row)
{
    uint32_t start = months->starts[row];

    return (struct aff_month_row){months->starts[row + 1] - start, months->months + start,
                                  months->orders + start};
}

struct aff_month_row aff_months_all(const struct aff_months *months)
{
    return aff_months_row(months, months->n_products);
}
