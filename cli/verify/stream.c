/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify/stream.h"

#include "core/base/clock.h"
#include "core/base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HOUR_US (3600 * AFF_SECOND_US)
#define SPAN_US                                                                                              \
    (800 * AFF_DAY_US) /* longer than the default window, so that some orders are too old to count */

enum { PRODUCTS_MOST = 400, LINES_MANY = 20 };

/* An event with the place that it takes. */
struct placed {
    double place;
    uint32_t number; /* of creation, so that equal places keep their order */
    struct aff_stream_event event;
};

/* Numbers of one order in one revision, the same whenever they are asked for. */
static struct aff_random random_of(const struct aff_stream *stream, uint32_t order, uint32_t revision)
{
    struct aff_random mixer = {stream->options.seed +
                               ((uint64_t)order << 20 | revision) * 0x9E3779B97F4A7C15u};

    return (struct aff_random){aff_random_next(&mixer)};
}

static bool chance(struct aff_random *random, double share)
{
    return aff_random_unit(random) < share;
}

/* ---- contents ---- */

static int64_t time_of(const struct aff_stream *stream, uint32_t order, struct aff_random *random)
{
    double share = ((double)order + aff_random_unit(random)) / (double)stream->options.n_orders;
    int64_t at_us = AFF_STREAM_END_US - SPAN_US + (int64_t)(share * (double)(SPAN_US - 30 * AFF_DAY_US));

    /* Equal times of different orders occur, too. */
    return chance(random, 0.3) ? at_us - at_us % (12 * HOUR_US) : at_us - at_us % AFF_SECOND_US;
}

static void name_customer(const struct aff_stream *stream, struct aff_random *random,
                          char ret_name[AFF_STREAM_ID])
{
    double kind = aff_random_unit(random);

    if (kind < 0.1)
        ret_name[0] = '\0'; /* a guest */
    else if (kind < 0.15)
        (void)snprintf(ret_name, AFF_STREAM_ID, "till");
    else
        (void)snprintf(ret_name, AFF_STREAM_ID, "C%" PRIu64, aff_random_below(random, stream->n_customers));
}

static void make_line(const struct aff_stream *stream, struct aff_random *random,
                      struct aff_stream_content *content)
{
    double share = aff_random_unit(random);
    uint32_t product = (uint32_t)(share * share * (double)stream->n_products);
    struct aff_order_line *line = &content->lines[content->n];
    bool discounted = chance(random, 0.1);
    int64_t price = 100 + product * 37 % 5000;

    (void)snprintf(content->products[content->n], AFF_STREAM_ID, "P%" PRIu32, product);
    *line = (struct aff_order_line){.quantity = 1 + (int32_t)aff_random_below(random, 3),
                                    .unit_price = discounted ? price * 4 / 5 : price,
                                    .unit_cost = chance(random, 0.3) ? price / 2 : AFF_COST_UNKNOWN,
                                    .discounted = discounted};
    content->n++;
}

static void make_lines(const struct aff_stream *stream, struct aff_random *random,
                       struct aff_stream_content *content)
{
    uint32_t n = 1;

    while (n < 8 && chance(random, 0.65))
        n++;
    if (chance(random, 0.01))
        n = LINES_MANY;
    for (uint32_t i = 0; i < n; i++)
        make_line(stream, random, content);
}

/* Puts id, customer and time into all lines. */
static void finish(struct aff_stream_content *content, int64_t at_us)
{
    for (uint32_t i = 0; i < content->n; i++) {
        content->lines[i].order_id = aff_text_of(content->id);
        content->lines[i].customer_id = aff_text_of(content->customer);
        content->lines[i].product_id = aff_text_of(content->products[i]);
        content->lines[i].ordered_at_us = at_us;
    }
}

static void make_purchase(const struct aff_stream *stream, uint32_t order, int32_t revision,
                          struct aff_stream_content *content)
{
    struct aff_random first = random_of(stream, order, 0),
                      later = random_of(stream, order, (uint32_t)revision);
    int64_t at_us = time_of(stream, order, &first);
    double what = revision == 0 ? 0 : aff_random_unit(&later);

    (void)snprintf(content->id, sizeof content->id, "O%" PRIu32, order);
    name_customer(stream, &first, content->customer);
    if (what > 0.8)
        at_us = time_of(stream, (uint32_t)aff_random_below(&later, stream->options.n_orders), &later);
    else if (what > 0.6)
        name_customer(stream, &later, content->customer);
    make_lines(stream, what > 0 && what <= 0.6 ? &later : &first, content);
    finish(content, at_us);
}

