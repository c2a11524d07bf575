/* SPDX-License-Identifier: Apache-2.0 */
#include "server/dispatch.h"

#include "server/percent.h"
#include "server/problem.h"

#include <strings.h>

#define JSON "application/json"

/* `name`, perhaps with "; charset=utf-8". */
static bool is_type(struct aff_text type, const char *name)
{
    size_t size = strlen(name);

    if (type.size < size || strncasecmp(type.at, name, size) != 0)
        return false;
    while (size < type.size && (type.at[size] == ' ' || type.at[size] == '\t'))
        size++;
    return size == type.size || type.at[size] == ';';
}

static void refuse_path(struct aff_call *call)
{
    aff_problem_write(call->reply, AFF_PROBLEM_NOT_FOUND, call->request_id, NULL,
                      "there is nothing at this path; /openapi.yaml lists what there is");
}

/* Every path has OPTIONS, and "*" stands for all of them. */
static bool admit_path(struct aff_call *call, const struct aff_match *match)
{
    bool whole_server = call->path.size == 1 && call->path.at[0] == '*';

    if (match->route != NULL || whole_server)
        return true;
    if (match->allow == 0) {
        refuse_path(call);
        return false;
    }
    if (call->method == AFF_METHOD_OPTIONS)
        return true;
    aff_problem_write(call->reply, AFF_PROBLEM_METHOD, call->request_id, NULL,
                      "the methods of this path are in the Allow header");
    aff_router_allow(match->allow, call->reply->allow);
    return false;
}

static bool is_write(const struct aff_match *match)
{
    return match->route != NULL && match->route->scope == AFF_SCOPE_WRITE;
}

size_t aff_dispatch_body_bytes(const struct aff_live *live, const struct aff_match *match)
{
    return is_write(match) ? live->write_body_bytes : live->body_bytes;
}

/* There are no keys, so the network decides who may write. */
static bool admit_writer(struct aff_call *call)
{
    const struct aff_live *live = &call->context->live;

    if (live->write_enabled && (live->write_remote || !call->remote))
        return true;
    aff_problem_write(call->reply, AFF_PROBLEM_FORBIDDEN, call->request_id, NULL,
                      live->write_enabled
                          ? "writes are taken from this machine only and not through a proxy; "
                            "write.remote = true takes them from everywhere"
                          : "writes are switched off (write.enabled = false)");
    return false;
}

static bool admit_media(struct aff_call *call, const struct aff_match *match)
{
    bool plain =
        call->content_encoding.size == 0 || aff_text_equal(call->content_encoding, aff_text_of("identity"));
    bool write = is_write(match);

    if (plain && (is_type(call->content_type, JSON) || (write && is_type(call->content_type, AFF_NDJSON))))
        return true;
    aff_problem_write(call->reply, AFF_PROBLEM_MEDIA, call->request_id, NULL,
                      "the body must be application/json%s without Content-Encoding",
                      write ? " or " AFF_NDJSON : "");
    return false;
}

bool aff_dispatch_is_lines(const struct aff_call *call)
{
    return is_type(call->content_type, AFF_NDJSON);
}

bool aff_dispatch_admit(struct aff_call *call, const struct aff_match *match, bool has_body,
                        uint64_t body_bytes)
{
    struct aff_reply *reply = call->reply;

    if (!admit_path(call, match))
        return false;
    size_t most = aff_dispatch_body_bytes(&call->context->live, match);
    if (is_write(match) && !admit_writer(call))
        return false;
    if (body_bytes > most) {
        aff_problem_write(reply, AFF_PROBLEM_TOO_LARGE, call->request_id, NULL,
                          "the body may have at most %zu bytes", most);
        return false;
    }
    if (call->method != AFF_METHOD_POST && call->method != AFF_METHOD_PUT)
        return true;
    if (!has_body) {
        aff_problem_write(reply, AFF_PROBLEM_MALFORMED, call->request_id, NULL, "POST and PUT need a body");
        return false;
    }
    return admit_media(call, match);
}

static void answer_options(struct aff_call *call, const struct aff_match *match)
{
    unsigned all =
        1u << AFF_METHOD_GET | 1u << AFF_METHOD_HEAD | 1u << AFF_METHOD_POST | 1u << AFF_METHOD_OPTIONS;

    call->reply->status = 204;
    call->reply->media = AFF_MEDIA_NONE;
    aff_router_allow(match->allow == 0 ? all : match->allow, call->reply->allow);
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
    if (call->method == AFF_METHOD_OPTIONS)
        answer_options(call, match);
    else if (take_id(call, match->id))
        match->route->handler(call);
}
