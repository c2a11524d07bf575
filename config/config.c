/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "config/keys.h"
#include "core/base/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest piece of a wrong value or key that is repeated in an error. */
#define SHOWN 80

/* Refuses `value`; a secret is never repeated, since errors end in logs. */
static aff_status refuse(const struct aff_config_key *key, const char *value, const char *where,
                         const char *wanted, struct aff_error *reterr)
{
    if (key->secret)
        return aff_error_set(reterr, AFF_CONFIG, "%s: %s must be %s", where, key->name, wanted);
    return aff_error_set(reterr, AFF_CONFIG, "%s: %s must be %s, not '%.*s'", where, key->name, wanted, SHOWN,
                         value);
}

static aff_status set_text(char *field, const struct aff_config_key *key, const char *value,
                           const char *where, struct aff_error *reterr)
{
    struct aff_text text = aff_text_of(value);

    if (text.size >= AFF_CONFIG_TEXT)
        return aff_error_set(reterr, AFF_CONFIG, "%s: %s is %zu bytes long, at most %d are possible", where,
                             key->name, text.size, AFF_CONFIG_TEXT - 1);
    if (!aff_text_is_utf8(text))
        return aff_error_set(reterr, AFF_CONFIG, "%s: %s is not UTF-8 text", where, key->name);
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7F)
            return aff_error_set(reterr, AFF_CONFIG, "%s: %s contains a control character", where, key->name);
    memcpy(field, value, text.size + 1);
    return AFF_OK;
}

static aff_status set_whole(int64_t *field, const struct aff_config_key *key, const char *value,
                            const char *where, struct aff_error *reterr)
{
    char wanted[96];
    char *end = NULL;

    (void)snprintf(wanted, sizeof wanted, "a whole number from %s to %s", key->least, key->most);
    if (value[0] == '\0' || strspn(value, "+-0123456789") != strlen(value))
        return refuse(key, value, where, wanted, reterr);
    errno = 0;
    intmax_t number = strtoimax(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < key->whole_least || number > key->whole_most)
        return refuse(key, value, where, wanted, reterr);
    *field = number;
    return AFF_OK;
}

/* strtod() with a decimal point whatever the locale of the process; NaN if `value` is no decimal number. */
static double number_of(const char *value)
{
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    double number = NAN;

    if (plain == (locale_t)0)
        return NAN;
    if (value[0] != '\0' && strspn(value, "+-.0123456789eE") == strlen(value)) {
        locale_t before = uselocale(plain);
        char *end = NULL;
        number = strtod(value, &end);
        if (end == value || *end != '\0')
            number = NAN;
        (void)uselocale(before);
    }
    freelocale(plain);
    return number;
}

static aff_status set_real(double *field, const struct aff_config_key *key, const char *value,
                           const char *where, struct aff_error *reterr)
{
    double number = number_of(value);
    char wanted[96];

    (void)snprintf(wanted, sizeof wanted, "a number from %s to %s", key->least, key->most);
    if (!(number >= key->real_least && number <= key->real_most))
        return refuse(key, value, where, wanted, reterr);
    *field = number;
    return AFF_OK;
}

static aff_status set_flag(bool *field, const struct aff_config_key *key, const char *value,
                           const char *where, struct aff_error *reterr)
{
    bool yes = strcmp(value, "true") == 0;

    if (!yes && strcmp(value, "false") != 0)
        return refuse(key, value, where, "true or false", reterr);
    *field = yes;
    return AFF_OK;
}

aff_status aff_config_set(struct aff_config *config, const char *name, const char *value, const char *where,
                          struct aff_error *reterr)
{
    const struct aff_config_key *key = aff_config_key_find(name);

