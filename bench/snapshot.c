/* SPDX-License-Identifier: Apache-2.0 */
/* How long it takes from a snapshot file to a model that answers: everything verified, first answer given,
 * the file in the page cache, as after a restart of the service. Told beside it: how fast such a file is
 * written, and with --cold how long it takes when the file has to be read from the disk. */
#include "synthetic_traces.h"

#include "core/index/snapshot.h"

#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GOAL_S 1.0

enum { ROUNDS = 5, PATH_TEXT = 512 };

struct settings {
    uint32_t products, neighbours, customers, sessions;
    const char *directory;
    bool cold;
};

static void print_help(void)
{
    (void)printf("Usage: bench_snapshot [OPTION...]\n\n"
                 "Writes a synthetic store to a snapshot file, then times opening it to the first answer.\n\n"
                 "  --products N      products of the store (1000000)\n"
                 "  --neighbours N    neighbours of each product, with evidence (50)\n"
                 "  --customers N     customers with a history (1000000)\n"
                 "  --sessions N      sessions, and a quarter as many baskets (1000000)\n"
                 "  --directory PATH  where the file goes for the time being (build)\n"
                 "  --cold            also from a disk whose cache has forgotten the file\n\n"
                 "Example: bench_snapshot --products 100000 --neighbours 100\n");
}

static uint32_t read_number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value > 10000000) {
        (void)fprintf(stderr, "bench_snapshot: '%s' is not a number up to 10000000\n", text);
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
        {"sessions", required_argument, NULL, 's'},
        {"directory", required_argument, NULL, 'd'},
        {"cold", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct settings settings = {.products = 1000000,
                                .neighbours = 50,
                                .customers = 1000000,
                                .sessions = 1000000,
                                .directory = "build"};

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
        case 's':
            settings.sessions = read_number(optarg);
            break;
        case 'd':
            settings.directory = optarg;
            break;
        case 'c':
            settings.cold = true;
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
    if (settings.products < SYNTHETIC_THEME || settings.neighbours < 1) {
        (void)fprintf(stderr, "bench_snapshot: at least 1000 products and 1 neighbour\n");
        exit(2);
    }
    return settings;
}

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Ends with the text of a failure; the file does not stay. */
static void check(aff_status status, const struct aff_error *error, const char *path)
{
    if (status == AFF_OK)
        return;
    (void)fprintf(stderr, "bench_snapshot: %s\n", error->text);
    (void)unlink(path);
    exit(2);
}

/* Builds the store, writes it, and frees it, so that its memory does not stand in the way. */
static struct aff_snapshot_info write_file(const struct settings *settings, const char *path)
{
    struct synthetic store = {.n_products = settings->products,
                              .n_neighbours = settings->neighbours,
                              .n_customers = settings->customers,
                              .seed = 1};
    struct aff_snapshot_info info;
    struct aff_error error;
    struct aff_slot *slot;

    const struct synthetic_sessions wanted = {
        .sessions = settings->sessions, .holders = 500, .baskets = settings->sessions / 4};

    synthetic_build(&store);
    if (settings->sessions > 0)
        synthetic_traces(&store, &wanted);
    synthetic_check(aff_slot_new(&slot), "slot");
    aff_slot_publish(slot, store.model);
    double start_s = now_s();
    check(aff_snapshot_write(slot, path, NULL, &info, &error), &error, path);
    double took_s = now_s() - start_s;
    (void)printf("%u products x %u neighbours, %u customers, %u sessions: file of %.0f MB written in %.2f s, "
                 "%.0f MB/s\n",
                 settings->products, settings->neighbours, settings->customers, settings->sessions,
                 (double)info.file_bytes / 1e6, took_s, (double)info.file_bytes / 1e6 / took_s);
    aff_slot_free(slot);
    synthetic_done(&store);
    return info;
}

/* Opens the file and answers one request from it. */
static double time_opening(const char *path)
{
    const struct aff_snapshot_options options = {.n_threads = 0};
    const struct aff_blend blend = aff_blend_default();
    char id[16];
    synthetic_id(7, id);
    const struct aff_cart_line line = {.product = aff_text_of(id), .quantity = 1, .price = AFF_NO_MONEY};
    const struct aff_request request = {
        .cart = &line, .n_cart = 1, .limit = 10, .price_min = AFF_NO_MONEY, .price_max = AFF_NO_MONEY};
    struct aff_answer *answer = synthetic_memory(1, sizeof *answer);
    struct aff_workspace *workspace;
    struct aff_model *model;
    struct aff_slot *slot;
    struct aff_error error;

    synthetic_check(aff_workspace_new(&workspace), "workspace");
    synthetic_check(aff_slot_new(&slot), "slot");
    double start_s = now_s();
    check(aff_snapshot_open(path, &options, &model, NULL, &error), &error, path);
    aff_slot_publish(slot, model);
    synthetic_check(aff_recommend(aff_slot_acquire(slot), &blend, workspace, &request, answer), "recommend");
    double took_s = now_s() - start_s;
    aff_slot_release(slot);
    synthetic_check(answer->n_items == 10 ? AFF_OK : AFF_DATA, "answer");
    aff_slot_free(slot);
    aff_workspace_free(workspace);
    free(answer);
    return took_s;
}

static void forget(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
}

int main(int argc, char **argv)
{
    const struct settings settings = read_settings(argc, argv);
    char path[PATH_TEXT];
    double times_s[ROUNDS];

    (void)snprintf(path, sizeof path, "%s/bench_snapshot_%ld.snapshot", settings.directory, (long)getpid());
    aff_reader_enter();
    const struct aff_snapshot_info info = write_file(&settings, path);
    if (settings.cold) {
        forget(path);
        (void)printf("from the disk: %.2f s\n", time_opening(path));
    }
    for (int round = 0; round < ROUNDS; round++) {
        times_s[round] = time_opening(path);
        (void)printf("round %d: %.2f s\n", round + 1, times_s[round]);
    }
    (void)unlink(path);
    aff_reader_leave();
    double median_s = synthetic_quantile(times_s, ROUNDS, 0.5);
    bool met = median_s <= GOAL_S;
    (void)printf("medians of %d rounds with %d threads; the model takes at most %.0f MB\n", ROUNDS,
                 aff_parallel_threads(0), (double)info.memory_bytes / 1e6);
    (void)printf("snapshot: %.2f s to the first answer (goal <= %.0f s) %s\n", median_s, GOAL_S,
                 met ? "met" : "missed");
    return met ? 0 : 1;
}
