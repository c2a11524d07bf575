/* SPDX-License-Identifier: Apache-2.0 */
#include "server/dispatch.h"

#include "server/percent.h"
#include "server/problem.h"

#include <stdio.h>
#include <strings.h>

/* "application/json", perhaps with "; charset=utf-8". */
static bool is_json(struct aff_text type)
{
    static const char name[] = "application/json";
    size_t size = sizeof name - 1;

    if (type.size < size || strncasecmp(type.at, name, size) != 0)
        return false;
    while (size < type.size && (type.at[size] == ' ' || type.at[size] == '\t'))
        size++;
    return size == type.size || type.at[size] == ';';
}

static void refuse_method(struct aff_call *call, const struct aff_match *match)
{
    aff_problem_write(call->reply, AFF_PROBLEM_METHOD, call->request_id, NULL,
                      "the methods of this path are in the Allow header");
    aff_router_allow(match->allow, call->reply->allow);
}

bool aff_dispatch_admit(struct aff_call *call, const struct aff_match *match, bool has_body,
                        uint64_t body_bytes)
{
    struct aff_reply *reply = call->reply;

    if (match->route == NULL && match->allow == 0 && call->method != AFF_METHOD_OPTIONS) {
        aff_problem_write(reply, AFF_PROBLEM_NOT_FOUND, call->request_id, NULL,
                          "there is nothing at this path; /openapi.yaml lists what there is");
        return false;
    }
    if (match->route == NULL && call->method != AFF_METHOD_OPTIONS) {
        refuse_method(call, match);
        return false;
    }
    if (body_bytes > call->context->live.body_bytes) {
        aff_problem_write(reply, AFF_PROBLEM_TOO_LARGE, call->request_id, NULL,
                          "the body may have at most %zu bytes", call->context->live.body_bytes);
        return false;
    }
    if (call->method != AFF_METHOD_POST)
        return true;
    if (!has_body) {
        aff_problem_write(reply, AFF_PROBLEM_MALFORMED, call->request_id, NULL, "POST needs a JSON body");
        return false;
    }
    if (!is_json(call->content_type) || (call->content_encoding.size > 0 &&
                                         !aff_text_equal(call->content_encoding, aff_text_of("identity")))) {
        aff_problem_write(reply, AFF_PROBLEM_MEDIA, call->request_id, NULL,
                          "the body must be application/json without Content-Encoding");
        return false;
    }
    return true;
}

static void answer_options(struct aff_call *call, const struct aff_match *match)
{
    unsigned allow = match->allow;

    if (call->path.size == 1 && call->path.at[0] == '*')
        allow =
            1u << AFF_METHOD_GET | 1u << AFF_METHOD_HEAD | 1u << AFF_METHOD_POST | 1u << AFF_METHOD_OPTIONS;
    if (allow == 0) {
        aff_problem_write(call->reply, AFF_PROBLEM_NOT_FOUND, call->request_id, NULL,
                          "there is nothing at this path; /openapi.yaml lists what there is");
        return;
    }
    call->reply->status = 204;
    call->reply->media = AFF_MEDIA_NONE;
    aff_router_allow(allow, call->reply->allow);
}

/* Decodes the path's {id}. False: the reply says that it is no id. */
static bool take_id(struct aff_call *call, struct aff_text raw)
{
    size_t size = 0;
    char id[3 * AFF_ID_MAX];

    if (raw.size == 0)
        return true;
    bool good = raw.size <= sizeof id && aff_percent_decode(raw.at, raw.size, false, id, &size) &&
                aff_text_is_id((struct aff_text){id, size});
    if (!good) {
        struct aff_field_errors *errors = &call->context->parameters.errors;
        aff_field_errors_reset(errors);
        aff_field_error(errors, aff_text_of("id"),
                        "must be 1 to %d bytes of UTF-8 text without control characters, percent-encoded",
                        AFF_ID_MAX);
        aff_problem_write(call->reply, AFF_PROBLEM_FIELDS, call->request_id, errors,
                          "the id in the path is none");
        return false;
    }
    memcpy(call->id, id, size);
    call->id_size = size;
    return true;
}

void aff_dispatch_run(struct aff_call *call, const struct aff_match *match)
{
    if (call->method == AFF_METHOD_OPTIONS) {
        answer_options(call, match);
        return;
    }
    if (match->route == NULL) {
        if (match->allow != 0)
            refuse_method(call, match);
        else
            aff_problem_write(call->reply, AFF_PROBLEM_NOT_FOUND, call->request_id, NULL,
                              "there is nothing at this path; /openapi.yaml lists what there is");
        return;
    }
    if (take_id(call, match->id))
        match->route->handler(call);
}
