/* SPDX-License-Identifier: Apache-2.0 */
/* The texts about all keys that people read: the example file and the page of the documentation. */
#include "config/config.h"
#include "config/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t section_size(const struct aff_config_key *key)
{
    return strcspn(key->name, ".");
}

static bool begins_section(const struct aff_config_key *key)
{
    size_t size = section_size(key);

    return key == aff_config_keys || section_size(key - 1) != size ||
           strncmp(key->name, (key - 1)->name, size) != 0;
}

static void write_kind(FILE *to, const struct aff_config_key *key)
{
    switch (key->kind) {
    case AFF_CONFIG_KIND_TEXT:
        (void)fputs("text", to);
        break;
    case AFF_CONFIG_KIND_WHOLE:
        (void)fprintf(to, "whole number, %s to %s", key->least, key->most);
        break;
    case AFF_CONFIG_KIND_REAL:
        (void)fprintf(to, "number, %s to %s", key->least, key->most);
        break;
    case AFF_CONFIG_KIND_FLAG:
        (void)fputs("true or false", to);
        break;
    }
}

static void write_example(FILE *to)
{
    (void)fputs(
        "# Configuration of affinityd and affinityctl. Every key is shown with its default, commented out.\n"
        "# Environment variables win over this file, flags win over both. Check a file with\n"
        "#   affinityctl config check --config FILE\n"
        "# A line that begins with '#' or ';' is a comment, and so is what follows ' ;' in a line.\n"
        "# Made by 'affinityctl config example'.\n",
        to);
    for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++) {
        size_t size = section_size(key);
        if (begins_section(key))
            (void)fprintf(to, "\n[%.*s]\n", (int)size, key->name);
        else
            (void)fputc('\n', to);
        (void)fprintf(to, "# %s\n# (", key->help);
        write_kind(to, key);
        (void)fprintf(to, ")\n#%s =%s%s\n", key->name + size + 1, key->fallback[0] == '\0' ? "" : " ",
                      key->fallback);
    }
}

/* A cell of a Markdown table: '|' would end it. */
static void write_cell(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            (void)fputc('\\', to);
        (void)fputc(*text, to);
    }
}

static void write_page(FILE *to)
{
    (void)fputs(
        "<!-- Made by 'affinityctl config docs' from config/config_keys.def; change it there. -->\n"
        "# Configuration\n\n"
        "Both programs read the same keys, from these sources; the later one wins:\n\n"
        "1. the defaults below,\n"
        "2. the file named by `--config FILE`, else by `$AFFINITY_CONFIG` (INI; "
        "`config/affinityd.conf.example`\n"
        "   shows every key),\n"
        "3. the environment: `database.url` is `AFFINITY_DATABASE_URL`,\n"
        "4. flags: `--set database.url=...`.\n\n"
        "An unknown key, a value of the wrong type or out of bounds stops the program with exit status 78\n"
        "before anything has been done; the message names file and line and the nearest known key.\n"
        "`affinityctl config check` and `affinityd --check-config` only check, `affinityctl config show` "
        "and\n"
        "`affinityd --print-config` print what holds, without secrets. `SIGHUP` makes `affinityd` read its\n"
        "configuration again; if the new one is wrong, the old one stays.\n",
        to);
    for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++) {
        char environment[AFF_CONFIG_ENVIRONMENT_NAME];
        aff_config_key_environment(key, environment);
        if (begins_section(key))
            (void)fprintf(to,
                          "\n## [%.*s]\n\n| key | environment | type | default | meaning |\n"
                          "|---|---|---|---|---|\n",
                          (int)section_size(key), key->name);
        (void)fprintf(to, "| `%s` | `%s` | ", key->name, environment);
        write_kind(to, key);
        (void)fprintf(to, "%s | ", key->secret ? ", secret" : "");
        (void)fprintf(to, key->fallback[0] == '\0' ? "empty" : "`%s`", key->fallback);
        (void)fputs(" | ", to);
        write_cell(to, key->help);
        (void)fputs(" |\n", to);
    }
}

static aff_status text_of(void (*write)(FILE *to), char **ret_text)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        return AFF_NOMEM;
    write(to);
    bool failed = ferror(to) != 0;
    if (fclose(to) != 0 || failed) {
        free(text);
        return AFF_NOMEM;
    }
    *ret_text = text;
    return AFF_OK;
}

aff_status aff_config_example(char **ret_text)
{
    return text_of(write_example, ret_text);
}

aff_status aff_config_page(char **ret_text)
{
    return text_of(write_page, ret_text);
}
