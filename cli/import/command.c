/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl import: files into the tables of a store. */
#include "cli/command.h"

#include "cli/import/run.h"
#include "core/base/clock.h"
#include "sql/load/model.h"
#include "sql/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define NEW_STORE_CURRENCY "EUR"

const char *aff_count_text(int64_t value, char ret_text[AFF_COUNT_TEXT])
{
    char digits[AFF_COUNT_TEXT];
    int n = snprintf(digits, sizeof digits, "%" PRId64, value);
    char *at = ret_text;

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return ret_text;
}

void aff_count_print(int64_t value, const char *text)
{
    char count[AFF_COUNT_TEXT];

    if (value != 0)
        (void)printf("  %s %s\n", aff_count_text(value, count), text);
}

/* Says which input and rules these are, so that a second run can go on; an input that can be read only once
 * gets a job of its own. */
static aff_status identify_job(struct aff_import *import, struct aff_error *reterr)
{
    const struct aff_import_options *options = import->options;
    aff_status status = AFF_OK;

    import->job = aff_rules_hash(&options->rules, options->what);
    import->resumable = true;
    for (int i = 0; i < options->n_files && status == AFF_OK; i++) {
        bool regular = false;
        status = aff_input_is_regular(options->files[i], &regular, reterr);
        if (status == AFF_OK && regular)
            status = aff_input_hash(options->files[i], &import->job, reterr);
        import->resumable = import->resumable && regular;
    }
    if (!import->resumable) {
        int64_t words[3] = {(int64_t)import->job, aff_clock_now_us(), getpid()};
        import->job = aff_text_hash((struct aff_text){(const char *)words, sizeof words});
    }
    return status;
}

/* Finds the store, or makes it. */
static aff_status open_store(struct aff_import *import, struct aff_error *reterr)
{
    const struct aff_import_options *options = import->options;
    const char *name = options->settings.config.store_name;
    const char *wanted = options->rules.currency[0] == '\0' ? NULL : options->rules.currency;
    bool created = false;
    aff_status status = aff_store_ensure(import->connection, name, wanted, &import->store, &created, reterr);

    if (status == AFF_NOTFOUND && wanted == NULL)
        status =
            aff_store_ensure(import->connection, name, NEW_STORE_CURRENCY, &import->store, &created, reterr);
    if (status == AFF_OK)
        status = aff_store_find(import->connection, name, &import->store, import->currency, reterr);
    if (status == AFF_OK && created && !options->settings.quiet)
        (void)fprintf(stderr, "made store '%s' with currency %s\n", name, import->currency);
    return status;
}

static void print_end(const struct aff_import *import, int64_t started_us)
{
    const struct aff_files *files = import->files;
    const struct aff_rejects *rejects = files->rejects;
    double took_s = (double)(aff_clock_monotonic_us() - started_us) / (double)AFF_SECOND_US;
    char count[AFF_COUNT_TEXT];
    bool written = false;

    for (int reason = AFF_REJECT_NONE + 1; reason < AFF_REJECTS; reason++) {
        if (rejects->counts[reason] == 0)
            continue;
        (void)printf("  %s rejected: %s\n", aff_count_text(rejects->counts[reason], count),
                     aff_reject_text((enum aff_reject)reason));
        written = true;
    }
    if (written)
        (void)printf("rejected records are in %s\n", rejects->path);
    (void)printf("%s records in %.1f s, %.0f a second\n", aff_count_text((int64_t)files->records, count),
                 took_s, took_s > 0 ? (double)files->records / took_s : 0);
}

static aff_status run(struct aff_import *import, struct aff_error *reterr)
{
    struct aff_files *files = import->files;
    const struct aff_import_options *options = import->options;
    int64_t started_us = aff_clock_monotonic_us();
    aff_status status = aff_files_check(files, reterr);

    if (status == AFF_OK && import->connection != NULL)
        status = identify_job(import, reterr);
    if (status == AFF_OK && import->connection != NULL)
        status = open_store(import, reterr);
    if (status != AFF_OK)
        return status;
    char what[32];
    (void)snprintf(what, sizeof what, "reading %s", aff_import_word(options->what));
    aff_progress_start(import->progress, what, "rows", 0, options->settings.quiet);
    if (options->what == AFF_IMPORT_SESSIONS)
        status = aff_import_sessions(import, reterr);
    else
        status = options->what == AFF_IMPORT_ORDERS ? aff_import_orders(import, reterr)
                                                    : aff_import_catalogue(import, reterr);
    if (status == AFF_OK)
        status = aff_rejects_close(files->rejects, reterr);
    if (status == AFF_OK && files->columns.unknown[0] != '\0' && !options->settings.quiet)
        (void)fprintf(stderr, "columns without a meaning here, ignored: %s\n", files->columns.unknown);
    if (status == AFF_OK)
        print_end(import, started_us);
    return status;
}

int aff_command_import(int argc, char **argv)
{
    struct aff_import_options options;
    struct aff_connection connection = {0};
    struct aff_progress progress;
    struct aff_rejects rejects = {0};
    struct aff_error error;
    int answer = aff_import_options_read(argc, argv, &options);

    if (answer >= 0)
        return answer;
    rejects.path = options.rejects;
    rejects.most = options.max_rejects;
    struct aff_files files = {.what = options.what,
                              .rules = &options.rules,
                              .paths = options.files,
                              .n_paths = options.n_files,
                              .rejects = &rejects,
                              .progress = &progress};
    struct aff_import import = {.options = &options, .files = &files, .progress = &progress};
    (void)snprintf(import.currency, sizeof import.currency, "%s",
                   options.rules.currency[0] == '\0' ? NEW_STORE_CURRENCY : options.rules.currency);
    aff_status status = aff_settings_load(&options.settings, &error);
    if (status == AFF_OK && !options.dry_run) {
        status = aff_settings_connect(&options.settings, &connection, &error);
        import.connection = &connection;
    }
    if (status == AFF_OK)
        status = run(&import, &error);
    answer = AFF_EXIT_OK;
    if (status != AFF_OK)
        answer = aff_settings_fail(argv[0], &error);
    else if (rejects.total > 0)
        answer = AFF_EXIT_PARTIAL;
    aff_files_close(&files);
    (void)!aff_rejects_close(&rejects, NULL);
    aff_connection_close(&connection);
    return answer;
}
