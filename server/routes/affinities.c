/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbours of one product with the evidence behind each. */
#include "core/base/clock.h"
#include "core/learn/evidence.h"
#include "server/call.h"
#include "server/present.h"
#include "server/problem.h"
#include "server/routes/lookup.h"
#include "server/routes/routes.h"

static bool passes(const struct aff_model *model, enum aff_relation relation,
                   const struct aff_request *request, uint32_t product, uint32_t other,
                   const struct aff_pair_counts *counts)
{
    if (counts->orders < request->min_orders)
        return false;
    if (request->min_lift == 0 && request->min_confidence == 0)
        return true;
    struct aff_evidence evidence = aff_present_evidence_of(model, relation, product, other, counts);
    return evidence.lift >= request->min_lift && evidence.confidence >= request->min_confidence;
}

/* NULL: there is none. */
static const struct aff_row *row_of(const struct aff_model *model, enum aff_relation relation,
                                    uint32_t product)
{
    if (relation == AFF_RELATION_VIEWED)
        return model->viewed == NULL ? NULL : aff_neighbours_row(model->viewed, product);
    return aff_neighbours_row(relation == AFF_RELATION_NEXT ? model->next : model->together, product);
}

static void write_item(struct aff_call *call, const struct aff_model *model, uint32_t product,
                       const struct aff_neighbour *neighbour, const struct aff_pair_counts *counts,
                       uint32_t rank)
{
    const struct aff_note *note = aff_notes_of(&call->context->notes, model);
    struct aff_json *json = call->reply->body;

    aff_json_open_object(json);
    aff_json_name(json, "product");
    aff_json_text(json, aff_catalogue_product(model->catalogue, neighbour->row)->id);
    aff_json_name(json, "rank");
    aff_json_uint(json, rank);
    aff_json_name(json, "score");
    aff_json_double(json, (double)neighbour->score);
    aff_json_name(json, "evidence");
    aff_present_evidence(json, model, note, call->context->parameters.relation, product, neighbour->row,
                         counts);
    aff_json_close_object(json);
}

static void write_items(struct aff_call *call, const struct aff_model *model, uint32_t product)
{
    const struct aff_parameters *parameters = &call->context->parameters;
    const struct aff_row *row = row_of(model, parameters->relation, product);
    uint32_t written = 0;

    aff_json_name(call->reply->body, "items");
    aff_json_open_array(call->reply->body);
    for (uint32_t i = 0; row != NULL && i < row->n && written < parameters->request.limit; i++)
        if (passes(model, parameters->relation, &parameters->request, product, row->entries[i].row,
                   &aff_row_counts(row)[i]))
            write_item(call, model, product, &row->entries[i], &aff_row_counts(row)[i], ++written);
    aff_json_close_array(call->reply->body);
    aff_json_name(call->reply->body, "neighbours");
    aff_json_uint(call->reply->body, row == NULL ? 0 : row->n);
}

static void answer_from(struct aff_call *call, const struct aff_store *store, const struct aff_model *model)
{
    struct aff_json *json = call->reply->body;
    struct aff_text id = {call->id, call->id_size};
    uint32_t product = aff_catalogue_find(model->catalogue, id);

    if (product == AFF_NO_ROW) {
        aff_problem_write(call->reply, AFF_PROBLEM_NOT_FOUND, call->request_id, NULL,
                          "store %s has no such product", model->store);
        return;
    }
    aff_json_open_object(json);
    aff_json_name(json, "request_id");
    aff_json_text(json, call->request_id);
    aff_json_name(json, "index");
    aff_present_index(json, model, aff_notes_of(&call->context->notes, model),
                      aff_store_age_s(store, aff_clock_now_us()));
    aff_json_name(json, "product");
    aff_json_text(json, id);
    aff_json_name(json, "relation");
    aff_json_string(json, aff_present_relation(call->context->parameters.relation));
    write_items(call, model, product);
    aff_json_name(json, "took_us");
    aff_json_int(json, aff_clock_monotonic_us() - call->started_us);
    aff_json_close_object(json);
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_JSON;
}

void aff_route_affinities(struct aff_call *call)
{
    struct aff_store *store;

    if (!aff_lookup_parameters(call, AFF_PARAMETERS_AFFINITIES) || !aff_lookup_store(call, &store))
        return;
    const struct aff_model *model = aff_slot_acquire(store->slot);
    if (model == NULL)
        aff_lookup_not_ready(call);
    else
        answer_from(call, store, model);
    aff_slot_release(store->slot);
}
