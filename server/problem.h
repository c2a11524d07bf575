/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as application/problem+json (RFC 9457): type, title, status, detail, request_id and, for wrong
 * fields, errors[{field, reason}]. */
#pragma once

#include "server/field_errors.h"
#include "server/reply.h"

/* Each kind of problem: name in its type "urn:affinityd:problem:NAME", HTTP status, title. */
#define AFF_PROBLEM_LIST(X)                                                                                  \
    X(MALFORMED, "malformed_request", 400, "The request is malformed")                                       \
    X(FIELDS, "invalid_fields", 400, "Fields of the request are wrong")                                      \
    X(FORBIDDEN, "forbidden", 403, "The request is not allowed")                                             \
    X(NOT_FOUND, "not_found", 404, "There is no such resource")                                              \
    X(METHOD, "method_not_allowed", 405, "The path has no such method")                                      \
    X(CONFLICT, "conflict", 409, "The request is at odds with another one")                                  \
    X(TOO_LARGE, "body_too_large", 413, "The body is too large")                                             \
    X(TARGET, "target_too_long", 414, "The request target is too long")                                      \
    X(MEDIA, "unsupported_media_type", 415, "The body has the wrong type")                                   \
    X(EXPECTATION, "expectation_failed", 417, "The expectation cannot be met")                               \
    X(UNFIT, "unfit_values", 422, "Values of the request do not fit this store")                             \
    X(ALL_REFUSED, "all_refused", 422, "No entry of the request could be taken")                             \
    X(HEAD, "head_too_large", 431, "The head of the request is too large")                                   \
    X(INTERNAL, "internal", 500, "The service failed")                                                       \
    X(UNKNOWN_METHOD, "unknown_method", 501, "The method is not known")                                      \
    X(UNAVAILABLE, "unavailable", 503, "The service cannot answer now")                                      \
    X(DATABASE, "database_unavailable", 503, "The database cannot be written now")                           \
    X(UNKNOWN_OUTCOME, "outcome_unknown", 503, "It is not known whether the request was carried out")        \
    X(VERSION, "unsupported_version", 505, "The HTTP version is not spoken here")

enum aff_problem {
#define X(name, text, status, title) AFF_PROBLEM_##name,
    AFF_PROBLEM_LIST(X)
#undef X
        AFF_PROBLEM_MAX
};

/* The kind for a status that the guard gives. */
enum aff_problem aff_problem_of_status(unsigned status);

/* The kind for what a library reports. */
enum aff_problem aff_problem_of(aff_status status);

/* The same without the end of the object, so that the caller can write more members and close it. `detail` is
 * well-formed UTF-8. */
void aff_problem_open(struct aff_reply *reply, enum aff_problem problem, struct aff_text request_id,
                      const char *detail);

/* Makes `reply` that problem, whatever was written before. `request_id` may be empty. `errors` may be NULL.
 */
void aff_problem_write(struct aff_reply *reply, enum aff_problem problem, struct aff_text request_id,
                       const struct aff_field_errors *errors, const char *format, ...) AFF_PRINTF(5, 6);
