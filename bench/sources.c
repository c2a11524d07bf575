/* SPDX-License-Identifier: Apache-2.0 */
/* How long one aff_recommend call takes with the sources that look at single sessions, baskets and purchases,
 * for each situation: with the default weights, and with every source on. */
#include "synthetic_traces.h"

#include "core/index/slot.h"

#include <getopt.h>
#include <string.h>
#include <time.h>

#define GOAL_P50_US 35.0
#define GOAL_P99_US 120.0

enum { ROUNDS = 5 };

struct settings {
    uint32_t products, customers, sessions, cart, requests;
    const char *only; /* NULL: all */
};

/* A question: what is asked, and of whom. */
struct question {
    const char *name;
    enum aff_as as;
    bool known, cart;
};

static const struct question questions[] = {
    {"cart", AFF_AS_CART, false, true},        {"cart_known", AFF_AS_CART, true, true},
    {"added", AFF_AS_ADDED, false, true},      {"added_known", AFF_AS_ADDED, true, true},
    {"next_basket", AFF_AS_CART, true, false}, {"views", AFF_AS_VIEWS, false, true},
    {"views_known", AFF_AS_VIEWS, true, true},
};
enum { N_QUESTIONS = sizeof questions / sizeof questions[0] };

struct times {
    double p50_us, p99_us, candidates;
    uint64_t answers; /* a number that other answers would change */
};

