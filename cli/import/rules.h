/* SPDX-License-Identifier: Apache-2.0 */
/* How files are to be read: from import.conf beside the data and from the command line, which goes before it.
 */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

enum aff_import_what { AFF_IMPORT_ORDERS, AFF_IMPORT_PRODUCTS, AFF_IMPORT_CUSTOMERS, AFF_IMPORT_SESSIONS };

#define AFF_RULE_TEXT 256
#define AFF_RULE_COLUMNS 64

/* Prices with more decimals than the currency has. */
enum aff_prices {
    AFF_PRICES_UNSET, /* exact for orders, whose prices are added up; round for products, whose prices are
                         shown */
    AFF_PRICES_EXACT, /* reject the line */
    AFF_PRICES_ROUND, /* half away from zero, counted */
};

struct aff_rules {
    char currency[4]; /* "": not said */
    char separator;   /* '\0': found out */
    char cancellation_prefix[AFF_ID_MAX + 1];
    char product_pattern[AFF_RULE_TEXT]; /* POSIX extended regular expression; "": every id is a product */
    bool keep_free;                      /* lines with a price of zero are kept, not left out */
    enum aff_prices prices;
    struct {
        char ours[32], theirs[AFF_RULE_TEXT];
    } columns[AFF_RULE_COLUMNS];
    int n_columns;
};

/* The word of the command line and the section of import.conf: "orders", "products", "customers",
 * "sessions". */
const char *aff_import_word(enum aff_import_what what);

/* Sets one rule by its key in import.conf. AFF_CONFIG: unknown key or bad value. */
AFF_MUST_CHECK aff_status aff_rules_set(struct aff_rules *rules, enum aff_import_what what, const char *key,
                                        const char *value, struct aff_error *reterr);

/* Reads the section of `what`. The currency, which the store has once, is taken from any section, and the
 * product pattern of [orders] is that of [products], too, when they have none. All sections are checked. */
AFF_MUST_CHECK aff_status aff_rules_read(struct aff_rules *rules, enum aff_import_what what, const char *path,
                                         struct aff_error *reterr);

/* A number that differs when files would be read differently. */
uint64_t aff_rules_hash(const struct aff_rules *rules, enum aff_import_what what);
