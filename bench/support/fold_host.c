/* SPDX-License-Identifier: Apache-2.0 */
/* Writes orders and folds them, one store after the other in turns, for bench/fold.py.
 *
 * fold_host URL ROUNDS ORDERS STORE:PRODUCTS... prints, for each round and store, "STORE PUT_US FOLD_US
 * PUBLISH_US" after one line a store with the time that loading its pair counts took. Orders hold four
 * products that were bought together before. */
#include "core/base/clock.h"
#include "core/base/random.h"
#include "sql/connection.h"
#include "sql/fold/learning.h"
#include "sql/intake/put_orders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINES = 4, ID = 24, STORES_MOST = 8, APART = 37, PUT_AT_ONCE = 1000 };

struct store {
    int number;
    uint32_t products;
    struct aff_learning *learning;
};

struct host {
    struct aff_connection connection;
    struct aff_random random;
    struct store stores[STORES_MOST];
    int n_stores;
    uint64_t written;
    struct aff_put_order *orders;
    struct aff_order_line *lines;
    char (*ids)[ID], (*products)[ID], (*customers)[ID];
};

static void fail(const char *text)
{
    (void)fprintf(stderr, "fold_host: %s\n", text);
    exit(EXIT_FAILURE);
}

static void make_order(struct host *host, const struct store *store, uint32_t at)
{
    uint32_t first = (uint32_t)aff_random_below(&host->random, store->products - LINES * APART);

    (void)snprintf(host->ids[at], ID, "B%" PRIu64, ++host->written);
    (void)snprintf(host->customers[at], ID, "C%" PRIu64, aff_random_below(&host->random, 5000));
    for (uint32_t i = 0; i < LINES; i++) {
        (void)snprintf(host->products[at * LINES + i], ID, "P%" PRIu32, first + i * APART + 1);
        host->lines[at * LINES + i] =
            (struct aff_order_line){.order_id = aff_text_of(host->ids[at]),
                                    .customer_id = aff_text_of(host->customers[at]),
                                    .product_id = aff_text_of(host->products[at * LINES + i]),
                                    .ordered_at_us = aff_clock_now_us(),
                                    .quantity = 1,
                                    .unit_price = 1000,
                                    .unit_cost = 600};
    }
    host->orders[at] = (struct aff_put_order){
        .id = aff_text_of(host->ids[at]), .lines = host->lines + at * LINES, .n_lines = LINES};
}

static int64_t put(struct host *host, const struct store *store, uint32_t n)
{
    struct aff_put_orders_report report;
    struct aff_error error;
    int64_t started_us = aff_clock_monotonic_us();

    for (uint32_t from = 0; from < n; from += PUT_AT_ONCE) {
        uint32_t some = n - from < PUT_AT_ONCE ? n - from : PUT_AT_ONCE;
        for (uint32_t i = 0; i < some; i++)
            make_order(host, store, i);
        if (aff_execute(&host->connection, "BEGIN", &error) != AFF_OK ||
            aff_orders_put(&host->connection, store->number, host->orders, some, &report, &error) != AFF_OK ||
            aff_execute(&host->connection, "COMMIT", &error) != AFF_OK)
            fail(error.text);
    }
    return aff_clock_monotonic_us() - started_us;
}

/* Steps until a fold is published; with `idle`, until there is nothing to do. */
static struct aff_learning_report step(struct store *store, bool idle)
{
    struct aff_learning_report report, last = {0};
    struct aff_error error;

    do {
        if (aff_learning_step(store->learning, &report, &error) != AFF_OK)
            fail(error.text);
        if (report.state == AFF_LEARNING_FOLLOWS || report.state == AFF_LEARNING_REBUILD)
            fail("the store cannot be folded");
        if (report.folded > 0)
            last = report;
    } while (idle ? report.state != AFF_LEARNING_IDLE : last.folded == 0);
    return last;
}

static void open_store(struct host *host, const char *text)
{
    struct aff_learning_settings settings = {.name = "fold_host",
                                             .rows = {.method = AFF_METHOD_RIDGE,
                                                      .neighbours = 100,
                                                      .others = 150,
                                                      .lambda = 4,
                                                      .floors = aff_floors_default()}};
    struct store *store = &host->stores[host->n_stores++];

    if (sscanf(text, "%d:%" SCNu32, &store->number, &store->products) != 2 || store->products < 1000)
        fail("STORE:PRODUCTS");
    if (aff_learning_new(&host->connection, store->number, &settings, &store->learning) != AFF_OK)
        fail("not enough memory");
    int64_t started_us = aff_clock_monotonic_us();
    (void)step(store, true);
    (void)printf("loaded %d %" PRId64 "\n", store->number, aff_clock_monotonic_us() - started_us);
}

int main(int argc, char **argv)
{
    struct host host = {.random = {1}};
    struct aff_error error;

    if (argc < 5 || argc > 4 + STORES_MOST)
        fail("URL ROUNDS ORDERS STORE:PRODUCTS...");
    uint32_t rounds = (uint32_t)strtoul(argv[2], NULL, 10), n = (uint32_t)strtoul(argv[3], NULL, 10);
    host.written = (uint64_t)getpid() << 32;
    host.random.state = (uint64_t)getpid();
    host.orders = malloc(PUT_AT_ONCE * sizeof *host.orders);
    host.lines = malloc((size_t)PUT_AT_ONCE * LINES * sizeof *host.lines);
    host.ids = malloc(PUT_AT_ONCE * sizeof *host.ids);
    host.products = malloc((size_t)PUT_AT_ONCE * LINES * sizeof *host.products);
    host.customers = malloc(PUT_AT_ONCE * sizeof *host.customers);
    if (host.orders == NULL || host.lines == NULL || host.ids == NULL || host.products == NULL ||
        host.customers == NULL)
        fail("not enough memory");
    if (aff_connection_open(argv[1], "fold_host", 10, &host.connection, &error) != AFF_OK)
        fail(error.text);
    for (int i = 4; i < argc; i++)
        open_store(&host, argv[i]);
    for (uint32_t round = 0; round < rounds; round++)
        for (int i = 0; i < host.n_stores; i++) {
            struct store *store = &host.stores[(i + (int)round) % host.n_stores];
            int64_t put_us = put(&host, store, n);
            struct aff_learning_report report = step(store, false);
            (void)printf("%d %" PRId64 " %" PRId64 " %" PRId64 "\n", store->number, put_us, report.fold_us,
                         report.publish_us);
            (void)fflush(stdout);
        }
    for (int i = 0; i < host.n_stores; i++)
        aff_learning_free(host.stores[i].learning);
    aff_connection_close(&host.connection);
    free(host.orders);
    free(host.lines);
    free(host.ids);
    free(host.products);
    free(host.customers);
    return EXIT_SUCCESS;
}
