/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one order: {"id", "customer", "ordered_at", "lines": [{"product", "quantity", "unit_price", ...}]}.
 */
#include "server/batch_internal.h"

#include "core/base/clock.h"

#include <stdio.h>

/* A member that is told apart by its name; bits of `seen`. */
enum member { ID, CUSTOMER, ORDERED_AT, LINES, CANCELS, CURRENCY, STORE, MEMBERS };
static const char *const member_names[MEMBERS] = {"id",      "customer", "ordered_at", "lines",
                                                  "cancels", "currency", "store"};
enum line_member { PRODUCT, QUANTITY, UNIT_PRICE, UNIT_COST, DISCOUNTED, LINE_MEMBERS };
static const char *const line_names[LINE_MEMBERS] = {"product", "quantity", "unit_price", "unit_cost",
                                                     "discounted"};

struct order_reader {
    struct aff_entry_reader *base;
    const struct aff_node *lines;
    struct aff_order_line common; /* what the lines repeat */
    unsigned seen;
};

struct line_reader {
    struct order_reader *order;
    struct aff_order_line line;
    size_t index;
    unsigned seen;
};

static int find(struct aff_text name, const char *const *names, int n)
{
    int at = 0;

    while (at < n && !aff_text_equal(name, aff_text_of(names[at])))
        at++;
    return at;
}

/* "lines[3].quantity". */
struct place {
    char text[120];
};

static struct aff_text place_of(struct place *place, const struct line_reader *reader, struct aff_text member)
{
    int shown = member.size < 80 ? (int)member.size : 80;

    (void)snprintf(place->text, sizeof place->text, "lines[%zu]%s%.*s", reader->index, shown > 0 ? "." : "",
                   shown, member.at);
    return aff_text_of(place->text);
}

static void take_line_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct line_reader *reader = context;
    struct aff_entry_reader *base = reader->order->base;
    struct aff_order_line *line = &reader->line;
    struct place place;
    struct aff_text field = place_of(&place, reader, name);
    int member = find(name, line_names, LINE_MEMBERS);
    int64_t quantity = 0;

    if (member < LINE_MEMBERS)
        reader->seen |= 1u << member;
    switch (member) {
    case PRODUCT:
        (void)aff_entry_take_id(base, field, value, &line->product_id);
        break;
    case QUANTITY:
        if (!aff_entry_take_whole(base, field, value, -INT32_MAX, INT32_MAX, &quantity))
            break;
        line->quantity = (int32_t)quantity;
        if (quantity == 0)
            aff_entry_error(base, field, "must not be 0");
        break;
    case UNIT_PRICE:
        (void)aff_entry_take_whole(base, field, value, 0, AFF_MONEY_MAX, &line->unit_price);
        break;
    case UNIT_COST:
        if (aff_node_kind(value) != AFF_NODE_NULL)
            (void)aff_entry_take_whole(base, field, value, 0, AFF_MONEY_MAX, &line->unit_cost);
        break;
    case DISCOUNTED:
        (void)aff_entry_take_flag(base, field, value, &line->discounted);
        break;
    default:
        aff_entry_error(base, field, "is not a member of a line");
        break;
    }
}

/* What the line is worth, and all lines together, must stay summable. */
static void check_worth(struct line_reader *reader, int64_t *worth)
{
    const struct aff_order_line *line = &reader->line;
    int64_t units = line->quantity < 0 ? -(int64_t)line->quantity : line->quantity;
    int64_t dearest = line->unit_price > line->unit_cost ? line->unit_price : line->unit_cost;
    struct place place;

    if (units > 0 && dearest > (AFF_MONEY_MAX - *worth) / units) {
        aff_entry_error(reader->order->base, place_of(&place, reader, aff_text_of("")),
                        "makes the order worth more than %lld minor units", (long long)AFF_MONEY_MAX);
        return;
    }
    *worth += units * dearest;
}

static void take_line(struct order_reader *order, const struct aff_node *value, size_t index,
                      struct aff_order_line *ret_line, int64_t *worth)
{
    struct line_reader reader = {.order = order, .line = order->common, .index = index};
    struct place place;

    reader.line.unit_cost = AFF_COST_UNKNOWN;
    if (aff_node_kind(value) != AFF_NODE_OBJECT) {
        aff_entry_wrong_type(order->base, place_of(&place, &reader, aff_text_of("")), "an object", value);
        return;
    }
    aff_node_members(value, take_line_member, &reader);
    for (int member = PRODUCT; member <= UNIT_PRICE; member++)
        if ((reader.seen >> member & 1) == 0)
            aff_entry_error(order->base, place_of(&place, &reader, aff_text_of(line_names[member])),
                            "is missing");
    if (order->common.cancels && reader.line.quantity > 0)
        aff_entry_error(order->base, place_of(&place, &reader, aff_text_of("quantity")),
                        "must be negative: the order cancels");
    check_worth(&reader, worth);
    *ret_line = reader.line;
}

