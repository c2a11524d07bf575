/* SPDX-License-Identifier: Apache-2.0 */
/* What folding one order costs in memory, without the database, in stores of 10 k, 100 k and 1 M products:
 * the change of counts, adding it to the pair counts, and the neighbour rows of the order's four products. */
#include "core/learn/live_pairs.h"
#include "shop.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#define GOAL_RATIO 1.2
#define GOAL_MS 1.5

enum { SIZES = 3, PRODUCTS_PER_ORDER = 4, ORDERS_PER_PRODUCT = 6, ROUNDS = 5, HALF_LIFE_DAYS = 180 };

#define HALF_LIFE_S (HALF_LIFE_DAYS * INT64_C(86400))

static const uint32_t sizes[SIZES] = {10000, 100000, 1000000};

struct store {
    uint32_t n_products;
    struct aff_random random;
    struct aff_live_pairs *live;
    struct aff_rows_room *room;
    int64_t *took_us, *parts_us[3]; /* of each order: in all; delta, apply, rows */
    size_t n;
};

static void print_help(void)
{
    (void)printf("Usage: bench_fold_core [OPTION...]\n\n"
                 "Folds orders of four products into the pair counts of synthetic stores of 10,000, 100,000\n"
                 "and 1,000,000 products and makes the four rows anew, by ridge, on one thread. The stores\n"
                 "take turns. The figure is the time of an order in the largest store to that in the\n"
                 "smallest, by medians. Takes about 6 GB of memory.\n\n"
                 "  --orders N   orders a store and turn (200)\n"
                 "  --others N   products that enter one equation, M (150)\n\n"
                 "Example: bench_fold_core --others 100\n");
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value == 0 || value > 500) {
        (void)fprintf(stderr, "bench_fold_core: '%s' is not a number from 1 to 500\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static struct aff_live_pairs *load(const struct aff_pairs *pairs)
{
    struct aff_live_pairs *live = NULL;
    int32_t *keys = calloc(pairs->n_products, sizeof *keys);

    shop_check(keys == NULL ? AFF_NOMEM : AFF_OK, "keys");
    for (uint32_t row = 0; row < pairs->n_products; row++)
        keys[row] = pairs->stats[row].product;
    shop_check(aff_live_pairs_new(keys, pairs->n_products, &live), "store");
    aff_live_pairs_set_totals(live, pairs->orders, pairs->weight);
    for (uint32_t a = 0; a < pairs->n_products; a++) {
        const struct aff_pair_row *row = &pairs->rows[a];
        shop_check(aff_live_pairs_set_stat(live, &pairs->stats[a]), "store");
        /* Solving all of them takes minutes, and what they are worth does not change the time. */
        aff_live_pairs_set_residual(live, keys[a], 1);
        for (uint32_t i = 0; i < row->n; i++)
            shop_check(aff_live_pairs_add(live, keys[a], keys[row->others[i]], &row->pairs[i]), "store");
    }
    free(keys);
    return live;
}

static void open_store(struct store *store, uint32_t n_products, size_t orders,
                       const struct aff_rows_settings *rows)
{
    struct aff_pairs *pairs = shop_pairs(n_products, n_products * ORDERS_PER_PRODUCT, HALF_LIFE_S);
    int64_t from_us = aff_clock_monotonic_us();

    *store = (struct store){.n_products = n_products, .random = {11}, .live = load(pairs)};
    (void)printf("loaded in %.1f s, %.1f bytes a pair\n", (double)(aff_clock_monotonic_us() - from_us) / 1e6,
                 (double)aff_live_pairs_bytes(store->live) / (double)pairs->n_pairs);
    (void)fflush(stdout);
    aff_pairs_free(pairs);
    shop_check(aff_rows_room_new(rows, 1, &store->room), "room");
    store->took_us = calloc(orders * ROUNDS, sizeof *store->took_us);
    shop_check(store->took_us == NULL ? AFF_NOMEM : AFF_OK, "times");
    for (int i = 0; i < 3; i++) {
        store->parts_us[i] = calloc(orders * ROUNDS, sizeof *store->parts_us[i]);
        shop_check(store->parts_us[i] == NULL ? AFF_NOMEM : AFF_OK, "times");
    }
}

static void close_store(struct store *store)
{
    aff_live_pairs_free(store->live);
    aff_rows_room_free(store->room);
    free(store->took_us);
    for (int i = 0; i < 3; i++)
        free(store->parts_us[i]);
}

static aff_status count_rows(void *context, int thread, uint32_t a, float residual,
                             const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                             uint32_t n)
{
    (void)thread, (void)a, (void)residual, (void)neighbours, (void)counts, (void)n;
    ++*(uint32_t *)context;
    return AFF_OK;
}

static void draw_order(struct store *store, struct aff_line lines[PRODUCTS_PER_ORDER],
                       int32_t products[PRODUCTS_PER_ORDER])
{
    uint32_t theme = shop_theme(&store->random, store->n_products), n = 0;

    while (n < PRODUCTS_PER_ORDER) {
        int32_t product = shop_product(&store->random, store->n_products, theme);
        bool is_new = true;
        for (uint32_t i = 0; i < n; i++)
            is_new = is_new && products[i] != product;
        if (!is_new)
            continue;
        lines[n] = (struct aff_line){.order_key = (int64_t)store->n,
                                     .customer = AFF_NO_CUSTOMER,
                                     .at_us = 700 * AFF_DAY_US,
                                     .revenue = 100,
                                     .product = product};
        products[n++] = product;
    }
}

static void fold_one(struct store *store)
{
    const struct aff_delta_settings settings = {
        .half_life_s = HALF_LIFE_S, .cap = 512, .frame = {.landmark_us = 700 * AFF_DAY_US}};
    struct aff_line lines[PRODUCTS_PER_ORDER];
    int32_t products[PRODUCTS_PER_ORDER];
    struct aff_delta *delta = NULL;
    uint32_t n_rows = 0;

    draw_order(store, lines, products);
    int64_t from_us = aff_clock_monotonic_us();
    shop_check(aff_delta_build(&settings, NULL, 0, lines, PRODUCTS_PER_ORDER, &delta), "delta");
    int64_t built_us = aff_clock_monotonic_us();
    shop_check(aff_live_pairs_apply(store->live, delta), "apply");
    int64_t applied_us = aff_clock_monotonic_us();
    shop_check(aff_live_pairs_rows(store->live, store->room, products, PRODUCTS_PER_ORDER, NULL, count_rows,
                                   &n_rows),
               "rows");
    int64_t done_us = aff_clock_monotonic_us();
    aff_delta_free(delta);
    shop_check(n_rows == PRODUCTS_PER_ORDER ? AFF_OK : AFF_DATA, "rows");
    store->took_us[store->n] = done_us - from_us;
    store->parts_us[0][store->n] = built_us - from_us;
    store->parts_us[1][store->n] = applied_us - built_us;
    store->parts_us[2][store->n++] = done_us - applied_us;
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int64_t quantile(int64_t *values, size_t n, double share)
{
    qsort(values, n, sizeof *values, by_value);
    return values[(size_t)(share * (double)(n - 1))];
}

static double report(struct store *store)
{
    int64_t median_us = quantile(store->took_us, store->n, 0.5);

    (void)printf("%7u products: %.3f ms an order (p95 %.3f, most %.3f): delta %" PRId64 " us, apply %" PRId64
                 " us, rows %" PRId64 " us\n",
                 (unsigned)store->n_products, (double)median_us / 1e3,
                 (double)quantile(store->took_us, store->n, 0.95) / 1e3,
                 (double)store->took_us[store->n - 1] / 1e3, quantile(store->parts_us[0], store->n, 0.5),
                 quantile(store->parts_us[1], store->n, 0.5), quantile(store->parts_us[2], store->n, 0.5));
    return (double)median_us / 1e3;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"orders", required_argument, NULL, 'o'},
        {"others", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct aff_rows_settings rows = {.method = AFF_METHOD_RIDGE,
                                     .neighbours = 100,
                                     .others = 150,
                                     .lambda = 4,
                                     .floors = aff_floors_default()};
    struct store stores[SIZES];
    size_t orders = 200;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return 0;
        }
        if (option == 'o')
            orders = read_number(optarg);
        else if (option == 'm')
            rows.others = read_number(optarg);
        else
            return 2;
    }
    for (int i = 0; i < SIZES; i++)
        open_store(&stores[i], sizes[i], orders, &rows);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SIZES; i++)
            for (size_t order = 0; order < orders; order++)
                fold_one(&stores[i]);
    double each_ms[SIZES];
    for (int i = 0; i < SIZES; i++) {
        each_ms[i] = report(&stores[i]);
        close_store(&stores[i]);
    }
    double ratio = each_ms[SIZES - 1] / each_ms[0];
    bool met = ratio <= GOAL_RATIO && each_ms[SIZES - 1] <= GOAL_MS;
    (void)printf("fold_core: %.2f times, %.2f ms (goal <= %.1f times and %.1f ms an order) %s\n", ratio,
                 each_ms[SIZES - 1], GOAL_RATIO, GOAL_MS, met ? "met" : "missed");
    return met ? 0 : 1;
}
