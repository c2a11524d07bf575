/* SPDX-License-Identifier: Apache-2.0 */
/* What publishing batches without pause costs the readers: p99 of aff_recommend on one processor while a
 * writer on another one makes batches as a fold of orders does (neighbour rows, counts of products,
 * histories, totals) and publishes them, against the same without a writer. The two take turns in short
 * slices, so that what else runs on the machine meets both alike. */
#include "synthetic.h"

#include "core/index/update.h"

#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define GOAL_RATIO 1.2

enum { CUSTOMERS = 100000 };

struct settings {
    uint32_t products, batch, slices, slice_ms;
};

struct writer {
    struct synthetic *store;
    struct aff_slot *slot;
    uint32_t batch;
    cpu_set_t given; /* processors of the program */
    _Atomic bool run, stop;
    _Atomic uint64_t n_rows, n_batches;
};

static void print_help(void)
{
    (void)printf(
        "Usage: bench_publish [OPTION...]\n\n"
        "Times aff_recommend while batches are published without pause, against idle.\n\n"
        "  --products N   products of the store (100000)\n"
        "  --batch N      neighbour rows of one batch (100), with as many products and a fifth as many\n"
        "                 histories\n"
        "  --slices N     slices of each kind (60)\n"
        "  --slice-ms N   length of a slice (100)\n\n"
        "Example: bench_publish --batch 10\n");
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < 1 || value > 10000000) {
        (void)fprintf(stderr, "bench_publish: '%s' is not a number from 1 to 10000000\n", text);
        exit(2);
    }
    return (uint32_t)value;
}

static struct settings read_settings(int argc, char **argv)
{
    static const struct option options[] = {
        {"products", required_argument, NULL, 'p'}, {"batch", required_argument, NULL, 'b'},
        {"slices", required_argument, NULL, 's'},   {"slice-ms", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    struct settings settings = {.products = 100000, .batch = 100, .slices = 60, .slice_ms = 100};

    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'p':
            settings.products = read_number(optarg);
            break;
        case 'b':
            settings.batch = read_number(optarg);
            break;
        case 's':
            settings.slices = read_number(optarg);
            break;
        case 'm':
            settings.slice_ms = read_number(optarg);
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
    if (settings.products < SYNTHETIC_THEME) {
        (void)fprintf(stderr, "bench_publish: at least 1000 products\n");
        exit(2);
    }
    return settings;
}

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Puts the calling thread on the processor of `number` among those that the program was given, where there
 * are so many: a new thread inherits the narrower set of its maker. */
static void pin_to(const cpu_set_t *given, unsigned number)
{
    cpu_set_t one;
    unsigned seen = 0;

    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, given) && seen++ == number)
            CPU_SET(cpu, &one);
    if (CPU_COUNT(&one) == 1)
        (void)pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

/* Puts a new row for a product into the batch. */
static void change_row(struct writer *writer, struct aff_update *update, struct aff_random *random)
{
    const struct synthetic *store = writer->store;
    struct aff_update_neighbour neighbours[SYNTHETIC_THEME];
    uint32_t at = (uint32_t)aff_random_below(random, store->n_products);
    struct aff_row *row = synthetic_row(store, at, random);
    struct aff_product_counts counts = {.orders = 1 + (uint32_t)aff_random_below(random, 2000)};

    for (uint32_t i = 0; i < row->n; i++)
        neighbours[i] = (struct aff_update_neighbour){(int32_t)row->entries[i].row + 1, row->entries[i].score,
                                                      aff_row_counts(row)[i]};
    counts.weight = (int64_t)counts.orders << 18;
    synthetic_check(aff_update_row(update, AFF_RELATION_TOGETHER, (int32_t)at + 1, neighbours, row->n),
                    "row");
    synthetic_check(aff_update_product_counts(update, (int32_t)at + 1, &counts), "counts");
    free(row);
}

static void change_customer(struct writer *writer, struct aff_update *update, struct aff_random *random)
{
    struct aff_update_purchase purchases[8];
    char id[16];

    (void)snprintf(id, sizeof id, "C%08u", (unsigned)aff_random_below(random, CUSTOMERS));
    for (uint32_t i = 0; i < 8; i++)
        purchases[i] = (struct aff_update_purchase){
            1 + (int32_t)aff_random_below(random, writer->store->n_products), 1, 1, 1000 - i};
    synthetic_check(aff_update_customer(update, aff_text_of(id), 8, purchases, 8), "customer");
}

static void publish_batch(struct writer *writer, struct aff_random *random)
{
    const struct aff_model *model = aff_slot_model(writer->slot);
    struct aff_totals totals = model->totals;
    struct aff_update *update;

    synthetic_check(aff_update_begin(writer->slot, &update), "batch");
    for (uint32_t i = 0; i < writer->batch; i++)
        change_row(writer, update, random);
    for (uint32_t i = 0; i < writer->batch / 5; i++)
        change_customer(writer, update, random);
    totals.orders++;
    aff_update_totals(update, &totals, model->version + 1);
    aff_update_publish(update);
}

static void *write_batches(void *argument)
{
    struct writer *writer = argument;
    struct aff_random random = {.state = 3};
    const struct timespec pause = {.tv_nsec = 200000};

    pin_to(&writer->given, 1);
    while (!atomic_load(&writer->stop)) {
        if (!atomic_load(&writer->run)) {
            (void)nanosleep(&pause, NULL);
            continue;
        }
        publish_batch(writer, &random);
        atomic_fetch_add(&writer->n_rows, writer->batch);
        atomic_fetch_add(&writer->n_batches, 1);
    }
    return NULL;
}

struct times {
    double *us;
    size_t n, capacity;
};

/* Answers carts until the slice is over. */
static void run_slice(const struct aff_slot *slot, const struct synthetic_carts *carts, uint32_t *next,
                      struct aff_workspace *workspace, struct aff_answer *answer, uint32_t slice_ms,
                      struct times *times)
{
    const struct aff_blend blend = aff_blend_default();
    const double end_us = now_us() + slice_ms * 1e3;