static void take_lines(struct order_reader *order)
{
    struct aff_entry_reader *base = order->base;
    size_t n = aff_node_size(order->lines);
    int64_t worth = 0;

    if (n > AFF_ORDER_LINES_MAX) {
        aff_entry_error(base, aff_text_of("lines"), "may be at most %d", AFF_ORDER_LINES_MAX);
        return;
    }
    struct aff_order_line *lines = aff_arena_take(&base->batch->arena, (n + (n == 0)) * sizeof *lines);
    if (lines == NULL) {
        base->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        take_line(order, aff_node_at(order->lines, i), i, &lines[i], &worth);
    base->entry->lines = lines;
    base->entry->n_lines = n;
}

/* RFC 3339 with its offset: without one nobody knows which time is meant. */
static void take_time(struct order_reader *order, const struct aff_node *value)
{
    struct aff_entry_reader *base = order->base;
    struct aff_text field = aff_text_of("ordered_at"), text;
    int64_t at_us;

    if (aff_node_kind(value) != AFF_NODE_TEXT) {
        aff_entry_wrong_type(base, field, "a time as text", value);
        return;
    }
    text = aff_node_text(value);
    bool offset = text.size >= 20 && (text.at[text.size - 1] == 'Z' || text.at[text.size - 1] == 'z' ||
                                      text.at[text.size - 6] == '+' || text.at[text.size - 6] == '-');
    if (!offset || aff_time_parse(text, &at_us) != AFF_OK)
        aff_entry_error(base, field, "must be a time such as 2026-11-21T09:00:00Z, with Z or an offset");
    else if (at_us < 0 || at_us > base->frame->now_us + AFF_DAY_US)
        aff_entry_error(base, field, "must be from 1970 to one day from now");
    else
        order->common.ordered_at_us = at_us;
}

/* A text that must be what the store says anyway. */
static void check_same(struct aff_entry_reader *base, const char *member, const struct aff_node *value,
                       struct aff_text wanted)
{
    if (aff_node_kind(value) == AFF_NODE_NULL)
        return;
    if (aff_node_kind(value) != AFF_NODE_TEXT)
        aff_entry_wrong_type(base, aff_text_of(member), "a text", value);
    else if (!aff_text_equal(aff_node_text(value), wanted))
        aff_entry_error(base, aff_text_of(member), "must be %.*s, as in the store that is written into",
                        (int)wanted.size, wanted.at);
}

static void take_member(void *context, struct aff_text name, const struct aff_node *value)
{
    struct order_reader *order = context;
    struct aff_entry_reader *base = order->base;
    int member = find(name, member_names, MEMBERS);

    if (member < MEMBERS)
        order->seen |= 1u << member;
    switch (member) {
    case ID:
        (void)aff_entry_take_id(base, name, value, &base->entry->id);
        break;
    case CUSTOMER:
        if (aff_node_kind(value) != AFF_NODE_NULL)
            (void)aff_entry_take_id(base, name, value, &order->common.customer_id);
        break;
    case ORDERED_AT:
        take_time(order, value);
        break;
    case LINES:
        if (aff_node_kind(value) == AFF_NODE_ARRAY)
            order->lines = value;
        else
            aff_entry_wrong_type(base, name, "an array", value);
        break;
    case CANCELS:
        (void)aff_entry_take_flag(base, name, value, &order->common.cancels);
        break;
    case CURRENCY:
        check_same(base, "currency", value, aff_text_of(base->frame->currency));
        break;
    case STORE:
        check_same(base, "store", value, base->frame->store);
        break;
    default:
        aff_entry_error(base, name, "is not a member of an order");
        break;
    }
}

void aff_entry_read_order(struct aff_entry_reader *reader, const struct aff_node *object)
{
    static const enum member needed[] = {ID, ORDERED_AT, LINES};
    struct order_reader order = {.base = reader, .common = {.customer_id = {"", 0}}};

    aff_node_members(object, take_member, &order);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if ((order.seen >> needed[i] & 1) == 0)
            aff_entry_error(reader, aff_text_of(member_names[needed[i]]), "is missing");
    order.common.order_id = reader->entry->id;
    if (order.lines != NULL)
        take_lines(&order);
}
