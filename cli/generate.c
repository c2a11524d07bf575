/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl generate: writes a demo store as files. */
#include "cli/command.h"
#include "cli/generate/calendar.h"
#include "cli/generate/catalogue.h"
#include "cli/generate/options.h"
#include "cli/generate/output.h"
#include "cli/generate/simulate.h"
#include "cli/generate/tables.h"
#include "cli/generate/truth.h"
#include "cli/progress.h"
#include "json/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRODUCTS, CUSTOMERS, ORDER_LINES, TABLES, IMPORT_CONF = TABLES, TRUTH, FILES };

static const char *const names[FILES] = {"products.csv", "customers.csv", "order_lines.csv", "import.conf",
                                         "truth.json"};

static const char import_conf[] =
    "; How 'affinityctl import' reads the files of this folder.\n"
    "[orders]\n"
    "currency = EUR\n"
    "; an order whose id starts with this cancels an earlier order of the customer\n"
    "cancellation_prefix = C\n"
    "\n"
    "[products]\n"
    "currency = EUR\n";

struct generation {
    struct aff_generate_options options;
    struct aff_demo_calendar calendar;
    struct aff_demo_catalogue catalogue;
    struct aff_demo_truth truth;
    struct aff_output *files[FILES];
    struct aff_json json;
};

/* A folder that holds the same table twice, plain and compressed, would be imported twice. */
static aff_status refuse_others(const struct aff_generate_options *options, struct aff_error *reterr)
{
    char path[PATH_MAX];

    for (int i = 0; i < TABLES; i++)
        for (int other = 0; other < AFF_COMPRESSIONS; other++) {
            (void)snprintf(path, sizeof path, "%s/%s%s", options->out, names[i],
                           aff_compression_suffix((enum aff_compression)other));
            if (other != (int)options->compression && access(path, F_OK) == 0)
                return aff_error_set(
                    reterr, AFF_INVALID,
                    "%.400s is there already, compressed in another way: remove it, or give another "
                    "--out or --compress",
                    path);
        }
    return AFF_OK;
}

static aff_status open_files(struct generation *work, struct aff_error *reterr)
{
    const struct aff_generate_options *options = &work->options;

    if (mkdir(options->out, 0777) != 0 && errno != EEXIST)
        return aff_error_set(reterr, AFF_IO, "cannot make folder %.300s: %s", options->out, strerror(errno));
    aff_status status = refuse_others(options, reterr);
    for (int i = 0; i < FILES && status == AFF_OK; i++)
        status = aff_output_new(options->out, names[i], i < TABLES ? options->compression : AFF_COMPRESS_NONE,
                                &work->files[i], reterr);
    return status;
}

static aff_status prepare(struct generation *work, struct aff_error *reterr)
{
    const struct aff_generate_options *options = &work->options;
    aff_status status =
        aff_demo_calendar_init(&work->calendar, options->until_day - options->days, options->days);

    if (status == AFF_OK)
        status = aff_demo_catalogue_init(&work->catalogue, options->seed, options->products);
    if (status == AFF_OK)
        status = aff_demo_truth_init(&work->truth, options->days);
    return status == AFF_OK ? AFF_OK : aff_error_set(reterr, status, "%s", aff_status_text(status));
}

static aff_status write_truth(struct generation *work, struct aff_error *reterr)
{
    const struct aff_generate_options *options = &work->options;
    struct aff_demo_origin origin = {.seed = options->seed,
                                     .lines = options->lines,
                                     .products = options->products,
                                     .customers = options->customers,
                                     .calendar = &work->calendar,
                                     .catalogue = &work->catalogue};

    aff_demo_truth_write(&work->truth, &origin, &work->json);
    if (work->json.failed)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_output_write(work->files[TRUTH], work->json.bytes, work->json.size);
    aff_output_write(work->files[TRUTH], "\n", 1);
    return AFF_OK;
}

static aff_status write_files(struct generation *work, struct aff_error *reterr)
{
    const struct aff_generate_options *options = &work->options;
    struct aff_demo_scale scale = {.seed = options->seed,
                                   .lines = options->lines,
                                   .customers = options->customers,
                                   .basket_mean_thousandths = options->basket_mean_thousandths};
    struct aff_progress progress;

    aff_demo_write_products(&work->catalogue, work->files[PRODUCTS]);
    aff_demo_write_customers(options->seed, options->customers, work->files[CUSTOMERS]);
    aff_output_write(work->files[IMPORT_CONF], import_conf, strlen(import_conf));
    aff_progress_start(&progress, "writing orders", "lines", options->lines, options->quiet);
    aff_status status = aff_demo_simulate(&scale, &work->calendar, &work->catalogue, work->files[ORDER_LINES],
                                          &work->truth, &progress);
    if (status != AFF_OK)
        return aff_error_set(reterr, status, "%s", aff_status_text(status));
    aff_progress_finish(&progress, work->truth.lines);
    status = write_truth(work, reterr);
    for (int i = 0; i < FILES && status == AFF_OK; i++)
        status = aff_output_finish(work->files[i], reterr);
    for (int i = 0; i < FILES && status == AFF_OK; i++)
        status = aff_output_publish(work->files[i], reterr);
    return status;
}

static void summarise(const struct generation *work)
{
    const struct aff_demo_truth *truth = &work->truth;

    (void)printf("%s: %" PRIu64 " order lines (%" PRIu64 " of them returns), %" PRIu64
                 " orders, %u products, "
                 "%u customers\n",
                 work->options.out, truth->lines, truth->return_lines, truth->orders, work->options.products,
                 work->options.customers);
}

int aff_command_generate(int argc, char **argv)
{
    struct generation work = {.json = {0}};
    struct aff_error error = {0};
    int result = AFF_EXIT_USAGE;

    aff_status status = aff_generate_options_read(&work.options, argc, argv, &error);
    if (status != AFF_OK)
        goto out;
    if (work.options.help) {
        (void)fputs(aff_generate_help, stdout);
        return AFF_EXIT_OK;
    }
    result = AFF_EXIT_FAILED;
    status = open_files(&work, &error);
    if (status == AFF_OK)
        status = prepare(&work, &error);
    if (status == AFF_OK)
        status = write_files(&work, &error);
    if (status == AFF_OK) {
        result = AFF_EXIT_OK;
        if (!work.options.quiet)
            summarise(&work);
    }
out:
    if (status != AFF_OK)
        (void)fprintf(stderr, "affinityctl generate: %s\n", error.text);
    for (int i = 0; i < FILES; i++)
        aff_output_free(work.files[i]);
    aff_demo_calendar_done(&work.calendar);
    aff_demo_catalogue_done(&work.catalogue);
    aff_demo_truth_done(&work.truth);
    aff_json_done(&work.json);
    return result;
}
