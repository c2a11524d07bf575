/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl backtest: how well each method would have foreseen a store's newest orders. */
#include "cli/command.h"
#include "cli/backtest/file.h"
#include "cli/backtest/options.h"
#include "cli/backtest/page.h"
#include "cli/backtest/run.h"
#include "cli/backtest/show.h"
#include "cli/progress.h"
#include "config/blend.h"
#include "config/train.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set by the signal handler, which cannot reach anything else. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct display {
    struct aff_progress progress;
    const char *phase;
    uint64_t done;
    bool quiet;
};

static void finish_phase(struct display *display)
{
    if (display->phase != NULL)
        aff_progress_finish(&display->progress, display->done < display->progress.total
                                                    ? display->progress.total
                                                    : display->done);
    display->phase = NULL;
}

static bool show(void *context, const char *phase, const char *unit, uint64_t done, uint64_t total)
{
    struct display *display = context;

    if (display->phase == NULL || strcmp(display->phase, phase) != 0) {
        finish_phase(display);
        aff_progress_start(&display->progress, phase, unit, total, display->quiet);
        display->phase = phase;
    }
    display->progress.total = total;
    display->done = done;
    aff_progress_show(&display->progress, done);
    return interrupted == 0;
}

static aff_status measure(const struct aff_backtest_options *options, struct aff_backtest_result *result,
                          struct aff_error *reterr)
{
    const struct aff_config *config = &options->settings.config;
    struct display display = {.quiet = options->settings.quiet};
    const struct aff_backtest_settings settings = {
        .train = aff_config_train(config, aff_parallel_threads((int)config->learn_threads)),
        .configured = aff_config_blend(config),
        .tasks = options->tasks,
        .methods = options->methods,
        .leave_one_out = options->leave_one_out,
        .diversity = options->diversity,
        .test_share = options->test_share,
        .n_queries = options->n_queries,
        .limit = options->limit,
        .seed = options->seed,
        .limit_bytes = (uint64_t)config->memory_limit_mb << 20,
        .progress = show,
        .context = &display,
    };
    const struct sigaction action = {.sa_handler = interrupt};
    struct aff_connection connection = {0};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    aff_status status = aff_settings_connect(&options->settings, &connection, reterr);
    if (status == AFF_OK)
        status = aff_backtest(&connection, config->store_name, &settings, result, reterr);
    finish_phase(&display);
    aff_connection_close(&connection);
    return status == AFF_CANCELLED ? aff_error_set(reterr, status, "interrupted; nothing was written")
                                   : status;
}

static aff_status write_json(const struct aff_backtest_result *result, struct aff_backtest_file *file,
                             struct aff_error *reterr)
{
    struct aff_json json = {0};
    aff_status status = AFF_OK;

    if (file->stream == NULL)
        return AFF_OK;
    aff_backtest_show_json(result, &json);
    if (json.failed)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    else
        (void)fprintf(file->stream, "%.*s\n", (int)json.size, json.bytes);
    aff_json_done(&json);
    return status == AFF_OK ? aff_backtest_file_finish(file, reterr) : status;
}

/* Files are opened before the long work, so that one that cannot be written is told at once. */
static aff_status run(struct aff_backtest_options *options, struct aff_backtest_result *result,
                      struct aff_error *reterr)
{
    struct aff_backtest_file json = {0}, html = {0};
    aff_status status = aff_settings_load(&options->settings, reterr);

    if (status == AFF_OK)
        status = aff_backtest_file_open(&json, options->json, reterr);
    if (status == AFF_OK)
        status = aff_backtest_file_open(&html, options->html, reterr);
    if (status == AFF_OK)
        status = measure(options, result, reterr);
    if (status == AFF_OK)
        aff_backtest_show_table(result, stdout);
    if (status == AFF_OK)
        status = write_json(result, &json, reterr);
    if (status == AFF_OK && html.stream != NULL)
        aff_page_write(result, html.stream);
    if (status == AFF_OK)
        status = aff_backtest_file_finish(&html, reterr);
    aff_backtest_file_abandon(&json);
    aff_backtest_file_abandon(&html);
    return status;
}

int aff_command_backtest(int argc, char **argv)
{
    struct aff_backtest_options options;
    struct aff_error error;
    aff_status status = aff_backtest_options_read(argc, argv, &options, &error);

    if (status != AFF_OK) {
        (void)fprintf(stderr, "affinityctl backtest: %s; see 'affinityctl backtest --help'\n", error.text);
        return AFF_EXIT_USAGE;
    }
    if (options.settings.help) {
        (void)fputs(aff_backtest_help, stdout);
        return AFF_EXIT_OK;
    }
    struct aff_backtest_result *result = calloc(1, sizeof *result);
    status = result == NULL ? aff_error_set(&error, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM))
                            : run(&options, result, &error);
    free(result);
    return status == AFF_OK ? AFF_EXIT_OK : aff_settings_fail("backtest", &error);
}
