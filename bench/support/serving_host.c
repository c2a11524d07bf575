/* SPDX-License-Identifier: Apache-2.0 */
/* The service with a synthetic store and no database, for bench/serving.py and bench/sources_http.py.
 *
 * serving_host PORT: one worker; prints "listening" and serves until SIGTERM.
 * serving_host PORT sources: the same with a million sessions and 250,000 baskets.
 * serving_host PORT all: the same with weights for all sources.
 * serving_host --paths cart|product|known|customer: prints the targets of requests that fit the store: a cart
 * of five, a product page, a cart of five of a known customer, a known customer alone. */
#include "synthetic_traces.h"

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
    const bool page = strcmp(name, "product") == 0, alone = strcmp(name, "customer") == 0;
    const bool known = alone || strcmp(name, "known") == 0;
    const uint32_t size = page ? 1 : 5;
    struct synthetic_carts carts = synthetic_carts(&store, PATHS, size, &random);

    for (size_t i = 0; i < PATHS; i++) {
        (void)printf("/recommend?limit=10");
        for (size_t line = i * size; line < (i + 1) * size && !alone; line++)
            (void)printf("&%s=%s", page ? "product" : "cart", carts.ids[line]);
        if (known)
            (void)printf("&customer=C%08u", (unsigned)((uint32_t)i * 2654435761u % CUSTOMERS));
        (void)printf("\n");
    }
    synthetic_carts_done(&carts);
    aff_model_free(store.model);
    synthetic_done(&store);
    return 0;
}

/* Weights that leave no source out. */
static void turn_all_on(struct synthetic *store)
{
    const struct aff_blend usual = aff_blend_default();
    struct aff_fitted *fitted = &store->model->fitted;
    for (int situation = 0; situation < AFF_SITUATION_MAX; situation++) {
        fitted->given[situation] = true;
        fitted->of[situation] = usual.of[situation];
        for (int weight = 0; weight < AFF_WEIGHT_MAX; weight++)
            if (*aff_weights_at(&fitted->of[situation], weight) <= 0)
                *aff_weights_at(&fitted->of[situation], weight) = 0.05;
    }
}

static int serve(const char *port, bool with_sources, bool all_on)
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
    const struct synthetic_sessions wanted = {.sessions = 1000000, .holders = 500, .baskets = 250000};
    if (with_sources)
        synthetic_traces(&store, &wanted);
    if (all_on)
        turn_all_on(&store);
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
    static const char *const questions[] = {"cart", "product", "known", "customer"};

    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (argc == 3 && strcmp(argv[1], "--paths") == 0 && strcmp(argv[2], questions[i]) == 0)
            return print_paths(argv[2]);
    const bool all_on = argc == 3 && strcmp(argv[2], "all") == 0;
    if (argc == 2 || all_on || (argc == 3 && strcmp(argv[2], "sources") == 0))
        return serve(argv[1], argc == 3, all_on);
    (void)fprintf(stderr, "usage: serving_host PORT [sources|all] | --paths cart|product|known|customer\n");
    return 2;
}
