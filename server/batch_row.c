/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one product or customer: its id, and columns by their names. What is not said stays as it is. */
#include "server/batch_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum type { TEXT, MONEY, STOCK, FLAG, ATTRIBUTES };

struct column {
    const char *name;
    enum type type;
};

static const struct column product_columns[AFF_PRODUCT_COLUMNS] = {
    [AFF_PRODUCT_NAME] = {"name", TEXT},
    [AFF_PRODUCT_CATEGORY] = {"category", TEXT},
    [AFF_PRODUCT_BRAND] = {"brand", TEXT},
    [AFF_PRODUCT_PRICE] = {"price", MONEY},
    [AFF_PRODUCT_COMPARE_AT] = {"compare_at", MONEY},
    [AFF_PRODUCT_COST] = {"cost", MONEY},
    [AFF_PRODUCT_STOCK] = {"stock", STOCK},
    [AFF_PRODUCT_AVAILABLE] = {"available", FLAG},
    [AFF_PRODUCT_DURABLE] = {"durable", FLAG},
    [AFF_PRODUCT_ATTRIBUTES] = {"attributes", ATTRIBUTES},
};

static const struct column customer_columns[AFF_CUSTOMER_COLUMNS] = {
    [AFF_CUSTOMER_COUNTRY] = {"country", TEXT},
    [AFF_CUSTOMER_SEGMENT] = {"segment", TEXT},
    [AFF_CUSTOMER_ATTRIBUTES] = {"attributes", ATTRIBUTES},
};

struct row_reader {
    struct aff_entry_reader *base;
    const struct column *columns;
    unsigned n_columns, given;
    struct aff_text *values;
    bool has_id;
};

static bool has_control(struct aff_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7F)
            return true;
    return false;
}

/* Null empties a text. */
static struct aff_text take_text(struct aff_entry_reader *base, struct aff_text name,
                                 const struct aff_node *value)
{
    struct aff_text text = {"", 0};

    if (aff_node_kind(value) == AFF_NODE_NULL)
        return text;
    if (aff_node_kind(value) != AFF_NODE_TEXT) {
        aff_entry_wrong_type(base, name, "a text or null", value);
        return text;
    }
    text = aff_node_text(value);
    if (text.size > AFF_ENTRY_TEXT_MAX || has_control(text)) {
        aff_entry_error(base, name, "must be at most %d bytes of UTF-8 text without control characters",
                        AFF_ENTRY_TEXT_MAX);
        return (struct aff_text){"", 0};
    }
    return aff_entry_keep(base, text);
}

/* Null says that it is not known, or not tracked. */
static struct aff_text take_number(struct aff_entry_reader *base, struct aff_text name,
                                   const struct aff_node *value, int64_t least, int64_t most)
{
    char digits[24];
    int64_t number;

    if (aff_node_kind(value) == AFF_NODE_NULL ||
        !aff_entry_take_whole(base, name, value, least, most, &number))
        return (struct aff_text){NULL, 0};
    (void)snprintf(digits, sizeof digits, "%" PRId64, number);
    return aff_entry_keep(base, aff_text_of(digits));
}

static struct aff_text take_attributes(struct aff_entry_reader *base, struct aff_text name,
                                       const struct aff_node *value)
{
    struct aff_text none = {"{}", 2};
    size_t size = 0;

    if (aff_node_kind(value) == AFF_NODE_NULL)
        return none;
    if (aff_node_kind(value) != AFF_NODE_OBJECT) {
        aff_entry_wrong_type(base, name, "an object or null", value);
        return none;
    }
    char *text = aff_node_dump(value, &size);
    if (text == NULL) {
        base->failed = true;
        return none;
    }
    if (size > AFF_ENTRY_ATTRIBUTES_MAX)
        aff_entry_error(base, name, "must be at most %d bytes of JSON", AFF_ENTRY_ATTRIBUTES_MAX);
    else
        none = aff_entry_keep(base, (struct aff_text){text, size});
    free(text);
    return none;
}

static struct aff_text take_value(struct aff_entry_reader *base, enum type type, struct aff_text name,
                                  const struct aff_node *value)
{
    bool flag = false;

    switch (type) {
    case TEXT:
        return take_text(base, name, value);
    case MONEY:
        return take_number(base, name, value, 0, AFF_MONEY_MAX);
    case STOCK: /* the least number stands for "not tracked" in memory */
        return take_number(base, name, value, INT32_MIN + 1, INT32_MAX);
    case FLAG:
        (void)aff_entry_take_flag(base, name, value, &flag);
        return aff_text_of(flag ? "t" : "f");
    case ATTRIBUTES:
        break;
    }
    return take_attributes(base, name, value);
}

static void take_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct row_reader *row = context;
    unsigned at = 0;

    if (aff_text_equal(name, aff_text_of("id"))) {
        row->has_id = true;
        (void)aff_entry_take_id(row->base, name, value, &row->base->entry->id);
        return;
    }
    while (at < row->n_columns && !aff_text_equal(name, aff_text_of(row->columns[at].name)))
        at++;
    if (at == row->n_columns) {
        aff_entry_error(row->base, name, "is not a member of a %s",
                        row->columns == product_columns ? "product" : "customer");
        return;
    }
    row->given |= 1u << at;
    row->values[at] = take_value(row->base, row->columns[at].type, name, value);
}

void aff_entry_read_row(struct aff_entry_reader *reader, const struct aff_node *object)
{
    bool products = reader->frame->kind == AFF_BATCH_PRODUCTS;
    struct row_reader row = {
        .base = reader,
        .columns = products ? product_columns : customer_columns,
        .n_columns = products ? (unsigned)AFF_PRODUCT_COLUMNS : (unsigned)AFF_CUSTOMER_COLUMNS,
    };

    row.values = aff_arena_take(&reader->batch->arena, row.n_columns * sizeof *row.values);
    if (row.values == NULL) {
        reader->failed = true;
        return;
    }
    memset(row.values, 0, row.n_columns * sizeof *row.values);
    aff_node_members(object, take_member, &row);
    if (!row.has_id)
        aff_entry_error(reader, aff_text_of("id"), "is missing");
    reader->entry->given = row.given;
    reader->entry->values = row.values;
}