    while (times->n < times->capacity) {
        struct aff_request request = synthetic_request(carts, (*next)++ % carts->n);
        double start_us = now_us();
        const struct aff_model *model = aff_slot_acquire(slot);
        synthetic_check(aff_recommend(model, &blend, workspace, &request, answer), "recommend");
        aff_slot_release(slot);
        double done_us = now_us();
        times->us[times->n++] = done_us - start_us;
        if (done_us > end_us)
            return;
    }
}

/* Runs the slices; gives the p99 of all times idle and with the writer. */
static void compare(const struct settings *settings, struct writer *writer,
                    const struct synthetic_carts *carts, double *ret_idle_us, double *ret_busy_us)
{
    const struct timespec settle = {.tv_nsec = 2000000};
    struct aff_answer *answer = synthetic_memory(1, sizeof *answer);
    struct aff_workspace *workspace;
    struct times times[2];
    uint32_t next = 0;

    synthetic_check(aff_workspace_new(&workspace), "workspace");
    for (int busy = 0; busy < 2; busy++) {
        times[busy] = (struct times){.capacity = (size_t)settings->slices * settings->slice_ms * 1000};
        times[busy].us = synthetic_memory(times[busy].capacity, sizeof(double));
    }
    for (uint32_t slice = 0; slice < 2 * settings->slices + 2; slice++) {
        const bool busy = slice % 2 == 1;
        if (slice == 2) /* the first of each kind warm up */
            times[0].n = times[1].n = 0;
        atomic_store(&writer->run, busy);
        (void)nanosleep(&settle, NULL);
        run_slice(writer->slot, carts, &next, workspace, answer, settings->slice_ms, &times[busy]);
    }
    for (int busy = 0; busy < 2; busy++)
        (void)printf("%s: %zu requests, p50 %.2f us, p99 %.2f us, p99.9 %.2f us\n",
                     busy ? "publishing" : "idle      ", times[busy].n,
                     synthetic_quantile(times[busy].us, times[busy].n, 0.5),
                     synthetic_quantile(times[busy].us, times[busy].n, 0.99),
                     synthetic_quantile(times[busy].us, times[busy].n, 0.999));
    *ret_idle_us = synthetic_quantile(times[0].us, times[0].n, 0.99);
    *ret_busy_us = synthetic_quantile(times[1].us, times[1].n, 0.99);
    free(times[0].us);
    free(times[1].us);
    aff_workspace_free(workspace);
    free(answer);
}

int main(int argc, char **argv)
{
    const struct settings settings = read_settings(argc, argv);
    struct synthetic store = {
        .n_products = settings.products, .n_neighbours = 100, .n_customers = CUSTOMERS, .seed = 1};
    struct writer writer = {.store = &store, .batch = settings.batch};
    struct aff_random random = {.state = 2};
    pthread_t thread;
    double idle_us, busy_us;

    if (sched_getaffinity(0, sizeof writer.given, &writer.given) != 0 || CPU_COUNT(&writer.given) < 2)
        (void)printf("less than two processors: reader and writer share one\n");
    synthetic_build(&store);
    struct synthetic_carts carts = synthetic_carts(&store, 50000, 5, &random);
    synthetic_check(aff_slot_new(&writer.slot), "slot");
    aff_slot_publish(writer.slot, store.model);
    pin_to(&writer.given, 0);
    if (pthread_create(&thread, NULL, write_batches, &writer) != 0)
        synthetic_check(AFF_NOMEM, "writer thread");
    aff_reader_enter();
    compare(&settings, &writer, &carts, &idle_us, &busy_us);
    aff_reader_leave();
    atomic_store(&writer.stop, true);
    (void)pthread_join(thread, NULL);
    (void)printf("%llu rows replaced in %llu batches\n", (unsigned long long)atomic_load(&writer.n_rows),
                 (unsigned long long)atomic_load(&writer.n_batches));
    bool met = busy_us <= GOAL_RATIO * idle_us && atomic_load(&writer.n_batches) > 0;
    (void)printf("publish: p99 %.2f times idle (goal <= %.1f) %s\n", busy_us / idle_us, GOAL_RATIO,
                 met ? "met" : "missed");
    aff_slot_free(writer.slot);
    synthetic_carts_done(&carts);
    synthetic_done(&store);
    return met ? 0 : 1;
}
