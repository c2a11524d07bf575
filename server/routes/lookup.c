/* SPDX-License-Identifier: Apache-2.0 */
#include "server/routes/lookup.h"

#include "server/problem.h"

/* With POST the parameters are all in the body, so that no two places can disagree. */
static bool read_body(struct aff_call *call, struct aff_parameters *parameters)
{
    struct aff_error error;

    if (call->query_size > 0) {
        aff_problem_write(call->reply, AFF_PROBLEM_MALFORMED, call->request_id, NULL,
                          "with POST all parameters are in the body, none in the query string");
        return false;
    }
    switch (aff_parameters_read_json(parameters, call->body, &error)) {
    case AFF_OK:
        return true;
    case AFF_NOMEM:
        aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL, "%s", error.text);
        call->reply->retry_after_s = 1;
        return false;
    default:
        aff_problem_write(call->reply, AFF_PROBLEM_MALFORMED, call->request_id, NULL, "the body is %s",
                          error.text);
        return false;
    }
}

/* Says what is wrong with the parameters that have been read, if anything is. */
static bool check(struct aff_call *call)
{
    struct aff_parameters *parameters = &call->context->parameters;

    if (aff_parameters_check(parameters))
        return true;
    aff_problem_write(call->reply, AFF_PROBLEM_FIELDS, call->request_id, &parameters->errors, "%zu %s",
                      parameters->errors.n,
                      parameters->errors.n == 1 ? "field is wrong" : "fields are wrong");
    return false;
}

bool aff_lookup_parameters(struct aff_call *call, unsigned allowed)
{
    struct aff_parameters *parameters = &call->context->parameters;

    if (call->method != AFF_METHOD_POST)
        return aff_lookup_query(call, allowed);
    aff_parameters_reset(parameters, allowed);
    return read_body(call, parameters) && check(call);
}

bool aff_lookup_query(struct aff_call *call, unsigned allowed)
{
    struct aff_parameters *parameters = &call->context->parameters;

    aff_parameters_reset(parameters, allowed);
    aff_parameters_read_query(parameters, call->query, call->query_size);
    return check(call);
}

void aff_lookup_not_ready(struct aff_call *call)
{
    aff_problem_write(call->reply, AFF_PROBLEM_UNAVAILABLE, call->request_id, NULL,
                      "%s; /health/ready says why", aff_status_text(AFF_NOTREADY));
    call->reply->retry_after_s = 1;
}

bool aff_lookup_store(struct aff_call *call, struct aff_store **ret_store)
{
    struct aff_context *context = call->context;
    struct aff_parameters *parameters = &context->parameters;
    struct aff_text usual = aff_text_of(context->live.store);
    bool named = parameters->store.size > 0;
    struct aff_store *store = aff_stores_find(context->shared->stores, named ? parameters->store : usual);

    if (store != NULL) {
        *ret_store = store;
        return true;
    }
    /* Before the first look into the database nobody knows which stores there are. */
    bool loaded = atomic_load_explicit(&context->shared->stores->n, memory_order_acquire) > 0;
    if (named && loaded) {
        aff_field_error(&parameters->errors, aff_text_of("store"), "there is no such store");
        aff_problem_write(call->reply, AFF_PROBLEM_UNFIT, call->request_id, &parameters->errors,
                          "the store is not known");
    } else {
        aff_lookup_not_ready(call);
    }
    return false;
}
