/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/events: reads and checks the events in the request thread, and lets the request wait until they
 * are stored. */
#include "server/events.h"
#include "core/base/clock.h"
#include "server/dispatch.h"
#include "server/problem.h"
#include "server/routes/routes.h"
#include "json/split.h"

#include <stdlib.h>

static void no_memory(struct aff_call *call)
{
    aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL, "%s",
                      aff_status_text(AFF_NOMEM));
    call->reply->retry_after_s = 1;
}

/* Which store is meant. While no store is known at all, as before the first look into the database, the
 * configured one is believed to be there. False: the reply says what is wrong. */
static bool find_store(struct aff_call *call, struct aff_text *ret_name, struct aff_store **ret_store)
{
    struct aff_context *context = call->context;
    struct aff_parameters *parameters = &context->parameters;

    aff_parameters_reset(parameters, 1u << AFF_PARAMETER_store);
    aff_parameters_read_query(parameters, call->query, call->query_size);
    if (!aff_parameters_check(parameters)) {
        aff_problem_write(call->reply, AFF_PROBLEM_FIELDS, call->request_id, &parameters->errors,
                          "the query string may only say store");
        return false;
    }
    struct aff_text usual = aff_text_of(context->live.store);
    *ret_name = parameters->store.size > 0 ? parameters->store : usual;
    *ret_store = aff_stores_find(context->shared->stores, *ret_name);
    if (*ret_store != NULL || (aff_text_equal(*ret_name, usual) &&
                               atomic_load_explicit(&context->shared->stores->n, memory_order_acquire) == 0))
        return true;
    aff_problem_write(call->reply, AFF_PROBLEM_NOT_FOUND, call->request_id, NULL,
                      "there is no store of this name; affinityctl import makes one");
    return false;
}

/* Cuts the body into entries. False: the reply says what is wrong. */
static bool split(struct aff_call *call, struct aff_text *entries, size_t *ret_n)
{
    size_t most = call->context->live.events_batch;
    struct aff_error error;
    aff_status status = aff_dispatch_is_lines(call)
                            ? aff_split_lines(call->body, entries, most, ret_n, &error)
                            : aff_split_json(call->body, "events", entries, most, ret_n, &error);

    if (status == AFF_OK && *ret_n > 0)
        return true;
    if (status == AFF_OK)
        status = aff_error_set(&error, AFF_INVALID, "without events");
    aff_problem_write(call->reply, status == AFF_LIMIT ? AFF_PROBLEM_TOO_LARGE : AFF_PROBLEM_MALFORMED,
                      call->request_id, NULL, status == AFF_LIMIT ? "%s" : "the body is %s", error.text);
    return false;
}

static void note_refused(struct aff_event_job *job, const struct aff_event_parser *parser, size_t index)
{
    struct aff_json *json = &job->refused;

    aff_json_open_object(json);
    aff_json_name(json, "index");
    aff_json_uint(json, index);
    aff_json_name(json, "event_id");
    if (parser->event_id.size > 0)
        aff_json_text(json, parser->event_id);
    else
        aff_json_null(json);
    aff_json_name(json, "errors");
    aff_json_open_array(json);
    aff_json_raw(json, parser->errors.bytes, parser->errors.size);
    aff_json_close_array(json);
    aff_json_close_object(json);
    job->n_refused++;
}

/* The product's key in the index as it is now; 0: not known there. */
static int32_t key_of(const struct aff_model *model, struct aff_text id)
{
    uint32_t row = model == NULL || id.size == 0 ? AFF_NO_ROW : aff_catalogue_find(model->catalogue, id);

    return row == AFF_NO_ROW ? 0 : aff_catalogue_product(model->catalogue, row)->key;
}

static aff_status read_one(struct aff_call *call, struct aff_event_job *job, const struct aff_model *model,
                           struct aff_text text, size_t index)
{
    struct aff_event_parser *parser = &call->context->events;
    struct aff_event event;
    aff_status status = aff_event_parse(parser, text, aff_clock_now_us(), &event);

    if (status == AFF_INVALID) {
        note_refused(job, parser, index);
        aff_count(&call->context->counters->events_refused[parser->kind], 1);
        return job->refused.failed ? AFF_NOMEM : AFF_OK;
    }
    if (status != AFF_OK)
        return status;
    event.product_key = key_of(model, event.product);
    job->by_kind[event.kind]++;
    job->n_without_id += parser->event_id.size == 0;
    return aff_event_pack_add(&job->pack, &event);
}

static aff_status read_all(struct aff_call *call, struct aff_event_job *job, struct aff_store *store,
                           const struct aff_text *entries, size_t n)
{
    struct aff_context *context = call->context;
    const struct aff_model *model = store == NULL ? NULL : aff_slot_acquire(store->slot);
    aff_status status = AFF_OK;

    if (context->events.made == 0 && context->events.prefix[0] == 0) {
        uint64_t prefix = aff_random_next(&context->random) | 1;
        memcpy(context->events.prefix, &prefix, sizeof prefix);
    }
    for (size_t i = 0; i < n && status == AFF_OK; i++)
        status = read_one(call, job, model, entries[i], i);
    if (store != NULL)
        aff_slot_release(store->slot);
    return status;
}

static void take(struct aff_call *call, struct aff_text *entries)
{
    struct aff_store *store;
    struct aff_text name;
    size_t n = 0;

    if (!find_store(call, &name, &store) || !split(call, entries, &n))
        return;
    struct aff_event_job *job = aff_event_job_new();
    if (job == NULL || aff_event_pack_begin(&job->pack, name) != AFF_OK ||
        read_all(call, job, store, entries, n) != AFF_OK) {
        aff_event_job_free(job);
        no_memory(call);
        return;
    }
    if (job->pack.n == 0 || call->context->shared->events == NULL) {
        job->outcome = job->pack.n == 0 ? AFF_EVENTS_STORED : AFF_EVENTS_AWAY;
        aff_event_job_answer(job, call);
        aff_event_job_free(job);
    } else if (aff_call_wait(call, &job->job)) {
        aff_events_submit(call->context->shared->events, job);
    } else {
        aff_event_job_free(job);
    }
}

void aff_route_events(struct aff_call *call)
{
    struct aff_text *entries = malloc(call->context->live.events_batch * sizeof *entries);

    if (entries == NULL)
        no_memory(call);
    else
        take(call, entries);
    free(entries);
}
