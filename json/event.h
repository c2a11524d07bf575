/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one event as a shop sends it and checks it against the table of kinds (core/event/event.h):
 * {"event_id": "e1", "kind": "view", "at": "2026-11-21T09:00:00Z", "session": "s1", "product": "71053"} */
#pragma once

#include "core/event/event.h"
#include "json/document.h"
#include "json/writer.h"

#define AFF_EVENT_BYTES_MAX 16384                             /* of one event's text */
#define AFF_EVENT_AHEAD_US (INT64_C(3600) * INT64_C(1000000)) /* how far an event may lie in the future */

/* Set to zero before first use; used by one thread. */
struct aff_event_parser {
    unsigned char prefix[8]; /* of the keys that are made here; to be set at random once */
    uint64_t made;           /* such keys */

    /* Of the event parsed last; what it borrows lives until the next parse or done. */
    struct aff_text event_id; /* empty: it has none, or none that could be read */
    struct aff_text session;
    enum aff_event_kind kind; /* 0: none that is known */
    struct aff_json errors;   /* of a refused event: members of a JSON array, {"field", "reason"}, ... */
    size_t n_errors;

    struct aff_document *document;
    struct aff_json data;
};

/* Reads and checks one event. Without an event_id it gets a key that no other event has; without a time,
 * `now_us`. AFF_INVALID: it is refused for the reasons in parser->errors. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_event_parse(struct aff_event_parser *parser, struct aff_text text,
                                          int64_t now_us, struct aff_event *ret_event);
void aff_event_parser_done(struct aff_event_parser *parser);