    if (key == NULL) {
        const struct aff_config_key *nearest = aff_config_key_nearest(name, false);
        if (nearest == NULL)
            return aff_error_set(reterr, AFF_CONFIG,
                                 "%s: there is no key '%.*s'; 'affinityctl config docs' lists all keys",
                                 where, SHOWN, name);
        return aff_error_set(reterr, AFF_CONFIG, "%s: there is no key '%.*s'; did you mean '%s'?", where,
                             SHOWN, name, nearest->name);
    }
    void *field = (char *)config + key->offset;
    switch (key->kind) {
    case AFF_CONFIG_KIND_TEXT:
        return set_text(field, key, value, where, reterr);
    case AFF_CONFIG_KIND_WHOLE:
        return set_whole(field, key, value, where, reterr);
    case AFF_CONFIG_KIND_REAL:
        return set_real(field, key, value, where, reterr);
    case AFF_CONFIG_KIND_FLAG:
        return set_flag(field, key, value, where, reterr);
    }
    return aff_error_set(reterr, AFF_CONFIG, "%s: %s has no type", where, name);
}

void aff_config_init(struct aff_config *config)
{
    *config = (struct aff_config){.http_port = 0};
    for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++) {
        aff_status status = aff_config_set(config, key->name, key->fallback, "default", NULL);
        assert(status == AFF_OK); /* The list itself would be wrong. */
    }
}

static aff_status check_word(const char *key, const char *value, const char *const words[],
                             struct aff_error *reterr)
{
    char list[160] = "";

    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], value) == 0)
            return AFF_OK;
        size_t size = strlen(list);
        (void)snprintf(list + size, sizeof list - size, "%s%s",
                       i == 0                 ? ""
                       : words[i + 1] == NULL ? " or "
                                              : ", ",
                       words[i]);
    }
    return aff_error_set(reterr, AFF_CONFIG, "%s must be %s, not '%.*s'", key, list, SHOWN, value);
}

aff_status aff_config_check(const struct aff_config *config, struct aff_error *reterr)
{
    static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
    static const char *const methods[] = {"ridge", "cosine", "confidence", "lift", "jaccard", "llr", NULL};
    static const char *const floors[] = {"interval", "classic", "none", NULL};
    static const char *const changes[] = {"poll", "trigger", NULL};
    aff_status status = check_word("log.level", config->log_level, levels, reterr);

    if (status == AFF_OK)
        status = check_word("learn.method", config->learn_method, methods, reterr);
    if (status == AFF_OK)
        status = check_word("learn.floors", config->learn_floors, floors, reterr);
    if (status == AFF_OK)
        status = check_word("source.changes", config->source_changes, changes, reterr);
    if (status != AFF_OK)
        return status;
    if (!aff_text_is_id(aff_text_of(config->store_name)))
        return aff_error_set(reterr, AFF_CONFIG, "store.name must be 1 to %d bytes long", AFF_ID_MAX);
    if (config->http_address[0] == '\0')
        return aff_error_set(reterr, AFF_CONFIG, "http.address is empty; 0.0.0.0 listens on all addresses");
    if (!(config->recommend_weight_affinity + config->recommend_weight_sequence +
              config->recommend_weight_personal + config->recommend_weight_popularity >
          0))
        return aff_error_set(reterr, AFF_CONFIG, "at least one recommend.weight_* must be above 0");
    return AFF_OK;
}

void aff_config_visit(const struct aff_config *config,
                      void (*visit)(void *context, const char *key, const char *value, const char *fallback,
                                    const char *help),
                      void *context)
{
    for (const struct aff_config_key *key = aff_config_keys; key->name != NULL; key++) {
        const void *field = (const char *)config + key->offset;
        char number[40];
        const char *value = number;
        switch (key->kind) {
        case AFF_CONFIG_KIND_TEXT:
            value = key->secret && *(const char *)field != '\0' ? "<redacted>" : field;
            break;
        case AFF_CONFIG_KIND_WHOLE:
            (void)snprintf(number, sizeof number, "%" PRId64, *(const int64_t *)field);
            break;
        case AFF_CONFIG_KIND_REAL:
            (void)snprintf(number, sizeof number, "%.10g", *(const double *)field);
            break;
        case AFF_CONFIG_KIND_FLAG:
            value = *(const bool *)field ? "true" : "false";
            break;
        }
        visit(context, key->name, value, key->fallback, key->help);
    }
}