/* Some units of a product of the purchase come back a few days later. */
static void make_return(const struct aff_stream *stream, uint32_t order, struct aff_stream_content *content)
{
    uint32_t purchase = stream->returned[order - stream->options.n_orders];
    struct aff_random random = random_of(stream, order, 0);

    make_purchase(stream, purchase, 0, content);
    int64_t at_us =
        content->lines[0].ordered_at_us + (int64_t)(1 + aff_random_below(&random, 20)) * AFF_DAY_US;
    uint32_t line = (uint32_t)aff_random_below(&random, content->n);
    content->lines[0] = content->lines[line];
    if (line != 0)
        (void)snprintf(content->products[0], AFF_STREAM_ID, "%s", content->products[line]);
    content->lines[0].quantity =
        -(int32_t)(1 + aff_random_below(&random, (uint64_t)content->lines[0].quantity));
    content->n = 1;
    (void)snprintf(content->id, sizeof content->id, "R%" PRIu32, order);
    finish(content, at_us);
}

void aff_stream_content(const struct aff_stream *stream, uint32_t order, int32_t revision,
                        struct aff_stream_content *ret_content)
{
    bool is_return = order >= stream->options.n_orders;

    ret_content->n = 0;
    ret_content->customer[0] = '\0';
    if (revision < 0)
        (void)snprintf(ret_content->id, sizeof ret_content->id, "%c%" PRIu32, is_return ? 'R' : 'O', order);
    else if (is_return)
        make_return(stream, order, ret_content);
    else
        make_purchase(stream, order, revision, ret_content);
}

/* ---- events ---- */

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static double between(struct aff_random *random, double low, double high)
{
    return low + aff_random_unit(random) * (high - low);
}

/* The events of one purchase and of its return, if it has one. */
static uint32_t place_order(struct aff_stream *stream, uint32_t order, struct aff_random *random,
                            struct placed *to, uint32_t number)
{
    const struct aff_stream_options *options = &stream->options;
    double end = options->n_orders, at = options->shuffle ? between(random, 0, end) : (double)order;
    uint32_t n = 0;
    int32_t revision = 0;

    to[n++] = (struct placed){at, number, {order, 0}};
    if (chance(random, options->refunds)) {
        uint32_t back = stream->n_orders++;
        stream->returned[back - options->n_orders] = order;
        stream->last_revisions[back] = 0;
        to[n] = (struct placed){between(random, options->shuffle ? 0 : at, end), number + n, {back, 0}};
        n++;
    }
    if (chance(random, options->duplicates)) {
        to[n] = (struct placed){at = between(random, at, end), number + n, {order, revision}};
        n++;
    }
    while (revision < 3 && chance(random, options->edits)) {
        to[n] = (struct placed){at = between(random, at, end), number + n, {order, ++revision}};
        n++;
    }
    if (chance(random, options->duplicates)) {
        to[n] = (struct placed){at = between(random, at, end), number + n, {order, revision}};
        n++;
    }
    if (chance(random, options->cancellations)) {
        to[n] = (struct placed){between(random, at, end), number + n, {order, revision = -1}};
        n++;
    }
    stream->last_revisions[order] = revision;
    return n;
}

aff_status aff_stream_new(const struct aff_stream_options *options, struct aff_stream **ret_stream)
{
    struct aff_stream *stream = calloc(1, sizeof *stream);
    size_t n = options->n_orders;
    struct placed *placed = malloc((n * 8 + 1) * sizeof *placed);
    struct aff_random random = {options->seed};
    uint32_t n_events = 0;

    if (stream != NULL) {
        *stream = (struct aff_stream){.options = *options, .n_orders = options->n_orders};
        stream->n_products = n / 10 < 20 ? 20 : n / 10 > PRODUCTS_MOST ? PRODUCTS_MOST : (uint32_t)(n / 10);
        stream->n_customers = (uint32_t)(n / 5) + 1;
        stream->returned = malloc((n + 1) * sizeof *stream->returned);
        stream->last_revisions = malloc((n * 2 + 1) * sizeof *stream->last_revisions);
        stream->events = malloc((n * 8 + 1) * sizeof *stream->events);
    }
    if (stream == NULL || placed == NULL || stream->returned == NULL || stream->last_revisions == NULL ||
        stream->events == NULL) {
        free(placed);
        aff_stream_free(stream);
        return AFF_NOMEM;
    }
    for (uint32_t order = 0; order < options->n_orders; order++)
        n_events += place_order(stream, order, &random, placed + n_events, n_events);
    qsort(placed, n_events, sizeof *placed, by_place);
    for (uint32_t i = 0; i < n_events; i++)
        stream->events[i] = placed[i].event;
    stream->n_events = n_events;
    free(placed);
    *ret_stream = stream;
    return AFF_OK;
}

void aff_stream_free(struct aff_stream *stream)
{
    if (stream == NULL)
        return;
    free(stream->returned);
    free(stream->last_revisions);
    free(stream->events);
    free(stream);
}
