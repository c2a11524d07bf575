/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/rules.h"

#include "cli/import/columns.h"
#include "core/base/money.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

const char *aff_import_word(enum aff_import_what what)
{
    static const char *const words[] = {"orders", "products", "customers", "sessions"};

    return words[what];
}

static aff_status set_text(const char *value, char *into, size_t size, const char *key,
                           struct aff_error *reterr)
{
    if (strlen(value) >= size)
        return aff_error_set(reterr, AFF_CONFIG, "%s: longer than %zu bytes", key, size - 1);
    memcpy(into, value, strlen(value) + 1);
    return AFF_OK;
}

static aff_status set_currency(struct aff_rules *rules, const char *value, struct aff_error *reterr)
{
    if (!aff_currency_is_code(aff_text_of(value)))
        return aff_error_set(reterr, AFF_CONFIG,
                             "currency: '%s' is not a code of three capital letters such as EUR", value);
    memcpy(rules->currency, value, 4);
    return AFF_OK;
}

/* Words, because a ';' begins a comment in import.conf and a tab is hard to type. */
static aff_status set_separator(struct aff_rules *rules, const char *value, struct aff_error *reterr)
{
    static const struct {
        const char *word;
        char separator;
    } words[] = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i].word) == 0) {
            rules->separator = words[i].separator;
            return AFF_OK;
        }
    }
    if (strlen(value) != 1 || strchr("\"\r\n", value[0]) != NULL || (unsigned char)value[0] >= 0x80)
        return aff_error_set(reterr, AFF_CONFIG,
                             "separator: '%s' is neither one ASCII character nor comma, semicolon or tab",
                             value);
    rules->separator = value[0];
    return AFF_OK;
}

static aff_status set_pattern(struct aff_rules *rules, const char *value, struct aff_error *reterr)
{
    char reason[128];
    regex_t compiled;
    int failed = regcomp(&compiled, value, REG_EXTENDED | REG_NOSUB);

    if (failed != 0) {
        (void)regerror(failed, &compiled, reason, sizeof reason);
        return aff_error_set(reterr, AFF_CONFIG,
                             "product_pattern: '%s' is not a POSIX extended regular expression: %s", value,
                             reason);
    }
    regfree(&compiled);
    return set_text(value, rules->product_pattern, sizeof rules->product_pattern, "product_pattern", reterr);
}

/* A word out of two; *ret is 0 or 1. */
static aff_status set_choice(const char *key, const char *value, const char *zero, const char *one, int *ret,
                             struct aff_error *reterr)
{
    if (strcmp(value, zero) != 0 && strcmp(value, one) != 0)
        return aff_error_set(reterr, AFF_CONFIG, "%s: '%s' is neither '%s' nor '%s'", key, value, zero, one);
    *ret = strcmp(value, one) == 0;
    return AFF_OK;
}

static aff_status set_column(struct aff_rules *rules, enum aff_import_what what, const char *ours,
                             const char *theirs, struct aff_error *reterr)
{
    if (!aff_column_is_known(what, aff_text_of(ours)))
        return aff_error_set(reterr, AFF_CONFIG, "column.%s: %s have no column '%s'", ours,
                             aff_import_word(what), ours);
    int at = 0;
    while (at < rules->n_columns && strcmp(rules->columns[at].ours, ours) != 0)
        at++;
    if (at == AFF_RULE_COLUMNS || strlen(ours) >= sizeof rules->columns[at].ours)
        return aff_error_set(reterr, AFF_CONFIG, "column.%s: too many columns or too long a name", ours);
    aff_status status =
        set_text(theirs, rules->columns[at].theirs, sizeof rules->columns[at].theirs, "column", reterr);
    if (status != AFF_OK)
        return status;
    memcpy(rules->columns[at].ours, ours, strlen(ours) + 1);
    rules->n_columns += at == rules->n_columns;
    return AFF_OK;
}

