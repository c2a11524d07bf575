/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: affinityctl config show|check|example|docs [OPTION...]\n"
    "\n"
    "show      print the configuration that holds, as a file; secrets are left out\n"
    "check     check file, environment and flags; exit status 78 says that something is wrong\n"
    "example   print a file with every key, its meaning and its default\n"
    "docs      print the page about all keys (docs/configuration.md)\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl config check --config /etc/affinityd.conf\n"
    "  affinityctl config example >affinityd.conf\n";

/* The section that the last shown key was in. */
struct section {
    char name[64];
};

static void show_key(void *context, const char *key, const char *value, const char *fallback,
                     const char *text)
{
    struct section *section = context;
    size_t size = strcspn(key, ".");

    (void)fallback;
    (void)text;
    if (strlen(section->name) != size || strncmp(section->name, key, size) != 0) {
        (void)printf("%s[%.*s]\n", section->name[0] == '\0' ? "" : "\n", (int)size, key);
        (void)snprintf(section->name, sizeof section->name, "%.*s", (int)size, key);
    }
    /* A value that was left out must not be taken for one when the output is used as a file. */
    if (strcmp(value, "<redacted>") == 0)
        (void)printf("; %s = %s\n", key + size + 1, value);
    else
        (void)printf("%s =%s%s\n", key + size + 1, value[0] == '\0' ? "" : " ", value);
}

static int show(struct aff_settings *settings, bool only_check)
{
    struct section section = {""};
    struct aff_error error = {0};

    if (aff_settings_load(settings, &error) != AFF_OK)
        return aff_settings_fail("config", &error);
    if (only_check)
        (void)printf("the configuration is valid\n");
    else
        aff_config_visit(&settings->config, show_key, &section);
    return AFF_EXIT_OK;
}

static int print_text(aff_status (*make)(char **ret_text))
{
    char *text = NULL;

    if (make(&text) != AFF_OK) {
        struct aff_error error = {0};
        (void)aff_error_set(&error, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        return aff_settings_fail("config", &error);
    }
    (void)fputs(text, stdout);
    free(text);
    return AFF_EXIT_OK;
}

int aff_command_config(int argc, char **argv)
{
    static const struct option options[] = {AFF_COMMON_OPTIONS, {NULL, 0, NULL, 0}};
    struct aff_settings settings = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!aff_settings_take(&settings, option, optarg))
            return AFF_EXIT_USAGE;
    if (settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    const char *action = optind == argc - 1 ? argv[optind] : "";
    if (strcmp(action, "show") == 0 || strcmp(action, "check") == 0)
        return show(&settings, action[0] == 'c');
    if (strcmp(action, "example") == 0)
        return print_text(aff_config_example);
    if (strcmp(action, "docs") == 0)
        return print_text(aff_config_page);
    (void)fputs(
        "affinityctl config: say one of show, check, example, docs; see 'affinityctl config --help'\n",
        stderr);
    return AFF_EXIT_USAGE;
}
