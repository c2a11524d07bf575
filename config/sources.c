/* SPDX-License-Identifier: Apache-2.0 */
/* Where values come from besides flags: the INI file and the environment. */
#include "config/config.h"
#include "config/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any sensible file; a mistyped path to something huge is refused instead of read. */
#define FILE_BYTES_MAX 262144

/* libinih reads into a buffer of INI_MAX_LINE bytes and silently breaks longer lines in two. */
#define LINE_BYTES_MAX (INI_MAX_LINE - 2)

struct reading {
    struct aff_config *config; /* the copy that is filled */
    const char *name;          /* of the file, for errors */
    const char *at, *end;      /* what is not yet read of the text */
    int line;                  /* the one that libinih works on, from 1 */
    aff_status status;
    struct aff_error error; /* the first one */
    int error_line;
    int lines_of_keys[AFF_CONFIG_KEYS]; /* by index in aff_config_keys: where it was set, 0: not yet */
};

static aff_status fail(struct reading *reading, aff_status status)
{
    if (reading->status == AFF_OK && status != AFF_OK) {
        reading->status = status;
        reading->error_line = reading->line;
    }
    return status;
}

/* The reader of libinih (like fgets): one line without the blanks before it, since libinih takes an indented
 * line for more of the value above, which would swallow an indented key. */
static char *next_line(char *buffer, int size, void *context)
{
    struct reading *reading = context;

    if (reading->status != AFF_OK || reading->at == reading->end)
        return NULL;
    const char *newline = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
    const char *stop = newline == NULL ? reading->end : newline;
    const char *start = reading->at;
    while (start < stop && (*start == ' ' || *start == '\t'))
        start++;
    size_t length = (size_t)(stop - start);
    reading->line++;
    reading->at = newline == NULL ? stop : newline + 1;
    if (length > LINE_BYTES_MAX || length + 2 > (size_t)size) {
        (void)fail(reading, aff_error_set(&reading->error, AFF_CONFIG,
                                          "%s:%d: the line is longer than %d bytes; give a long value by "
                                          "environment variable",
                                          reading->name, reading->line, LINE_BYTES_MAX));
        return NULL;
    }
    memcpy(buffer, start, length);
    buffer[length] = '\n';
    buffer[length + 1] = '\0';
    return buffer;
}

/* The handler of libinih: one "name = value" below [section]; returns 0 to mark the line as wrong. */
static int take_value(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    char key_name[2 * INI_MAX_LINE];
    char where[320];

    if (reading->status != AFF_OK)
        return 0;
    (void)snprintf(key_name, sizeof key_name, "%s%s%s", section, section[0] == '\0' ? "" : ".", name);
    (void)snprintf(where, sizeof where, "%.300s:%d", reading->name, reading->line);
    if (fail(reading, aff_config_set(reading->config, key_name, value, where, &reading->error)) != AFF_OK)
        return 0;
    int *line = &reading->lines_of_keys[aff_config_key_find(key_name) - aff_config_keys];
    if (*line != 0) {
        (void)fail(reading, aff_error_set(&reading->error, AFF_CONFIG, "%s: %s was set in line %d already",
                                          where, key_name, *line));
        return 0;
    }
    *line = reading->line;
    return 1;
}

aff_status aff_config_read_text(struct aff_config *config, struct aff_text text, const char *name,
                                struct aff_error *reterr)
{
    struct aff_config copy = *config;
    struct reading reading = {.config = &copy, .name = name, .at = text.at, .end = text.at + text.size};

    if (text.size == 0)
        return AFF_OK;
    if (memchr(text.at, '\0', text.size) != NULL)
        return aff_error_set(reterr, AFF_CONFIG, "%s: this is no text file (it holds a NUL byte)", name);
    int wrong_line = ini_parse_stream(next_line, &reading, take_value, &reading);
    /* libinih goes on behind a malformed line, so what is wrong further down may only follow from it. */
    if (wrong_line > 0 && (reading.status == AFF_OK || wrong_line < reading.error_line))
        (void)fail(&reading, aff_error_set(&reading.error, AFF_CONFIG,
                                           "%s:%d: expected '[section]', 'key = value' or a comment", name,
                                           wrong_line));
    if (reading.status != AFF_OK) {
        if (reterr != NULL)
            *reterr = reading.error;
        return reading.status;
    }
    *config = copy;
    return AFF_OK;
}

