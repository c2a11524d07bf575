/* SPDX-License-Identifier: Apache-2.0 */
#include "server/options.h"

#include <stdlib.h>
#include <string.h>

const char aff_options_help[] =
    "affinityd answers what to offer a customer next, over HTTP.\n"
    "\n"
    "usage: affinityd [OPTION]...\n"
    "\n"
    "  --config FILE     configuration file (default: $AFFINITY_CONFIG, else none)\n"
    "  --KEY=VALUE       set a configuration key, for example --http.port=8080\n"
    "  --set KEY=VALUE   the same\n"
    "  --check-config    say whether the configuration is right, and end\n"
    "  --print-config    print the configuration in force, secrets redacted, and end\n"
    "  --help            show this help\n"
    "  --version         show the version\n"
    "\n"
    "Later sources win: defaults, file, environment (AFFINITY_HTTP_PORT=8080), flags.\n"
    "\n"
    "signals: TERM and INT answer open requests and end (a second one ends at once);\n"
    "         HUP reads the configuration again and keeps the old one if the new one is wrong\n"
    "\n"
    "examples:\n"
    "  affinityd --config /etc/affinityd.conf\n"
    "  AFFINITY_DATABASE_URL=postgresql:///shop affinityd --http.port=8080 --log.level=debug\n"
    "  affinityd --config new.conf --check-config && kill -HUP $(pidof affinityd)\n"
    "\n"
    "exit status: 0 stopped or configuration right, 1 could not start, 2 wrong arguments,\n"
    "             78 configuration wrong\n";

/* Remembers one "KEY=VALUE". */
static aff_status take_set(struct aff_options *options, const char *text, struct aff_error *reterr)
{
    if (strchr(text, '=') == NULL)
        return aff_error_set(reterr, AFF_INVALID, "'%s' is no KEY=VALUE; see affinityd --help", text);
    if (options->n_sets == AFF_OPTIONS_SETS)
        return aff_error_set(reterr, AFF_INVALID, "more than %d keys are set; use a file", AFF_OPTIONS_SETS);
    options->sets[options->n_sets++] = text;
    return AFF_OK;
}

static aff_status take(int argc, char **argv, int *at, struct aff_options *options, struct aff_error *reterr)
{
    static const struct {
        const char *name;
        enum aff_options_action action;
    } actions[] = {
        {"--check-config", AFF_OPTIONS_CHECK},
        {"--print-config", AFF_OPTIONS_PRINT},
        {"--help", AFF_OPTIONS_HELP},
        {"--version", AFF_OPTIONS_VERSION},
    };
    const char *argument = argv[*at];

    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(argument, actions[i].name) == 0) {
            options->action = actions[i].action;
            return AFF_OK;
        }
    }
    bool is_config = strcmp(argument, "--config") == 0, is_set = strcmp(argument, "--set") == 0;
    if ((is_config || is_set) && *at + 1 == argc)
        return aff_error_set(reterr, AFF_INVALID, "%s needs a value", argument);
    if (is_config) {
        options->config_file = argv[++*at];
        return AFF_OK;
    }
    if (strncmp(argument, "--config=", 9) == 0) {
        options->config_file = argument + 9;
        return AFF_OK;
    }
    if (is_set)
        return take_set(options, argv[++*at], reterr);
    if (strncmp(argument, "--", 2) != 0 || strchr(argument, '=') == NULL)
        return aff_error_set(reterr, AFF_INVALID, "'%s' is no option; see affinityd --help", argument);
    return take_set(options, argument + 2, reterr);
}

aff_status aff_options_parse(int argc, char **argv, struct aff_options *ret, struct aff_error *reterr)
{
    struct aff_options options = {.config_file = getenv("AFFINITY_CONFIG")};

    for (int i = 1; i < argc; i++) {
        aff_status status = take(argc, argv, &i, &options, reterr);
        if (status != AFF_OK)
            return status;
    }
    if (options.config_file != NULL && options.config_file[0] == '\0')
        options.config_file = NULL;
    *ret = options;
    return AFF_OK;
}

static aff_status set(struct aff_config *config, const char *text, struct aff_error *reterr)
{
    const char *equals = strchr(text, '=');
    char key[128];
    size_t size = (size_t)(equals - text);

    if (size >= sizeof key)
        return aff_error_set(reterr, AFF_CONFIG, "command line: '%.60s...' is no configuration key", text);
    memcpy(key, text, size);
    key[size] = '\0';
    return aff_config_set(config, key, equals + 1, "command line", reterr);
}

aff_status aff_options_load(void *context, struct aff_config *ret_config, struct aff_error *reterr)
{
    const struct aff_options *options = context;
    aff_status status = AFF_OK;

    aff_config_init(ret_config);
    if (options->config_file != NULL)
        status = aff_config_read_file(ret_config, options->config_file, reterr);
    if (status == AFF_OK)
        status = aff_config_read_environment(ret_config, reterr);
    for (int i = 0; status == AFF_OK && i < options->n_sets; i++)
        status = set(ret_config, options->sets[i], reterr);
    if (status == AFF_OK)
        status = aff_config_check(ret_config, reterr);
    return status;
}
