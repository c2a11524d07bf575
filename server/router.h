/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the handler of a method and a path, by exact comparison of the raw path. */
#pragma once

#include "server/counters.h"
#include "server/method.h"

#include "core/base/text.h"

struct aff_call;

/* The right that a caller needs. Routes of AFF_SCOPE_WRITE take batches: bodies of JSON or of a JSON text a
 * line, up to write.body_bytes, from callers that write.enabled and write.remote let in. */
enum aff_scope { AFF_SCOPE_PUBLIC, AFF_SCOPE_READ, AFF_SCOPE_WRITE };

typedef void (*aff_route_fn)(struct aff_call *call);

/* A row of routes.def. */
struct aff_route {
    const char *path; /* with at most one "{id}" */
    aff_route_fn handler;
    enum aff_method method;
    enum aff_scope scope;
    enum aff_series series;
};

extern const struct aff_route aff_routes[];
extern const size_t aff_routes_n;

/* What was found. Without a handler, `allow` says which methods the path has (bits 1 << enum aff_method), 0:
 * there is no such path. `id` is the raw text in the place of "{id}", else empty. */
struct aff_match {
    const struct aff_route *route; /* NULL: no handler */
    unsigned allow;
    enum aff_series series;
    struct aff_text id;
};

struct aff_match aff_router_find(enum aff_method method, struct aff_text path);

/* Writes "GET, HEAD, OPTIONS". */
void aff_router_allow(unsigned allow, char ret_text[64]);