static void print_help(void)
{
    (void)printf("Usage: bench_sources [OPTION...]\n\n"
                 "Times aff_recommend, without HTTP, with all sources, for each situation.\n\n"
                 "  --products N    products of the store, 100 neighbours each (100000)\n"
                 "  --customers N   customers with a history (1000000)\n"
                 "  --sessions N    sessions in memory (1000000)\n"
                 "  --cart N        products in the cart, and of the views (5)\n"
                 "  --requests N    requests of one of the five rounds (10000)\n"
                 "  --only NAME     one of the situations printed, such as views_known\n\n"
                 "Example: bench_sources --sessions 100000 --cart 16\n");
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
        (void)fprintf(stderr, "bench_sources: '%s' is not a number up to 100000000\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static struct settings read_settings(int argc, char **argv)
{
    static const struct option options[] = {
        {"products", required_argument, NULL, 'p'}, {"customers", required_argument, NULL, 'u'},
        {"sessions", required_argument, NULL, 's'}, {"cart", required_argument, NULL, 'c'},
        {"requests", required_argument, NULL, 'r'}, {"only", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    struct settings settings = {
        .products = 100000, .customers = 1000000, .sessions = 1000000, .cart = 5, .requests = 10000};

    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            settings.products = read_number(optarg);
            break;
        case 'u':
            settings.customers = read_number(optarg);
            break;
        case 's':
            settings.sessions = read_number(optarg);
            break;
        case 'c':
            settings.cart = read_number(optarg);
            break;
        case 'r':
            settings.requests = read_number(optarg);
            break;
        case 'o':
            settings.only = optarg;
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
    if (settings.products < SYNTHETIC_THEME || settings.cart < 1 || settings.cart > AFF_CART_MAX ||
        settings.customers < 1 || settings.sessions < 1 || settings.requests < 100) {
        (void)fprintf(stderr,
                      "bench_sources: at least 1000 products, 1 customer, 1 session and 100 requests, "
                      "and a cart of 1 to 200\n");
        exit(2);
    }
    return settings;
}

/* Every source that is off by default gets a weight, so that its work is done. */
static struct aff_blend all_on(void)
{
    struct aff_blend blend = aff_blend_default();

    for (int situation = 0; situation < AFF_SITUATION_MAX; situation++)
        for (int weight = 0; weight < AFF_WEIGHT_MAX; weight++)
            if (*aff_weights_at(&blend.of[situation], weight) <= 0)
                *aff_weights_at(&blend.of[situation], weight) = 0.05;
    return blend;
}

static uint64_t digest(uint64_t before, const struct aff_answer *answer)
{
    for (uint32_t i = 0; i < answer->n_items; i++) {
        uint32_t score;
        memcpy(&score, &answer->items[i].score, sizeof score);
        before = (before ^ answer->items[i].row ^ (uint64_t)score << 32) * UINT64_C(0x9E3779B97F4A7C15);
        before ^= before >> 29;
    }
    return before;
}

static struct times run_question(const struct settings *settings, const struct question *question,
                                 const struct aff_blend *blend, const struct aff_slot *slot,
                                 const struct synthetic_carts *carts, struct aff_workspace *workspace,
                                 struct aff_answer *answer, double *times_us)
{
    double p50_us[ROUNDS], p99_us[ROUNDS];
    uint64_t candidates = 0, answers = 0;

    for (int round = -1; round < ROUNDS; round++) { /* the first one warms up */
        for (uint32_t i = 0; i < carts->n; i++) {
            struct aff_request request = synthetic_request(carts, i);
            char customer[16];
            request.as = question->as;
            if (!question->cart)
                request.n_cart = 0;
            if (question->known) {
                (void)snprintf(customer, sizeof customer, "C%08u",
                               (unsigned)(i * 2654435761u % settings->customers));
                request.customer = aff_text_of(customer);
            }
            const double start_us = now_us();
            const struct aff_model *model = aff_slot_acquire(slot);
            synthetic_check(aff_recommend(model, blend, workspace, &request, answer), "recommend");
            aff_slot_release(slot);
            times_us[i] = now_us() - start_us;
            candidates += round >= 0 ? answer->candidates : 0;
            answers = round >= 0 ? answers : digest(answers, answer);
        }
        if (round < 0)
            continue;
        p50_us[round] = synthetic_quantile(times_us, carts->n, 0.5);
        p99_us[round] = synthetic_quantile(times_us, carts->n, 0.99);
    }
    return (struct times){synthetic_quantile(p50_us, ROUNDS, 0.5), synthetic_quantile(p99_us, ROUNDS, 0.5),
                          (double)candidates / ROUNDS / carts->n, answers};
}

/* Prints all questions; returns the slowest of each figure. */
static struct times run_all(const struct settings *settings, const char *title, const struct aff_blend *blend,
                            const struct aff_slot *slot, const struct synthetic_carts *carts)
{
    struct aff_answer *answer = synthetic_memory(1, sizeof *answer);
    double *times_us = synthetic_memory(carts->n, sizeof *times_us);
    struct aff_workspace *workspace;
    struct times worst = {0};

    synthetic_check(aff_workspace_new(&workspace), "workspace");
    for (size_t i = 0; i < N_QUESTIONS; i++) {
        if (settings->only != NULL && strcmp(settings->only, questions[i].name) != 0)
            continue;
        const struct times times =
            run_question(settings, &questions[i], blend, slot, carts, workspace, answer, times_us);
        (void)printf("%s, %s: p50 %.1f us, p99 %.1f us, %.0f candidates, answers %016llx\n", title,
                     questions[i].name, times.p50_us, times.p99_us, times.candidates,
                     (unsigned long long)times.answers);
        (void)fflush(stdout);
        worst.p50_us = times.p50_us > worst.p50_us ? times.p50_us : worst.p50_us;
        worst.p99_us = times.p99_us > worst.p99_us ? times.p99_us : worst.p99_us;
    }
    aff_workspace_free(workspace);
    free(answer);
    free(times_us);
    return worst;
}

int main(int argc, char **argv)
{
    const struct settings settings = read_settings(argc, argv);
    const struct synthetic_sessions wanted = {
        .sessions = settings.sessions, .holders = 500, .baskets = settings.sessions / 4};
    const struct aff_blend usual = aff_blend_default(), all = all_on();
    struct synthetic store = {
        .n_products = settings.products, .n_neighbours = 100, .n_customers = settings.customers, .seed = 1};
    struct aff_random random = {.state = 2};
    struct aff_slot *slot;

    synthetic_build(&store);
    synthetic_traces(&store, &wanted);
    (void)printf("%u products, %u customers, %u sessions, model of %.0f MB, traces %.0f MB of it\n",
                 settings.products, settings.customers, settings.sessions,
                 (double)aff_model_bytes(store.model) / 1e6,
                 (double)aff_traces_bytes(store.model->traces) / 1e6);
    struct synthetic_carts carts = synthetic_views(&store, settings.requests, settings.cart, &random);
    synthetic_check(aff_slot_new(&slot), "slot");
    aff_slot_publish(slot, store.model);
    aff_reader_enter();
    (void)run_all(&settings, "default weights", &usual, slot, &carts);
    const struct times worst = run_all(&settings, "all sources", &all, slot, &carts);
    aff_reader_leave();
    const bool met = worst.p50_us <= GOAL_P50_US && worst.p99_us <= GOAL_P99_US;
    (void)printf("sources: p50 %.1f us, p99 %.1f us (goal p50 <= %.0f us, p99 <= %.0f us) %s\n", worst.p50_us,
                 worst.p99_us, GOAL_P50_US, GOAL_P99_US, met ? "met" : "missed");
    aff_slot_free(slot);
    synthetic_carts_done(&carts);
    synthetic_done(&store);
    return met ? 0 : 1;
}
