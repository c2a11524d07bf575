/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/orders.h"

#include "cli/generate/customers.h"

#include <stdio.h>
#include <stdlib.h>

const char aff_demo_orders_header[] =
    "order_id,customer_id,ordered_at,product_id,quantity,unit_price,unit_cost,discounted\n";

static bool grow(void **array, size_t *room, size_t n, size_t size)
{
    if (n < *room)
        return true;
    size_t wanted = *room * 2 + 1024;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

aff_status aff_demo_day_add_order(struct aff_demo_day *day, int32_t second, uint32_t customer, bool cancels)
{
    void *keys = day->keys, *orders = day->orders;
    bool roomy = grow(&keys, &day->room_keys, day->n_orders, sizeof *day->keys);

    day->keys = keys;
    roomy = roomy && grow(&orders, &day->room_orders, day->n_orders, sizeof *day->orders);
    day->orders = orders;
    if (!roomy)
        return AFF_NOMEM;
    day->keys[day->n_orders] = (uint64_t)second << 32 | day->n_orders;
    day->orders[day->n_orders++] =
        (struct aff_demo_order){.customer = customer, .first_line = day->n_lines, .cancels = cancels};
    return AFF_OK;
}

aff_status aff_demo_day_add_line(struct aff_demo_day *day, const struct aff_demo_line *line)
{
    void *lines = day->lines;

    if (!grow(&lines, &day->room_lines, day->n_lines, sizeof *day->lines))
        return AFF_NOMEM;
    day->lines = lines;
    day->lines[day->n_lines++] = *line;
    day->orders[day->n_orders - 1].n_lines++;
    return AFF_OK;
}

static int compare_keys(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static char *put_number(char *at, uint64_t value)
{
    char digits[20];
    int n = 0;

    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

static char *put_two(char *at, uint32_t value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

static char *put_money(char *at, int32_t minor)
{
    at = put_number(at, (uint32_t)minor / 100);
    *at++ = '.';
    return put_two(at, (uint32_t)minor % 100);
}

static char *put_bytes(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* "id,customer,time,": the same for all lines of an order. */
static size_t make_prefix(const struct aff_demo_order *order, const char *date, uint32_t second,
                          uint64_t number, char *into)
{
    char *at = into;

    if (order->cancels)
        *at++ = 'C';
    at = put_number(at, number);
    *at++ = ',';
    if (order->customer != AFF_DEMO_GUEST)
        at += aff_demo_customer_id(order->customer, at);
    *at++ = ',';
    at = put_bytes(at, date, strlen(date));
    at = put_two(at, second / 3600);
    *at++ = ':';
    at = put_two(at, second / 60 % 60);
    *at++ = ':';
    at = put_two(at, second % 60);
    at = put_bytes(at, "Z,", 2);
    return (size_t)(at - into);
}

static void write_line(const struct aff_demo_line *line, const struct aff_demo_catalogue *catalogue,
                       const char *prefix, size_t prefix_size, struct aff_output *output)
{
    enum { LINE_BYTES = 512 };
    struct aff_text id = catalogue->products[line->product].id;
    char *begin = aff_output_reserve(output, LINE_BYTES), *at = begin;

    at = put_bytes(at, prefix, prefix_size);
    at = put_bytes(at, id.at, id.size);
    *at++ = ',';
    if (line->quantity < 0)
        *at++ = '-';
    at = put_number(at, (uint64_t)(line->quantity < 0 ? -line->quantity : line->quantity));
    *at++ = ',';
    at = put_money(at, line->unit_price);
    *at++ = ',';
    at = put_money(at, line->unit_cost);
    at = line->discounted ? put_bytes(at, ",true\n", 6) : put_bytes(at, ",false\n", 7);
    aff_output_advance(output, (size_t)(at - begin));
}

void aff_demo_day_write(struct aff_demo_day *day, const struct aff_demo_catalogue *catalogue,
                        struct aff_demo_date date, uint64_t *number, struct aff_output *output)
{
    enum { PREFIX_BYTES = 128 };
    char midnight[32], prefix[PREFIX_BYTES];

    (void)snprintf(midnight, sizeof midnight, "%04u-%02u-%02uT", (unsigned)date.year % 10000,
                   (unsigned)date.month % 100, (unsigned)date.day % 100);
    if (day->n_orders > 1)
        qsort(day->keys, day->n_orders, sizeof day->keys[0], compare_keys);
    for (size_t i = 0; i < day->n_orders; i++) {
        const struct aff_demo_order *order = &day->orders[(uint32_t)day->keys[i]];
        size_t size = make_prefix(order, midnight, (uint32_t)(day->keys[i] >> 32), (*number)++, prefix);
        for (size_t j = 0; j < order->n_lines; j++)
            write_line(&day->lines[order->first_line + j], catalogue, prefix, size, output);
    }
    day->n_orders = day->n_lines = 0;
}

void aff_demo_day_done(struct aff_demo_day *day)
{
    free(day->keys);
    free(day->orders);
    free(day->lines);
    *day = (struct aff_demo_day){0};
}
