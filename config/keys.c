/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys.h"

#include <ctype.h>
#include <string.h>

const struct aff_config_key aff_config_keys[] = {
#define TEXT(field, key, fallback_, secret_, help_)                                                          \
    {.name = (key),                                                                                          \
     .fallback = (fallback_),                                                                                \
     .help = (help_),                                                                                        \
     .offset = offsetof(struct aff_config, field),                                                           \
     .kind = AFF_CONFIG_KIND_TEXT,                                                                           \
     .secret = (secret_)},
#define WHOLE(field, key, fallback_, min, max, help_)                                                        \
    {.name = (key),                                                                                          \
     .fallback = #fallback_,                                                                                 \
     .help = (help_),                                                                                        \
     .least = #min,                                                                                          \
     .most = #max,                                                                                           \
     .offset = offsetof(struct aff_config, field),                                                           \
     .whole_least = (min),                                                                                   \
     .whole_most = (max),                                                                                    \
     .kind = AFF_CONFIG_KIND_WHOLE},
#define REAL(field, key, fallback_, min, max, help_)                                                         \
    {.name = (key),                                                                                          \
     .fallback = #fallback_,                                                                                 \
     .help = (help_),                                                                                        \
     .least = #min,                                                                                          \
     .most = #max,                                                                                           \
     .offset = offsetof(struct aff_config, field),                                                           \
     .real_least = (min),                                                                                    \
     .real_most = (max),                                                                                     \
     .kind = AFF_CONFIG_KIND_REAL},
#define FLAG(field, key, fallback_, help_)                                                                   \
    {.name = (key),                                                                                          \
     .fallback = #fallback_,                                                                                 \
     .help = (help_),                                                                                        \
     .offset = offsetof(struct aff_config, field),                                                           \
     .kind = AFF_CONFIG_KIND_FLAG},
#include "config/config_keys.def"
#undef TEXT
#undef WHOLE
#undef REAL
#undef FLAG
    {.name = NULL},
};

const struct aff_config_key *aff_config_key_find(const char *name)
{
    for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

void aff_config_key_environment(const struct aff_config_key *key, char ret_name[AFF_CONFIG_ENVIRONMENT_NAME])
{
    static const char prefix[] = "AFFINITY_";
    size_t size = sizeof prefix - 1;

    memcpy(ret_name, prefix, size);
    for (const char *at = key->name; *at != '\0' && size < AFF_CONFIG_ENVIRONMENT_NAME - 1; at++)
        ret_name[size++] = (char)(*at == '.' ? '_' : toupper((unsigned char)*at));
    ret_name[size] = '\0';
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Edits that turn `a` into `b` (Wagner and Fischer, J. ACM 1974, two rows). Names longer than any key are
 * cut: they are far from every key anyway. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = AFF_CONFIG_ENVIRONMENT_NAME };
    size_t row[LONGEST + 1];
    size_t a_size = strnlen(a, LONGEST), b_size = strnlen(b, LONGEST);

    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j];
            row[j] = least_of(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
            diagonal = above;
        }
    }
    return row[b_size];
}

const struct aff_config_key *aff_config_key_nearest(const char *name, bool environment)
{
    const struct aff_config_key *nearest = NULL;
    size_t best = SIZE_MAX;

    for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++) {
        char spelled[AFF_CONFIG_ENVIRONMENT_NAME];
        if (environment)
            aff_config_key_environment(key, spelled);
        size_t edits = distance(name, environment ? spelled : key->name);
        if (edits < best && edits <= strlen(key->name) / 3) {
            best = edits;
            nearest = key;
        }
    }
    return nearest;
}
