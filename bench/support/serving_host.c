/* SPDX-License-Identifier: Apache-2.0 */
/* The service with a synthetic store and no database, for bench/serving.py.
 *
 * serving_host PORT: one worker; prints "listening" and serves until SIGTERM.
 * serving_host --paths cart|product: prints the targets of requests that fit the store. */
#include "synthetic.h"

#include "config/config.h"
#include "server/app.h"

#include <string.h>
#include <unistd.h>

enum { PRODUCTS = 100000, NEIGHBOURS = 100, CUSTOMERS = 1000000, PATHS = 20000 };

static struct synthetic store_of_size(uint32_t n_neighbours, uint32_t n_customers)
{
    struct synthetic store = {
        .n_products = PRODUCTS, .n_neighbours = n_neighbours, .n_customers = n_customers, .seed = 1};

    synthetic_build(&store);
    return store;
}

static int print_paths(const char *name)
{
    /* The store's products lie as in the served one: they are scattered before anything else is drawn. */
    struct synthetic store = store_of_size(1, 0);
    struct aff_random random = {.state = 7};
    uint32_t size = strcmp(name, "cart") == 0 ? 5 : 1;
    struct synthetic_carts carts = synthetic_carts(&store, PATHS, size, &random);

    for (size_t i = 0; i < PATHS; i++) {
        (void)printf("/recommend?limit=10");
        for (size_t line = i * size; line < (i + 1) * size; line++)
            (void)printf("&%s=%s", size == 1 ? "product" : "cart", carts.ids[line]);
        (void)printf("\n");
    }
    synthetic_carts_done(&carts);
    aff_model_free(store.model);
    synthetic_done(&store);
    return 0;
}

static int serve(const char *port)
{
    struct aff_config config;
    struct aff_app *app = NULL;
    struct aff_error error = {0};

    aff_config_init(&config);
    if (aff_config_set(&config, "http.port", port, "command line", &error) != AFF_OK) {
        (void)fprintf(stderr, "serving_host: %s\n", error.text);
        return 2;
    }
    config.http_workers = 1;
    struct aff_app_plan plan = {.config = &config, .without_database = true, .log_file = STDERR_FILENO};
    if (aff_app_start(&plan, &app, &error) != AFF_OK) {
        (void)fprintf(stderr, "serving_host: %s\n", error.text);
        return 1;
    }
    struct synthetic store = store_of_size(NEIGHBOURS, CUSTOMERS);
    (void)snprintf(store.model->store, sizeof store.model->store, "%.128s", config.store_name);
    (void)snprintf(store.model->currency, sizeof store.model->currency, "EUR");
    store.model->version = 1;
    synthetic_check(aff_app_publish(app, store.model), "publish");
    synthetic_done(&store);
    (void)printf("listening\n");
    (void)fflush(stdout);
    aff_app_run(app);
    aff_app_free(app);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--paths") == 0 &&
        (strcmp(argv[2], "cart") == 0 || strcmp(argv[2], "product") == 0))
        return print_paths(argv[2]);
    if (argc == 2)
        return serve(argv[1]);
    (void)fprintf(stderr, "usage: serving_host PORT | --paths cart|product\n");
    return 2;
}
