/* SPDX-License-Identifier: Apache-2.0 */
/* How long one aff_recommend call takes inside the process, for random carts over a synthetic store. */
#include "synthetic.h"

#include "core/index/slot.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

#define GOAL_P50_US 5.0
#define GOAL_P99_US 12.0

enum { ROUNDS = 5 };

struct settings {
    uint32_t products, neighbours, customers, cart, requests;
    const char *explain;
};

static void print_help(void)
{
    (void)printf("Usage: bench_inprocess [OPTION...]\n\n"
                 "Times aff_recommend, without HTTP, for random carts over a synthetic store.\n\n"
                 "  --products N     products of the store (100000)\n"
                 "  --neighbours N   neighbours of each product (100)\n"
                 "  --customers N    customers with a history; each request then names one (0)\n"
                 "  --cart N         products in the cart (5)\n"
                 "  --requests N     requests of one of the five rounds (40000)\n"
                 "  --explain LEVEL  none, basic or full (none)\n\n"
                 "Example: bench_inprocess --products 1000000 --customers 1000000\n");
}

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value > 100000000) {
        (void)fprintf(stderr, "bench_inprocess: '%s' is not a number up to 100000000\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static struct settings read_settings(int argc, char **argv)
{
    static const struct option options[] = {
        {"products", required_argument, NULL, 'p'},
        {"neighbours", required_argument, NULL, 'n'},
        {"customers", required_argument, NULL, 'u'},
        {"cart", required_argument, NULL, 'c'},
        {"requests", required_argument, NULL, 'r'},
        {"explain", required_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct settings settings = {
        .products = 100000, .neighbours = 100, .cart = 5, .requests = 40000, .explain = "none"};

    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            settings.products = read_number(optarg);
            break;
        case 'n':
            settings.neighbours = read_number(optarg);
            break;
        case 'u':
            settings.customers = read_number(optarg);
            break;
        case 'c':
            settings.cart = read_number(optarg);
            break;
        case 'r':
            settings.requests = read_number(optarg);
            break;
        case 'e':
            settings.explain = optarg;
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
    if (settings.products < SYNTHETIC_THEME || settings.cart < 1 || settings.cart > AFF_CART_MAX ||
        settings.neighbours < 1 || settings.requests < 100) {
        (void)fprintf(stderr, "bench_inprocess: at least 1000 products, 1 neighbour and 100 requests, "
                              "and a cart of 1 to 200\n");
        exit(2);
    }
    return settings;
}

/* One round over all carts; fills times_us. Returns the candidates seen. */
static uint64_t run_round(const struct settings *settings, const struct aff_slot *slot,
                          const struct synthetic_carts *carts, struct aff_workspace *workspace,
                          struct aff_answer *answer, double *times_us)
{
    const struct aff_blend blend = aff_blend_default();
    uint64_t candidates = 0;

    for (uint32_t i = 0; i < carts->n; i++) {
        struct aff_request request = synthetic_request(carts, i);
        char customer[16];
        if (settings->customers > 0) {
            (void)snprintf(customer, sizeof customer, "C%08u",
                           (unsigned)(i * 2654435761u % settings->customers));
            request.customer = aff_text_of(customer);
        }
        if (strcmp(settings->explain, "basic") == 0)
            request.explain = AFF_EXPLAIN_BASIC;
        if (strcmp(settings->explain, "full") == 0)
            request.explain = AFF_EXPLAIN_FULL;
        double start_us = now_us();
        const struct aff_model *model = aff_slot_acquire(slot);
        synthetic_check(aff_recommend(model, &blend, workspace, &request, answer), "recommend");
        aff_slot_release(slot);
        times_us[i] = now_us() - start_us;
        candidates += answer->candidates;
    }
    return candidates;
}

int main(int argc, char **argv)
{
    const struct settings settings = read_settings(argc, argv);
    struct synthetic store = {.n_products = settings.products,
                              .n_neighbours = settings.neighbours,
                              .n_customers = settings.customers,
                              .seed = 1};
    struct aff_random random = {.state = 2};
    struct aff_slot *slot;
    struct aff_workspace *workspace;
    struct aff_answer *answer = synthetic_memory(1, sizeof *answer);
    double *times_us = synthetic_memory(settings.requests, sizeof *times_us);
    double p50_us[ROUNDS], p99_us[ROUNDS];
    size_t count_bytes;
    uint64_t edges, candidates = 0;

    synthetic_build(&store);
    size_t bytes = aff_neighbours_bytes(store.model->together, &count_bytes, &edges);
    (void)printf("%u products, %llu edges at %.2f bytes, %u customers, model of %.0f MB\n", settings.products,
                 (unsigned long long)edges, (double)bytes / (double)edges, settings.customers,
                 (double)aff_model_bytes(store.model) / 1e6);
    struct synthetic_carts carts = synthetic_carts(&store, settings.requests, settings.cart, &random);
    synthetic_check(aff_slot_new(&slot), "slot");
    synthetic_check(aff_workspace_new(&workspace), "workspace");
    aff_slot_publish(slot, store.model);
    aff_reader_enter();
    (void)run_round(&settings, slot, &carts, workspace, answer, times_us); /* to warm up */
    for (int round = 0; round < ROUNDS; round++) {
        candidates += run_round(&settings, slot, &carts, workspace, answer, times_us);
        p50_us[round] = synthetic_quantile(times_us, settings.requests, 0.5);
        p99_us[round] = synthetic_quantile(times_us, settings.requests, 0.99);
        (void)printf("round %d: p50 %.2f us, p99 %.2f us\n", round + 1, p50_us[round], p99_us[round]);
    }
    aff_reader_leave();
    double p50 = synthetic_quantile(p50_us, ROUNDS, 0.5), p99 = synthetic_quantile(p99_us, ROUNDS, 0.5);
    bool met = p50 <= GOAL_P50_US && p99 <= GOAL_P99_US;
    (void)printf("%.0f candidates a request; medians of %d rounds of %u requests:\n",
                 (double)candidates / ROUNDS / settings.requests, ROUNDS, settings.requests);
    (void)printf("inprocess: p50 %.1f us, p99 %.1f us (goal p50 <= %.0f us, p99 <= %.0f us) %s\n", p50, p99,
                 GOAL_P50_US, GOAL_P99_US, met ? "met" : "missed");
    aff_slot_free(slot);
    aff_workspace_free(workspace);
    synthetic_carts_done(&carts);
    synthetic_done(&store);
    free(answer);
    free(times_us);
    return met ? 0 : 1;
}
