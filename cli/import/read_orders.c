/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/read_orders.h"

#include "cli/import/values.h"

static struct aff_text field_of(const struct aff_order_reader *reader, const struct aff_csv_record *record,
                                enum aff_order_field field)
{
    int at = reader->columns->at[field];

    return at < 0 ? (struct aff_text){"", 0} : record->fields[at];
}

static bool read_time(struct aff_order_reader *reader, struct aff_text text, int64_t *ret_us,
                      enum aff_reject *reason)
{
    if (text.size == reader->time_size && text.size > 0 &&
        memcmp(text.at, reader->time_text, text.size) == 0) {
        *ret_us = reader->time_us;
        return true;
    }
    *reason = aff_value_time(text, reader->now_us, ret_us);
    if (*reason != AFF_REJECT_NONE)
        return false;
    reader->time_size = text.size <= sizeof reader->time_text ? text.size : 0;
    memcpy(reader->time_text, text.at, reader->time_size);
    reader->time_us = *ret_us;
    return true;
}

static enum aff_reject check_id(struct aff_text text)
{
    return aff_text_is_id(text) ? AFF_REJECT_NONE : AFF_REJECT_ID;
}

/* An amount, or AFF_COST_UNKNOWN for an empty cost. */
static enum aff_reject read_amount(struct aff_order_reader *reader, struct aff_text text, bool may_be_empty,
                                   int64_t *ret, bool *rounded)
{
    bool this_rounded = false;

    if (may_be_empty && aff_value_trim(text).size == 0) {
        *ret = AFF_COST_UNKNOWN;
        return AFF_REJECT_NONE;
    }
    enum aff_reject reason =
        aff_value_amount(text, reader->digits, reader->rules->prices == AFF_PRICES_ROUND, ret, &this_rounded);
    *rounded = *rounded || (reason == AFF_REJECT_NONE && this_rounded);
    return reason;
}

static enum aff_reject check_currency(const struct aff_order_reader *reader, struct aff_text text)
{
    text = aff_value_trim(text);
    return text.size == 0 || aff_text_equal(text, aff_text_of(reader->currency)) ? AFF_REJECT_NONE
                                                                                 : AFF_REJECT_CURRENCY;
}

/* Units and money together: what the line is worth must stay summable. */
static enum aff_reject check_worth(const struct aff_order_line *line)
{
    int64_t units = line->quantity < 0 ? -(int64_t)line->quantity : line->quantity;

    return line->unit_price > AFF_AMOUNT_MAX / units || line->unit_cost > AFF_AMOUNT_MAX / units
               ? AFF_REJECT_AMOUNT_LARGE
               : AFF_REJECT_NONE;
}

/* Everything but the product's id. Sets *field to the one that is wrong. */
static enum aff_reject read_values(struct aff_order_reader *reader, const struct aff_csv_record *record,
                                   struct aff_order_line *line, bool *rounded, int *field)
{
    enum aff_reject reason;

    line->order_id = field_of(reader, record, *field = AFF_ORDER_FIELD_ORDER_ID);
    if ((reason = check_id(line->order_id)) != AFF_REJECT_NONE)
        return reason;
    line->customer_id = field_of(reader, record, *field = AFF_ORDER_FIELD_CUSTOMER_ID);
    if (line->customer_id.size > 0 && (reason = check_id(line->customer_id)) != AFF_REJECT_NONE)
        return reason;
    if (!read_time(reader, field_of(reader, record, *field = AFF_ORDER_FIELD_ORDERED_AT),
                   &line->ordered_at_us, &reason))
        return reason;
    reason = aff_value_quantity(field_of(reader, record, *field = AFF_ORDER_FIELD_QUANTITY), &line->quantity);
    if (reason != AFF_REJECT_NONE)
        return reason;
    reason = read_amount(reader, field_of(reader, record, *field = AFF_ORDER_FIELD_UNIT_PRICE), false,
                         &line->unit_price, rounded);
    if (reason != AFF_REJECT_NONE)
        return reason;
    reason = read_amount(reader, field_of(reader, record, *field = AFF_ORDER_FIELD_UNIT_COST), true,
                         &line->unit_cost, rounded);
    if (reason != AFF_REJECT_NONE)
        return reason;
    reason = aff_value_flag(field_of(reader, record, *field = AFF_ORDER_FIELD_DISCOUNTED), false,
                            &line->discounted);
    if (reason != AFF_REJECT_NONE)
        return reason;
    reason = check_currency(reader, field_of(reader, record, *field = AFF_ORDER_FIELD_CURRENCY));
    if (reason != AFF_REJECT_NONE)
        return reason;
    *field = AFF_ORDER_FIELD_UNIT_PRICE;
    return check_worth(line);
}

enum aff_line_outcome aff_order_read(struct aff_order_reader *reader, const struct aff_csv_record *record,
                                     struct aff_order_line *ret, enum aff_reject *ret_reason, int *ret_field)
{
    struct aff_order_line line = {.product_id = field_of(reader, record, AFF_ORDER_FIELD_PRODUCT_ID)};
    struct aff_text prefix = reader->cancellation_prefix;
    bool rounded = false;
    int field = AFF_ORDER_FIELD_PRODUCT_ID;
    enum aff_reject reason = check_id(line.product_id);

    if (reason == AFF_REJECT_NONE && !aff_pattern_matches(&reader->pattern, line.product_id))
        return AFF_LINE_NO_PRODUCT;
    if (reason == AFF_REJECT_NONE)
        reason = read_values(reader, record, &line, &rounded, &field);
    if (reason != AFF_REJECT_NONE) {
        *ret_reason = reason;
        *ret_field = field;
        return AFF_LINE_REJECTED;
    }
    if (line.unit_price == 0 && !reader->rules->keep_free)
        return AFF_LINE_FREE;
    line.cancels = prefix.size > 0 && line.order_id.size >= prefix.size &&
                   memcmp(line.order_id.at, prefix.at, prefix.size) == 0;
    if (line.cancels && line.quantity > 0) {
        line.quantity = -line.quantity;
        reader->turned++;
    }
    reader->rounded += rounded;
    *ret = line;
    return AFF_LINE_TAKEN;
}
