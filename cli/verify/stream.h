/* SPDX-License-Identifier: Apache-2.0 */
/* A seeded stream of orders as shops send them: new ones, the same again, changed ones, returns and
 * deletions, in order of time or shuffled. The last content of each order does not depend on the sequence. */
#pragma once

#include "core/base/status.h"
#include "core/intake/line.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_stream_options {
    uint32_t n_orders; /* purchases; returns come on top */
    uint64_t seed;
    bool shuffle;
    double duplicates, refunds, edits, cancellations; /* shares of the purchases */
};

enum { AFF_STREAM_LINES = 24, AFF_STREAM_ID = 16 };

/* The time before which all orders of a stream lie. */
#define AFF_STREAM_END_US INT64_C(1780272000000000)

/* What one event writes: `n` lines, 0 for a deletion. Its texts point into itself, so it is not to be copied.
 */
struct aff_stream_content {
    char id[AFF_STREAM_ID], customer[AFF_STREAM_ID], products[AFF_STREAM_LINES][AFF_STREAM_ID];
    struct aff_order_line lines[AFF_STREAM_LINES];
    uint32_t n;
};

/* One arrival: an order in one of its revisions. */
struct aff_stream_event {
    uint32_t order;
    int32_t revision; /* 0: as it came first; -1: deleted */
};

struct aff_stream {
    struct aff_stream_options options;
    uint32_t n_products, n_customers;
    uint32_t n_orders;       /* purchases and returns */
    uint32_t *returned;      /* of each return the purchase, from number options.n_orders on */
    int32_t *last_revisions; /* of each order */
    struct aff_stream_event *events;
    uint32_t n_events;
};

AFF_MUST_CHECK aff_status aff_stream_new(const struct aff_stream_options *options,
                                         struct aff_stream **ret_stream);
void aff_stream_free(struct aff_stream *stream); /* NULL is a no-op */

/* Makes what the order holds in that revision; always the same. */
void aff_stream_content(const struct aff_stream *stream, uint32_t order, int32_t revision,
                        struct aff_stream_content *ret_content);
