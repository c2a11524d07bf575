/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/columns.h"

#include <stdio.h>
#include <strings.h>

struct field {
    const char *name;
    bool required;
};

#define X(name, text, required) {text, required},
static const struct field order_fields[] = {AFF_ORDER_FIELD_LIST(X)};
static const struct field product_fields[] = {AFF_PRODUCT_FIELD_LIST(X)};
static const struct field customer_fields[] = {AFF_CUSTOMER_FIELD_LIST(X)};
static const struct field session_fields[] = {AFF_SESSION_FIELD_LIST(X)};
#undef X

static const struct {
    const struct field *fields;
    int n;
} of[] = {
    {order_fields, AFF_ORDER_FIELDS},
    {product_fields, AFF_PRODUCT_FIELDS},
    {customer_fields, AFF_CUSTOMER_FIELDS},
    {session_fields, AFF_SESSION_FIELDS},
};

#define ATTRIBUTE "attr."

static struct aff_text trim(struct aff_text text)
{
    while (text.size > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (struct aff_text){text.at + 1, text.size - 1};
    while (text.size > 0 && (text.at[text.size - 1] == ' ' || text.at[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static bool same_name(struct aff_text a, const char *b)
{
    return a.size == strlen(b) && strncasecmp(a.at, b, a.size) == 0;
}

static bool is_attribute(enum aff_import_what what, struct aff_text name)
{
    return what != AFF_IMPORT_ORDERS && what != AFF_IMPORT_SESSIONS && name.size > strlen(ATTRIBUTE) &&
           strncasecmp(name.at, ATTRIBUTE, strlen(ATTRIBUTE)) == 0;
}

static int find_field(enum aff_import_what what, struct aff_text name)
{
    for (int i = 0; i < of[what].n; i++)
        if (same_name(name, of[what].fields[i].name))
            return i;
    return -1;
}

bool aff_column_is_known(enum aff_import_what what, struct aff_text name)
{
    return find_field(what, name) >= 0;
}

/* What the file's column is called by us: its own name, unless a rule gives another column that name or maps
 * this one. */
static struct aff_text our_name(const struct aff_rules *rules, struct aff_text theirs)
{
    for (int i = 0; i < rules->n_columns; i++)
        if (same_name(theirs, rules->columns[i].theirs))
            return aff_text_of(rules->columns[i].ours);
    for (int i = 0; i < rules->n_columns; i++)
        if (same_name(theirs, rules->columns[i].ours))
            return (struct aff_text){"", 0};
    return theirs;
}

static void note_unknown(struct aff_columns *columns, struct aff_text name)
{
    size_t used = strlen(columns->unknown);

    (void)snprintf(columns->unknown + used, sizeof columns->unknown - used, "%s%.*s", used == 0 ? "" : ", ",
                   (int)(name.size > 40 ? 40 : name.size), name.size == 0 ? "" : name.at);
}

static aff_status check_required(const struct aff_columns *columns, enum aff_import_what what,
                                 const struct aff_rules *rules, struct aff_error *reterr)
{
    for (int i = 0; i < of[what].n; i++) {
        const char *theirs = of[what].fields[i].name;
        bool mapped = false;
        for (int k = 0; k < rules->n_columns; k++)
            if (strcmp(rules->columns[k].ours, of[what].fields[i].name) == 0) {
                theirs = rules->columns[k].theirs;
                mapped = true;
            }
        if (columns->at[i] < 0 && (of[what].fields[i].required || mapped))
            return aff_error_set(
                reterr, AFF_IO,
                "the header has no column '%s'; name the file's column with --column %s=NAME%s%s", theirs,
                of[what].fields[i].name,
                columns->unknown[0] == '\0' ? "" : "; columns without a meaning here: ", columns->unknown);
    }
    return AFF_OK;
}

aff_status aff_columns_find(struct aff_columns *ret, enum aff_import_what what, const struct aff_rules *rules,
                            const struct aff_text *header, size_t n, struct aff_error *reterr)
{
    struct aff_columns columns = {0};

    for (int i = 0; i < AFF_FIELDS_MAX; i++)
        columns.at[i] = -1;
    for (size_t c = 0; c < n; c++) {
        struct aff_text theirs = trim(header[c]);
        struct aff_text ours = our_name(rules, theirs);
        int field = find_field(what, ours);
        if (field >= 0 && columns.at[field] >= 0)
            return aff_error_set(reterr, AFF_IO, "columns %d and %zu of the header are both '%.*s'",
                                 columns.at[field] + 1, c + 1, (int)ours.size, ours.at);
        if (field >= 0)
            columns.at[field] = (int)c;
        else if (is_attribute(what, ours) && columns.n_attributes < AFF_ATTRIBUTES_MAX)
            columns.attributes[columns.n_attributes++] = (int)c;
        else
            note_unknown(&columns, theirs);
    }
    aff_status status = check_required(&columns, what, rules, reterr);
    if (status == AFF_OK)
        *ret = columns;
    return status;
}
