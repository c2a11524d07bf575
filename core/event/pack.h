/* SPDX-License-Identifier: Apache-2.0 */
/* Events of one request as bytes: handed from thread to thread, kept in the spool (core/spool/), and read
 * back by a later version of this program, so the form has a number and the reader believes nothing.
 *
 * All numbers are little-endian. A batch: form (1 byte, 1), size of the store's name (1), number of events
 * (4), the name, the events one after the other. An event: kind (1), bits (1), sizes of product (1), customer
 * (1) and data (2), key (16), time (8), then what the bits announce: session (8), order key (8),
 * recommendation (16), quantity (4), amount (8); with a product its key (4); then product, customer, data. */
#pragma once

#include "core/base/status.h"
#include "core/event/event.h"

#include <stddef.h>

/* A batch that is being written. Set to zero before begin. */
struct aff_event_pack {
    unsigned char *bytes;
    size_t size, capacity;
    uint32_t n;
};

/* Empties the batch and keeps its memory. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_event_pack_begin(struct aff_event_pack *pack, struct aff_text store);

/* Adds one event, which has been checked: texts within their limits, kind known. AFF_NOMEM: the batch is as
 * before. */
AFF_MUST_CHECK aff_status aff_event_pack_add(struct aff_event_pack *pack, const struct aff_event *event);
void aff_event_pack_done(struct aff_event_pack *pack);

/* Reads a batch; borrowed from the bytes. */
struct aff_event_reader {
    struct aff_text store;
    uint32_t n, left;
    const unsigned char *at, *end;
};

/* AFF_DATA: no batch of this form. */
AFF_MUST_CHECK aff_status aff_event_read_begin(struct aff_event_reader *reader, const void *bytes,
                                               size_t size);

/* The next event; only while `left` > 0. AFF_DATA: cut off, or a value that no event has. */
AFF_MUST_CHECK aff_status aff_event_read(struct aff_event_reader *reader, struct aff_event *ret_event);
