/* SPDX-License-Identifier: Apache-2.0 */
/* Writes orders with aff_orders_put() as its standard input says, for tests/integration/test_put_orders.py.
 *
 * put_orders_driver URL STORE. Input, fields separated by tabs:
 *   order ID             begins an entry of the batch
 *   line PRODUCT CUSTOMER AT_US QUANTITY PRICE COST DISCOUNTED CANCELS   a line of it; COST - is unknown
 *   wait MS              is done inside the transaction, after the orders
 *   rollback             the transaction is rolled back
 *   put                  ends the batch; prints the outcomes, counts and microseconds without `wait`
 * A batch that ends with SQLSTATE class 40 prints "again" and is done again. */
#include "sql/intake/put_orders.h"
#include "core/base/arena.h"
#include "core/base/clock.h"
#include "sql/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ORDERS = 12000, MAX_LINES = 120000, MAX_FIELDS = 9, MAX_INPUT = 4096 };

struct driver {
    struct aff_connection connection;
    int store;
    struct aff_put_order orders[MAX_ORDERS];
    struct aff_order_line lines[MAX_LINES];
    size_t n_orders, n_lines;
    struct aff_arena arena;
    unsigned wait_ms;
    bool rolls_back;
};

static const char *const outcomes[] = {"created", "changed", "unchanged", "deleted", "repeated", "colliding"};

static aff_status once(struct driver *driver, struct aff_put_orders_report *report, struct aff_error *reterr)
{
    aff_status status = aff_execute(&driver->connection, "BEGIN", reterr);

    if (status != AFF_OK)
        return status;
    status =
        aff_orders_put(&driver->connection, driver->store, driver->orders, driver->n_orders, report, reterr);
    if (status == AFF_OK && driver->wait_ms > 0)
        (void)usleep(driver->wait_ms * 1000);
    if (status == AFF_OK && !driver->rolls_back)
        return aff_execute(&driver->connection, "COMMIT", reterr);
    (void)!aff_execute(&driver->connection, "ROLLBACK", NULL);
    return status;
}

static void put(struct driver *driver)
{
    struct aff_put_orders_report report = {0};
    struct aff_error error = {0};
    int64_t from_us = aff_clock_monotonic_us();
    aff_status status;

    while ((status = once(driver, &report, &error)) != AFF_OK && strncmp(error.sqlstate, "40", 2) == 0)
        (void)printf("again %s\n", error.sqlstate);
    int64_t us = aff_clock_monotonic_us() - from_us - driver->wait_ms * INT64_C(1000);
    if (status != AFF_OK) {
        (void)printf("failed %s\n", error.text);
    } else {
        (void)printf("done");
        for (size_t i = 0; i < driver->n_orders; i++)
            (void)printf(" %s", outcomes[driver->orders[i].outcome]);
        (void)printf("\tproducts_new=%u customers_new=%u products_priced=%u returned=%u us=%lld\n",
                     report.products_new, report.customers_new, report.products_priced, report.returned,
                     (long long)us);
    }
    (void)fflush(stdout);
    aff_arena_done(&driver->arena);
    driver->n_orders = driver->n_lines = 0;
    driver->wait_ms = 0;
    driver->rolls_back = false;
}

static struct aff_text keep(struct driver *driver, const char *text)
{
    return aff_arena_copy(&driver->arena, aff_text_of(text));
}

static void add_line(struct driver *driver, char *fields[])
{
    struct aff_put_order *order = &driver->orders[driver->n_orders - 1];

    if (order->n_lines == 0)
        order->lines = &driver->lines[driver->n_lines];
    order->n_lines++;
    driver->lines[driver->n_lines++] = (struct aff_order_line){
        .product_id = keep(driver, fields[1]),
        .customer_id = keep(driver, fields[2]),
        .ordered_at_us = strtoll(fields[3], NULL, 10),
        .quantity = atoi(fields[4]),
        .unit_price = strtoll(fields[5], NULL, 10),
        .unit_cost = fields[6][0] == '-' ? AFF_COST_UNKNOWN : strtoll(fields[6], NULL, 10),
        .discounted = fields[7][0] == '1',
        .cancels = fields[8][0] == '1'};
}

static bool take(struct driver *driver, char *input)
{
    char *fields[MAX_FIELDS] = {0}, *rest = input;
    int n = 0;

    input[strcspn(input, "\n")] = '\0';
    while (n < MAX_FIELDS && rest != NULL)
        fields[n++] = strsep(&rest, "\t");
    if (strcmp(fields[0], "order") == 0 && n == 2 && driver->n_orders < MAX_ORDERS)
        driver->orders[driver->n_orders++] = (struct aff_put_order){.id = keep(driver, fields[1])};
    else if (strcmp(fields[0], "line") == 0 && n == 9 && driver->n_orders > 0 && driver->n_lines < MAX_LINES)
        add_line(driver, fields);
    else if (strcmp(fields[0], "wait") == 0 && n == 2)
        driver->wait_ms = (unsigned)strtoul(fields[1], NULL, 10);
    else if (strcmp(fields[0], "rollback") == 0)
        driver->rolls_back = true;
    else if (strcmp(fields[0], "put") == 0)
        put(driver);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct driver *driver = calloc(1, sizeof *driver);
    struct aff_error error;
    char input[MAX_INPUT];
    int result = EXIT_SUCCESS;

    if (driver == NULL || argc != 3)
        return EXIT_FAILURE;
    driver->store = atoi(argv[2]);
    if (aff_connection_open(argv[1], "put_orders_driver", 10, &driver->connection, &error) != AFF_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        free(driver);
        return EXIT_FAILURE;
    }
    while (result == EXIT_SUCCESS && fgets(input, sizeof input, stdin) != NULL)
        if (!take(driver, input)) {
            (void)fprintf(stderr, "not understood: %s\n", input);
            result = EXIT_FAILURE;
        }
    aff_connection_close(&driver->connection);
    aff_arena_done(&driver->arena);
    free(driver);
    return result;
}
