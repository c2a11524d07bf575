/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the head of a request before anything of it is believed. libmicrohttpd 0.9.75 accepts framing that a
 * proxy in front may read differently (two lengths, length beside chunked, odd header names), which lets a
 * stranger slip a second request into a shared connection; so whatever is not strictly RFC 9112 is refused
 * and the connection closed. Pure: no socket, no allocation. */
#pragma once

#include "core/base/text.h"
#include "server/method.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AFF_HEAD_FIELDS 64    /* header fields */
#define AFF_HEAD_BYTES 16384  /* whole head */
#define AFF_TARGET_BYTES 4096 /* request target */
#define AFF_IDEMPOTENCY_KEY_MAX 128
#define AFF_REQUEST_ID_MAX 64 /* of a request id that the client chose */

struct aff_field {
    struct aff_text name, value;
};

/* As received. Fields beyond AFF_HEAD_FIELDS are counted, not kept. */
struct aff_head {
    struct aff_text method, target, version;
    struct aff_field fields[AFF_HEAD_FIELDS];
    size_t n_fields;
    size_t size_bytes;
};

/* What an accepted head means. Texts are borrowed from the head. */
struct aff_inbound {
    enum aff_method method;
    struct aff_text path;  /* raw, begins with '/' (or is "*" with OPTIONS) */
    struct aff_text query; /* raw, without the question mark */
    bool has_body, chunked;
    uint64_t content_length;
    struct aff_text content_type, content_encoding; /* empty: not given */
    struct aff_text request_id;                     /* X-Request-Id if it is a fit one, else empty */
    struct aff_text idempotency_key;                /* empty: not given */
    bool forwarded;                                 /* a proxy says that it stands in between */
};

struct aff_refusal {
    unsigned status;    /* of HTTP */
    const char *detail; /* for the client's developer; static */
};

/* True and *ret_inbound, or false and *ret_refusal, after which the connection must be closed. */
bool aff_guard_check(const struct aff_head *head, struct aff_inbound *ret_inbound,
                     struct aff_refusal *ret_refusal);
