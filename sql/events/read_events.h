/* SPDX-License-Identifier: Apache-2.0 */
/* Reads back the events that recommendations depend on at once: what sessions viewed, put into their carts
 * and bought, what was rejected, shown, clicked and accepted. */
#pragma once

#include "core/event/event.h"
#include "sql/connection.h"

/* Takes an event of the store, with session, kind, time, product_key, removes and, but for what sessions did,
 * customer; other members are empty. Must not use the connection. */
typedef void (*aff_event_visit)(void *context, struct aff_text store, const struct aff_event *event);

#define AFF_EVENTS_READ_MAX                                                                                  \
    500000 /* events of sessions, and of what was shown, that one call reads; the newest */

/* Events of sessions and of what was shown of the last hours, and rejections of the last days, each in the
 * order of their times.
 * *ret_now_us: the database's time, from which aff_events_read_new() goes on. */
AFF_MUST_CHECK aff_status aff_events_read_all(struct aff_connection *connection, int session_hours,
                                              int impression_hours, int rejection_days, aff_event_visit visit,
                                              void *context, int64_t *ret_now_us, struct aff_error *reterr);

/* Those that others than `writer` stored since `*now_us`, and some that were seen before: a transaction that
 * began earlier may have been committed since. *now_us moves on. */
AFF_MUST_CHECK aff_status aff_events_read_new(struct aff_connection *connection, int writer,
                                              aff_event_visit visit, void *context, int64_t *now_us,
                                              struct aff_error *reterr);
