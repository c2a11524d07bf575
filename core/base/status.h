/* SPDX-License-Identifier: Apache-2.0 */
/* The one result type of every function that can fail, and the text that travels with it to a person. */
#pragma once

#include <stddef.h>

/* Name and standard text of every status; the enum and aff_status_text() are made from this list. */
#define AFF_STATUS_LIST(X)                                                                                   \
    X(OK, "ok")                                                                                              \
    X(NOMEM, "not enough memory")                                                                            \
    X(INVALID, "invalid argument")                                                                           \
    X(NOTFOUND, "not found")                                                                                 \
    X(NOTREADY, "no index loaded yet")                                                                       \
    X(DATA, "stored data violates its contract")                                                             \
    X(BACKEND, "database unavailable")                                                                       \
    X(SCHEMA, "database schema does not fit this program")                                                   \
    X(CONFIG, "configuration error")                                                                         \
    X(IO, "input or output failed")                                                                          \
    X(BUSY, "another process holds the lock")                                                                \
    X(LIMIT, "a limit was exceeded")                                                                         \
    X(CANCELLED, "cancelled")

typedef enum {
#define X(name, text) AFF_##name,
    AFF_STATUS_LIST(X)
#undef X
} aff_status;

#define AFF_MUST_CHECK __attribute__((warn_unused_result))
#define AFF_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* The standard text of a status; never NULL, static storage. */
const char *aff_status_text(aff_status status);

/* What went wrong, for a person: filled by the functions that take `struct aff_error *reterr`, untouched on
 * success. `sqlstate` is empty unless PostgreSQL gave one. */
struct aff_error {
    aff_status status;
    char sqlstate[6];
    char text[512];
};

/* Fills *reterr (NULL is allowed: nobody reads it) and returns `status`, so that a caller can write
 * `return aff_error_set(...)`. A text that is too long is cut at a character boundary. */
aff_status aff_error_set(struct aff_error *reterr, aff_status status, const char *format, ...)
    AFF_PRINTF(3, 4);

/* Puts "prefix: " before the text of *reterr (NULL is allowed); keeps and returns its status. */
aff_status aff_error_prefix(struct aff_error *reterr, aff_status status, const char *format, ...)
    AFF_PRINTF(3, 4);