/* Reads the whole file into *ret_text, which the caller frees. */
static aff_status slurp(const char *path, char **ret_text, size_t *ret_size, struct aff_error *reterr)
{
    aff_status status = AFF_CONFIG;
    struct stat about;
    char *text = NULL;
    size_t size = 0;
    ssize_t got = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0 || fstat(file, &about) != 0) {
        (void)aff_error_set(reterr, status, "%s: cannot be read: %s", path, strerror(errno));
        goto out;
    }
    if (S_ISDIR(about.st_mode)) {
        (void)aff_error_set(reterr, status, "%s: is a folder, not a configuration file", path);
        goto out;
    }
    text = malloc(FILE_BYTES_MAX + 1);
    if (text == NULL) {
        status = aff_error_set(reterr, AFF_NOMEM, "%s: not enough memory to read it", path);
        goto out;
    }
    do {
        got = read(file, text + size, FILE_BYTES_MAX + 1 - size);
        if (got > 0)
            size += (size_t)got;
    } while ((got > 0 && size <= FILE_BYTES_MAX) || (got < 0 && errno == EINTR));
    if (got < 0) {
        (void)aff_error_set(reterr, status, "%s: cannot be read: %s", path, strerror(errno));
        goto out;
    }
    if (size > FILE_BYTES_MAX) {
        (void)aff_error_set(reterr, status, "%s: is longer than %d bytes", path, FILE_BYTES_MAX);
        goto out;
    }
    *ret_text = text;
    *ret_size = size;
    text = NULL;
    status = AFF_OK;
out:
    free(text);
    if (file >= 0)
        (void)close(file);
    return status;
}

aff_status aff_config_read_file(struct aff_config *config, const char *path, struct aff_error *reterr)
{
    char *text = NULL;
    size_t size = 0;
    aff_status status = slurp(path, &text, &size, reterr);

    if (status == AFF_OK)
        status = aff_config_read_text(config, (struct aff_text){text, size}, path, reterr);
    free(text);
    return status;
}

/* Takes one "NAME=value" of the environment. */
static aff_status take_variable(struct aff_config *config, const char *variable, struct aff_error *reterr)
{
    size_t size = strcspn(variable, "=");
    char name[AFF_CONFIG_ENVIRONMENT_NAME];

    if (size < sizeof name) {
        memcpy(name, variable, size);
        name[size] = '\0';
        if (strcmp(name, "AFFINITY_CONFIG") == 0 || strcmp(name, "AFFINITY_DATA") == 0 ||
            strcmp(name, "AFFINITY_URL") == 0)
            return AFF_OK;
        for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++) {
            char spelled[AFF_CONFIG_ENVIRONMENT_NAME];
            aff_config_key_environment(key, spelled);
            if (strcmp(name, spelled) == 0)
                return aff_config_set(config, key->name, variable + size + (variable[size] == '=' ? 1 : 0),
                                      "environment", reterr);
        }
        const struct aff_config_key *nearest = aff_config_key_nearest(name, true);
        if (nearest != NULL) {
            char spelled[AFF_CONFIG_ENVIRONMENT_NAME];
            aff_config_key_environment(nearest, spelled);
            return aff_error_set(reterr, AFF_CONFIG, "environment: %s means nothing here; did you mean %s?",
                                 name, spelled);
        }
    }
    return aff_error_set(
        reterr, AFF_CONFIG,
        "environment: %.*s means nothing here; names that begin with AFFINITY_ are ours, and "
        "'affinityctl config docs' lists them",
        (int)(size < 80 ? size : 80), variable);
}

aff_status aff_config_read_environment(struct aff_config *config, struct aff_error *reterr)
{
    struct aff_config copy = *config;

    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
        if (strncmp(*variable, "AFFINITY_", strlen("AFFINITY_")) != 0)
            continue;
        aff_status status = take_variable(&copy, *variable, reterr);
        if (status != AFF_OK)
            return status;
    }
    *config = copy;
    return AFF_OK;
}
