/* SPDX-License-Identifier: Apache-2.0 */
/* How long scoring by neighbourhood ridge takes, per product and core, over a synthetic store. */
#include "core/learn/rows.h"
#include "shop.h"

#include <getopt.h>
#include <time.h>

#define GOAL_MS 0.3

enum { ROUNDS = 3 };

struct settings {
    uint32_t products, orders, others;
};

static void print_help(void)
{
    (void)printf(
        "Usage: bench_ridge [OPTION...]\n\n"
        "Times the scoring of all neighbour rows of a synthetic store by ridge, on one thread, in processor\n"
        "time: choosing the others, solving, floors and rows. Baskets hold four products on "
        "average:\n"
        "seven of ten from one theme of 200 products, the rest by popularity (Zipf).\n\n"
        "  --products N   products of the store (20000)\n"
        "  --orders N     orders (500000)\n"
        "  --others N     products that enter one equation, M (100)\n\n"
        "Example: bench_ridge --others 150\n");
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value == 0 || value > 100000000) {
        (void)fprintf(stderr, "bench_ridge: '%s' is not a number from 1 to 100000000\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static struct settings read_settings(int argc, char **argv)
{
    static const struct option options[] = {
        {"products", required_argument, NULL, 'p'},
        {"orders", required_argument, NULL, 'o'},
        {"others", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct settings settings = {.products = 20000, .orders = 500000, .others = 100};

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            settings.products = read_number(optarg);
            break;
        case 'o':
            settings.orders = read_number(optarg);
            break;
        case 'm':
            settings.others = read_number(optarg);
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
    return settings;
}

static aff_status count_neighbours(void *context, int thread, uint32_t a, float residual,
                                   const struct aff_neighbour *neighbours,
                                   const struct aff_pair_counts *counts, uint32_t n)
{
    (void)thread, (void)a, (void)residual, (void)neighbours, (void)counts;
    *(uint64_t *)context += n;
    return AFF_OK;
}

static double processor_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    struct settings settings = read_settings(argc, argv);
    struct aff_pairs *pairs = shop_pairs(settings.products, settings.orders, 180 * INT64_C(86400));
    const struct aff_rows_settings rows = {.method = AFF_METHOD_RIDGE,
                                           .neighbours = 100,
                                           .others = settings.others,
                                           .lambda = 4,
                                           .floors = aff_floors_default()};
    double best_ms = 1e300;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t neighbours = 0;
        double from_ms = processor_ms();
        shop_check(aff_rows_build(pairs, &rows, 1, NULL, count_neighbours, &neighbours), "rows");
        double each_ms = (processor_ms() - from_ms) / pairs->n_products;
        (void)printf("round %d: %.4f ms a product, M = %u, %llu neighbours\n", round + 1, each_ms,
                     (unsigned)settings.others, (unsigned long long)neighbours);
        best_ms = each_ms < best_ms ? each_ms : best_ms;
    }
    aff_pairs_free(pairs);
    bool met = best_ms <= GOAL_MS;
    (void)printf("ridge: %.4f ms (goal <= %.1f ms a product and core) %s\n", best_ms, GOAL_MS,
                 met ? "met" : "missed");
    return met ? 0 : 1;
}
