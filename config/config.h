/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of all programs: one struct of plain values, made from config_keys.def. Sources in rising
 * order of precedence: defaults, file, environment, flags. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define AFF_CONFIG_TEXT 1024

struct aff_config {
#define TEXT(field, key, fallback, secret, help) char field[AFF_CONFIG_TEXT];
#define WHOLE(field, key, fallback, min, max, help) int64_t field;
#define REAL(field, key, fallback, min, max, help) double field;
#define FLAG(field, key, fallback, help) bool field;
#include "config/config_keys.def"
#undef TEXT
#undef WHOLE
#undef REAL
#undef FLAG
};

/* Sets every key to its default. */
void aff_config_init(struct aff_config *config);

/* Sets one key from text, checking type and bounds. An unknown key names the nearest known one in the error.
 * `where` says in the error where the value stands ("file.conf:12", "environment", "command line"). */
AFF_MUST_CHECK aff_status aff_config_set(struct aff_config *config, const char *key, const char *value,
                                         const char *where, struct aff_error *reterr);

/* Reads an INI file. On an error nothing of `config` has changed. */
AFF_MUST_CHECK aff_status aff_config_read_file(struct aff_config *config, const char *path,
                                               struct aff_error *reterr);

/* The same from text in memory; `name` stands for the path in errors. */
AFF_MUST_CHECK aff_status aff_config_read_text(struct aff_config *config, struct aff_text text,
                                               const char *name, struct aff_error *reterr);

/* Takes the keys that are in the environment; an unknown name that begins with AFFINITY_ is an error, except
 * AFFINITY_CONFIG, AFFINITY_DATA and AFFINITY_URL (where scripts find the service). DATABASE_URL is not read.
 * On an error nothing has changed. */
AFF_MUST_CHECK aff_status aff_config_read_environment(struct aff_config *config, struct aff_error *reterr);

/* Checks what concerns several keys at once or needs a list of words (log.level, learn.method, learn.floors).
 */
AFF_MUST_CHECK aff_status aff_config_check(const struct aff_config *config, struct aff_error *reterr);

/* Calls `visit` for each key in the order of the list with its value as text (secrets as "<redacted>" when
 * set). */
void aff_config_visit(const struct aff_config *config,
                      void (*visit)(void *context, const char *key, const char *value, const char *fallback,
                                    const char *help),
                      void *context);

/* The whole example file (every key, commented out, with its help and default) and the page
 * docs/configuration.md, made from the list of keys. *ret_text is NUL-terminated; the caller frees it. */
AFF_MUST_CHECK aff_status aff_config_example(char **ret_text);
AFF_MUST_CHECK aff_status aff_config_page(char **ret_text);
