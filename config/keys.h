/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keys made from config_keys.def: private to this library. */
#pragma once

#include "config/config.h"

#include <stddef.h>

enum aff_config_kind {
    AFF_CONFIG_KIND_TEXT,
    AFF_CONFIG_KIND_WHOLE,
    AFF_CONFIG_KIND_REAL,
    AFF_CONFIG_KIND_FLAG,
};

struct aff_config_key {
    const char *name;         /* "section.key" */
    const char *fallback;     /* the default as a person writes it */
    const char *help;         /* one line without a full stop */
    const char *least, *most; /* bounds as they stand in the list; NULL for text and flags */
    size_t offset;            /* of the field in struct aff_config */
    int64_t whole_least, whole_most;
    double real_least, real_most;
    enum aff_config_kind kind;
    bool secret;
};

/* The number of keys: AFF_CONFIG_ROW_field is the index of each. */
enum {
#define TEXT(field, key, fallback, secret, help) AFF_CONFIG_ROW_##field,
#define WHOLE(field, key, fallback, min, max, help) AFF_CONFIG_ROW_##field,
#define REAL(field, key, fallback, min, max, help) AFF_CONFIG_ROW_##field,
#define FLAG(field, key, fallback, help) AFF_CONFIG_ROW_##field,
#include "config/config_keys.def"
#undef TEXT
#undef WHOLE
#undef REAL
#undef FLAG
    AFF_CONFIG_KEYS,
};

/* AFF_CONFIG_KEYS rows and one whose name is NULL. */
extern const struct aff_config_key aff_config_keys[];

/* The row of `name`, or NULL. */
const struct aff_config_key *aff_config_key_find(const char *name);

/* Bytes of the longest environment name and its NUL. */
#define AFF_CONFIG_ENVIRONMENT_NAME 96

/* "AFFINITY_" and the key in capitals, '_' for the point. */
void aff_config_key_environment(const struct aff_config_key *key, char ret_name[AFF_CONFIG_ENVIRONMENT_NAME]);

/* The known key, or the environment name of one, that is nearest to `name` by Levenshtein distance; NULL if
 * none is near enough to be what was meant (more than a third of its characters differ). */
const struct aff_config_key *aff_config_key_nearest(const char *name, bool environment);
