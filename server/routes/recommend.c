/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/base/random.h"
#include "server/call.h"
#include "server/memory.h"
#include "server/present.h"
#include "server/problem.h"
#include "server/routes/lookup.h"
#include "server/routes/routes.h"

/* Near-ties change places by customer, else by session, and by the hour, so that a page looks the same while
 * a visitor moves about, and another time shows others first. */
static uint64_t seed_of(const struct aff_parameters *parameters, struct aff_text store)
{
    const struct aff_text customer = parameters->request.customer;
    const uint64_t hour = (uint64_t)(parameters->request.now_us / (3600 * AFF_SECOND_US));
    const struct aff_text who = customer.size > 0 ? customer : parameters->session;
    struct aff_random random = {.state = aff_text_hash(who) ^ hour};

    return aff_random_next(&random) ^ aff_text_hash(store);
}

static void write_answer(struct aff_call *call, const struct aff_store *store, const struct aff_model *model)
{
    struct aff_context *context = call->context;
    const struct aff_parameters *parameters = &context->parameters;
    const struct aff_note *note = aff_notes_of(&context->notes, model);
    struct aff_json *json = call->reply->body;
    char id[AFF_ID_TEXT];

    aff_json_open_object(json);
    aff_json_name(json, "request_id");
    aff_json_text(json, call->request_id);
    aff_json_name(json, "recommendation_id");
    aff_context_make_id(context, id);
    if (parameters->dry_run)
        aff_json_null(json);
    else
        aff_json_text(json, (struct aff_text){id, sizeof id});
    aff_json_name(json, "index");
    aff_present_index(json, model, note, aff_store_age_s(store, parameters->request.now_us));
    aff_json_name(json, "experiment");
    aff_json_null(json);
    aff_json_name(json, "holdout");
    aff_json_bool(json, false);
    aff_present_items(json, model, note, parameters, &context->answer);
    aff_present_rest(json, parameters, &context->answer);
    aff_json_name(json, "took_us");
    aff_json_int(json, aff_clock_monotonic_us() - call->started_us);
    aff_json_close_object(json);
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_JSON;
}

static void count(struct aff_call *call)
{
    const struct aff_answer *answer = &call->context->answer;
    struct aff_counters *counters = call->context->counters;

    aff_count(&counters->items, answer->n_items);
    aff_count(&counters->candidates, answer->candidates);
    aff_count(&counters->unknown_ids, answer->n_unknown);
    if (answer->n_items < call->context->parameters.request.limit)
        aff_count(&counters->short_answers, 1);
}

static void recall(struct aff_context *context, const struct aff_model *model,
                   struct aff_memory_recall *recalled)
{
    struct aff_memory_terms terms = {context->live.session_us, context->live.rejection_us,
                                     context->live.impression_half_life_s};

    if (context->shared->memory != NULL &&
        (context->parameters.session.size > 0 || context->parameters.request.customer.size > 0))
        aff_memory_recall(context->shared->memory, aff_text_of(model->store), &terms, model->catalogue,
                          &context->parameters, recalled);
}

static void answer_from(struct aff_call *call, const struct aff_store *store, const struct aff_model *model)
{
    struct aff_context *context = call->context;
    struct aff_parameters *parameters = &context->parameters;
    struct aff_memory_recall recalled;

    if (parameters->currency.size > 0 &&
        !aff_text_equal(parameters->currency, aff_text_of(model->currency))) {
        aff_field_error(&parameters->errors, aff_text_of("currency"), "this store's money is %s",
                        model->currency);
        aff_problem_write(call->reply, AFF_PROBLEM_UNFIT, call->request_id, &parameters->errors,
                          "prices are kept in one currency a store and are not converted");
        return;
    }
    recall(context, model, &recalled);
    parameters->request.seed = seed_of(parameters, aff_text_of(model->store));
    aff_status status = aff_recommend(model, &context->live.blend, context->workspace, &parameters->request,
                                      &context->answer);
    if (status != AFF_OK) {
        aff_problem_write(call->reply, aff_problem_of(status), call->request_id, NULL, "%s",
                          aff_status_text(status));
        return;
    }
    write_answer(call, store, model);
    count(call);
}

void aff_route_recommend(struct aff_call *call)
{
    struct aff_parameters *parameters = &call->context->parameters;
    struct aff_store *store;

    if (!aff_lookup_parameters(call, AFF_PARAMETERS_RECOMMEND))
        return;
    parameters->request.now_us = aff_clock_now_us();
    if (!aff_lookup_store(call, &store))
        return;
    const struct aff_model *model = aff_slot_acquire(store->slot);
    if (model == NULL)
        aff_lookup_not_ready(call);
    else
        answer_from(call, store, model);
    aff_slot_release(store->slot);
}