aff_status aff_rules_set(struct aff_rules *rules, enum aff_import_what what, const char *key,
                         const char *value, struct aff_error *reterr)
{
    int choice = 0;
    aff_status status;

    if (strcmp(key, "currency") == 0)
        return set_currency(rules, value, reterr);
    if (strcmp(key, "separator") == 0)
        return set_separator(rules, value, reterr);
    if (strncmp(key, "column.", strlen("column.")) == 0)
        return set_column(rules, what, key + strlen("column."), value, reterr);
    if (strcmp(key, "prices") == 0 && what != AFF_IMPORT_CUSTOMERS && what != AFF_IMPORT_SESSIONS) {
        status = set_choice(key, value, "exact", "round", &choice, reterr);
        if (status == AFF_OK)
            rules->prices = choice == 1 ? AFF_PRICES_ROUND : AFF_PRICES_EXACT;
        return status;
    }
    if (what == AFF_IMPORT_ORDERS && strcmp(key, "cancellation_prefix") == 0)
        return set_text(value, rules->cancellation_prefix, sizeof rules->cancellation_prefix, key, reterr);
    if (what != AFF_IMPORT_CUSTOMERS && strcmp(key, "product_pattern") == 0)
        return set_pattern(rules, value, reterr);
    if (what == AFF_IMPORT_ORDERS && strcmp(key, "zero_price") == 0) {
        status = set_choice(key, value, "leave_out", "keep", &choice, reterr);
        if (status == AFF_OK)
            rules->keep_free = choice == 1;
        return status;
    }
    return aff_error_set(reterr, AFF_CONFIG, "there is no rule '%s' for %s", key, aff_import_word(what));
}

struct file {
    struct aff_rules *rules;
    enum aff_import_what what;
    char currency[4];                    /* of the first section that has one */
    char product_pattern[AFF_RULE_TEXT]; /* of [orders], for products without their own */
    struct aff_error error;
};

/* What one section says about all imports: the store's currency, and what is a product. */
static aff_status share(struct file *file, enum aff_import_what what, const char *name,
                        const struct aff_rules *rules)
{
    if (strcmp(name, "product_pattern") == 0 && what == AFF_IMPORT_ORDERS)
        memcpy(file->product_pattern, rules->product_pattern, sizeof file->product_pattern);
    if (strcmp(name, "currency") != 0)
        return AFF_OK;
    if (file->currency[0] != '\0' && strcmp(file->currency, rules->currency) != 0)
        return aff_error_set(&file->error, AFF_CONFIG, "currency: a store has one, here are %s and %s",
                             file->currency, rules->currency);
    memcpy(file->currency, rules->currency, sizeof file->currency);
    return AFF_OK;
}

static int take_entry(void *context, const char *section, const char *name, const char *value)
{
    enum { REFUSED = 0, TAKEN = 1 }; /* what inih expects */
    struct file *file = context;
    struct aff_rules other = {0};

    for (int i = AFF_IMPORT_ORDERS; i <= AFF_IMPORT_SESSIONS; i++) {
        enum aff_import_what what = (enum aff_import_what)i;
        if (strcmp(section, aff_import_word(what)) != 0)
            continue;
        struct aff_rules *rules = what == file->what ? file->rules : &other;
        if (aff_rules_set(rules, what, name, value, &file->error) != AFF_OK ||
            share(file, what, name, rules) != AFF_OK)
            return REFUSED;
        return TAKEN;
    }
    (void)aff_error_set(&file->error, AFF_CONFIG, "section [%s] is none of [orders], [products], [customers]",
                        section);
    return REFUSED;
}

aff_status aff_rules_read(struct aff_rules *rules, enum aff_import_what what, const char *path,
                          struct aff_error *reterr)
{
    struct file file = {.rules = rules, .what = what};
    int line = ini_parse(path, take_entry, &file);

    if (line == 0) {
        memcpy(rules->currency, file.currency, sizeof rules->currency);
        if (what == AFF_IMPORT_PRODUCTS && rules->product_pattern[0] == '\0')
            memcpy(rules->product_pattern, file.product_pattern, sizeof rules->product_pattern);
        return AFF_OK;
    }
    if (line < 0)
        return aff_error_set(reterr, AFF_CONFIG, "%s: %s", path, strerror(errno));
    return aff_error_set(reterr, AFF_CONFIG, "%s:%d: %s", path, line,
                         file.error.status == AFF_OK ? "not an entry such as 'key = value'"
                                                     : file.error.text);
}

uint64_t aff_rules_hash(const struct aff_rules *rules, enum aff_import_what what)
{
    /* The struct is hashed as bytes: it is set to zero first, and texts are only ever replaced whole; a
     * left-over byte behind a NUL costs a resumption, not correctness. */
    uint64_t words[2] = {aff_text_hash((struct aff_text){(const char *)rules, sizeof *rules}), what};

    return aff_text_hash((struct aff_text){(const char *)words, sizeof words});
}
