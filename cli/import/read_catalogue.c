/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_catalogue.h"

#include "cli/import/values.h"
#include "json/check.h"

#include <inttypes.h>
#include <stdio.h>

enum type { TEXT, AMOUNT, STOCK, FLAG_TRUE, FLAG_FALSE, ATTRIBUTES };

/* In the sequence of the columns' enums; a flag's type says what an empty field means. */
static const enum type product_types[AFF_PRODUCT_COLUMNS] = {
    TEXT, TEXT, TEXT, AMOUNT, AMOUNT, AMOUNT, STOCK, FLAG_TRUE, FLAG_FALSE, ATTRIBUTES};
static const enum type customer_types[AFF_CUSTOMER_COLUMNS] = {TEXT, TEXT, ATTRIBUTES};

static int count_columns(enum aff_import_what what)
{
    return what == AFF_IMPORT_PRODUCTS ? (int)AFF_PRODUCT_COLUMNS : (int)AFF_CUSTOMER_COLUMNS;
}

unsigned aff_catalogue_columns(enum aff_import_what what, const struct aff_columns *columns)
{
    unsigned bits = 0;
    int n = count_columns(what);

    for (int c = 0; c < n; c++)
        if (columns->at[c + 1] >= 0) /* field 0 is the id */
            bits |= 1u << c;
    if (columns->n_attributes > 0)
        bits |= 1u << (n - 1); /* the attributes are the last column of both */
    return bits;
}

/* Members of an object that is text already: what is between its braces. */
static struct aff_text inside_braces(struct aff_text object)
{
    const char *open = memchr(object.at, '{', object.size);
    size_t size = object.size - (size_t)(open - object.at) - 1;

    while (open[size] != '}')
        size--;
    return aff_value_trim((struct aff_text){open + 1, size - 1});
}

static bool is_blank(struct aff_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr(" \t\r\n", text.at[i]) == NULL)
            return false;
    return true;
}

/* The JSON of column `attributes` and of the columns attr.NAME, which go last and so win; a column whose
 * field is empty is no attribute. */
static enum aff_reject read_attributes(struct aff_catalogue_reader *reader,
                                       const struct aff_csv_record *record, struct aff_text text,
                                       struct aff_text *ret)
{
    struct aff_json *json = &reader->attributes;

    text = aff_value_trim(text);
    if (text.size > 0 && !aff_json_is_object(text))
        return AFF_REJECT_ATTRIBUTES;
    aff_json_reset(json);
    aff_json_open_object(json);
    if (text.size > 0 && !is_blank(inside_braces(text))) {
        struct aff_text members = inside_braces(text);
        aff_json_raw(json, members.at, members.size);
    }
    for (int i = 0; i < reader->columns->n_attributes; i++) {
        int at = reader->columns->attributes[i];
        struct aff_text name = aff_value_trim(reader->header[at]);
        if (record->fields[at].size == 0)
            continue;
        aff_json_text(json, (struct aff_text){name.at + strlen("attr."), name.size - strlen("attr.")});
        json->comma = false;
        aff_json_raw(json, ":", 1);
        json->comma = false;
        aff_json_text(json, record->fields[at]);
    }
    aff_json_close_object(json);
    if (json->failed)
        return AFF_REJECT_ATTRIBUTES;
    *ret = (struct aff_text){json->bytes, json->size};
    return AFF_REJECT_NONE;
}

static enum aff_reject read_amount(struct aff_catalogue_reader *reader, struct aff_text text, char number[24],
                                   struct aff_text *ret, bool *rounded)
{
    int64_t minor = 0;
    bool this_rounded = false;

    if (aff_value_trim(text).size == 0) {
        *ret = (struct aff_text){NULL, 0};
        return AFF_REJECT_NONE;
    }
    enum aff_reject reason = aff_value_amount(text, reader->digits, reader->rules->prices != AFF_PRICES_EXACT,
                                              &minor, &this_rounded);
    if (reason != AFF_REJECT_NONE)
        return reason;
    *rounded = *rounded || this_rounded;
    (void)snprintf(number, 24, "%" PRId64, minor);
    *ret = aff_text_of(number);
    return AFF_REJECT_NONE;
}

static enum aff_reject read_stock(struct aff_text text, char number[24], struct aff_text *ret)
{
    int32_t stock = 0;

    if (aff_value_trim(text).size == 0) {
        *ret = (struct aff_text){NULL, 0};
        return AFF_REJECT_NONE;
    }
    enum aff_reject reason = aff_value_stock(text, &stock);
    (void)snprintf(number, 24, "%" PRId32, stock);
    *ret = aff_text_of(number);
    return reason;
}

static enum aff_reject read_flag(struct aff_text text, bool if_empty, struct aff_text *ret)
{
    bool value = if_empty;
    enum aff_reject reason = aff_value_flag(text, if_empty, &value);

    *ret = aff_text_of(value ? "true" : "false");
    return reason;
}

static enum aff_reject read_column(struct aff_catalogue_reader *reader, const struct aff_csv_record *record,
                                   int c, struct aff_text text, struct aff_text *ret, bool *rounded)
{
    enum type type = reader->what == AFF_IMPORT_PRODUCTS ? product_types[c] : customer_types[c];

    switch (type) {
    case TEXT:
        *ret = text;
        return AFF_REJECT_NONE;
    case AMOUNT:
        return read_amount(reader, text, reader->numbers[c], ret, rounded);
    case STOCK:
        return read_stock(text, reader->numbers[c], ret);
    case FLAG_TRUE:
    case FLAG_FALSE:
        return read_flag(text, type == FLAG_TRUE, ret);
    case ATTRIBUTES:
        return read_attributes(reader, record, text, ret);
    }
    return AFF_REJECT_NONE;
}

enum aff_reject aff_catalogue_read(struct aff_catalogue_reader *reader, const struct aff_csv_record *record,
                                   struct aff_text *ret_id, struct aff_text ret_values[], int *ret_column)
{
    const struct aff_columns *columns = reader->columns;
    unsigned given = aff_catalogue_columns(reader->what, columns);
    bool rounded = false;

    *ret_id = record->fields[columns->at[0]];
    *ret_column = columns->at[0];
    if (!aff_text_is_id(*ret_id))
        return AFF_REJECT_ID;
    for (int c = 0; c < count_columns(reader->what); c++) {
        int at = columns->at[c + 1];
        if ((given >> c & 1) == 0)
            continue;
        struct aff_text text = at < 0 ? (struct aff_text){"", 0} : record->fields[at];
        enum aff_reject reason = read_column(reader, record, c, text, &ret_values[c], &rounded);
        *ret_column = at < 0 ? columns->attributes[0] : at;
        if (reason != AFF_REJECT_NONE)
            return reason;
    }
    reader->rounded += rounded;
    return AFF_REJECT_NONE;
}

void aff_catalogue_reader_done(struct aff_catalogue_reader *reader)
{
    aff_json_done(&reader->attributes);
}
