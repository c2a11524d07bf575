/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app.h"
#include "server/options.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_START = 1, EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static int fail(int status, const struct aff_error *error)
{
    (void)fprintf(stderr, "affinityd: %s\n", error->text);
    return status;
}

static void print_key(void *context, const char *key, const char *value, const char *fallback,
                      const char *help)
{
    (void)context;
    (void)fallback;
    (void)help;
    (void)printf("%s = %s\n", key, value);
}

static int run(struct aff_options *options, const struct aff_config *config)
{
    struct aff_app_plan plan = {
        .config = config,
        .reload = aff_options_load,
        .reload_context = options,
        .log_file = STDERR_FILENO,
    };
    struct aff_app *app;
    struct aff_error error;

    if (aff_app_start(&plan, &app, &error) != AFF_OK)
        return fail(EXIT_START, &error);
    aff_app_run(app);
    aff_app_free(app);
    return 0;
}

/* Large blocks go back to the system when they are freed. By itself glibc keeps blocks as large as any that
 * was freed before, up to 32 MiB, and what the service holds then depends on the order in which they were. */
static void keep_memory_low(void)
{
    enum { LARGE_BYTES = 128 << 10 };

    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

int main(int argc, char **argv)
{
    struct aff_options options;
    struct aff_config config;
    struct aff_error error;

    if (aff_options_parse(argc, argv, &options, &error) != AFF_OK)
        return fail(EXIT_USAGE, &error);
    if (options.action == AFF_OPTIONS_HELP)
        return fputs(aff_options_help, stdout) < 0;
    if (options.action == AFF_OPTIONS_VERSION)
        return puts("affinityd " AFF_VERSION) < 0;
    if (aff_options_load(&options, &config, &error) != AFF_OK)
        return fail(EXIT_CONFIG, &error);
    if (options.action == AFF_OPTIONS_CHECK)
        return puts("the configuration is right") < 0;
    if (options.action == AFF_OPTIONS_PRINT) {
        aff_config_visit(&config, print_key, NULL);
        return 0;
    }
    keep_memory_low();
    return run(&options, &config);
}
