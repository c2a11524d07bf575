/* SPDX-License-Identifier: Apache-2.0 */
#include "server/problem.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *title;
    unsigned status;
} kinds[] = {
#define X(kind, text, number, heading) [AFF_PROBLEM_##kind] = {text, heading, number},
    AFF_PROBLEM_LIST(X)
#undef X
};

enum aff_problem aff_problem_of_status(unsigned status)
{
    for (int i = 0; i < AFF_PROBLEM_MAX; i++)
        if (kinds[i].status == status)
            return (enum aff_problem)i;
    return AFF_PROBLEM_INTERNAL;
}

enum aff_problem aff_problem_of(aff_status status)
{
    switch (status) {
    case AFF_INVALID:
        return AFF_PROBLEM_FIELDS;
    case AFF_NOTFOUND:
        return AFF_PROBLEM_NOT_FOUND;
    case AFF_LIMIT:
        return AFF_PROBLEM_TOO_LARGE;
    case AFF_NOTREADY:
    case AFF_BACKEND:
    case AFF_SCHEMA:
    case AFF_BUSY:
    case AFF_CANCELLED:
    case AFF_NOMEM:
        return AFF_PROBLEM_UNAVAILABLE;
    case AFF_OK:
    case AFF_DATA:
    case AFF_CONFIG:
    case AFF_IO:
        break;
    }
    return AFF_PROBLEM_INTERNAL;
}

static void write_errors(struct aff_json *json, const struct aff_field_errors *errors)
{
    aff_json_name(json, "errors");
    aff_json_open_array(json);
    aff_json_raw(json, errors->list.bytes, errors->list.size);
    aff_json_close_array(json);
    if (errors->n > AFF_FIELD_ERRORS_MAX) {
        aff_json_name(json, "errors_not_listed");
        aff_json_uint(json, errors->n - AFF_FIELD_ERRORS_MAX);
    }
}

void aff_problem_write(struct aff_reply *reply, enum aff_problem problem, struct aff_text request_id,
                       const struct aff_field_errors *errors, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    aff_text_repair(text);
    aff_problem_open(reply, problem, request_id, text);
    if (errors != NULL && errors->n > 0)
        write_errors(reply->body, errors);
    aff_json_close_object(reply->body);
}

void aff_problem_open(struct aff_reply *reply, enum aff_problem problem, struct aff_text request_id,
                      const char *detail)
{
    struct aff_json *json = reply->body;
    char text[64];

    reply->status = kinds[problem].status;
    reply->media = AFF_MEDIA_PROBLEM;
    reply->fixed = (struct aff_text){NULL, 0};
    aff_json_reset(json);
    aff_json_open_object(json);
    (void)snprintf(text, sizeof text, "urn:affinityd:problem:%s", kinds[problem].name);
    aff_json_name(json, "type");
    aff_json_string(json, text);
    aff_json_name(json, "title");
    aff_json_string(json, kinds[problem].title);
    aff_json_name(json, "status");
    aff_json_uint(json, kinds[problem].status);
    aff_json_name(json, "detail");
    aff_json_string(json, detail);
    if (request_id.size > 0) {
        aff_json_name(json, "request_id");
        aff_json_text(json, request_id);
    }
}
