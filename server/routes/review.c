/* SPDX-License-Identifier: Apache-2.0 */
/* GET and PUT /v1/pairs/review: pairs that only the season explains, and what people decide about them. Both
 * wait for a writer, since both need the database. */
#include "server/call.h"
#include "server/problem.h"
#include "server/routes/lookup.h"
#include "server/routes/routes.h"
#include "server/write.h"
#include "server/writer.h"

static struct aff_write *prepare(struct aff_call *call, enum aff_batch_kind kind, unsigned allowed)
{
    struct aff_context *context = call->context;
    struct aff_parameters *parameters = &context->parameters;
    struct aff_review_cursor cursor = {0};

    if (!aff_lookup_query(call, allowed))
        return NULL;
    if (parameters->cursor.size > 0 && !aff_review_cursor_parse(parameters->cursor, &cursor)) {
        aff_field_error(&parameters->errors, aff_text_of("cursor"),
                        "must be next_cursor of an earlier answer");
        aff_problem_write(call->reply, AFF_PROBLEM_FIELDS, call->request_id, &parameters->errors,
                          "1 field is wrong");
        return NULL;
    }
    if (context->shared->writer == NULL) {
        aff_problem_write(call->reply, AFF_PROBLEM_DATABASE, call->request_id, NULL,
                          "the service runs without a database");
        call->reply->retry_after_s = 1;
        return NULL;
    }
    struct aff_text store = parameters->store.size > 0 ? parameters->store : aff_text_of(context->live.store);
    struct aff_write *write = aff_write_new(call, kind, store);
    if (write != NULL)
        write->list = (struct aff_review_query){parameters->verdict, cursor, parameters->request.limit};
    return write;
}

void aff_route_list_reviews(struct aff_call *call)
{
    struct aff_write *write = prepare(call, AFF_BATCH_REVIEW_LIST, AFF_PARAMETERS_REVIEW);

    if (write == NULL)
        return;
    write->key[0] = '\0'; /* a list changes nothing that would have to be kept from happening twice */
    aff_writer_submit(call->context->shared->writer, write);
}

void aff_route_put_reviews(struct aff_call *call)
{
    struct aff_write *write = prepare(call, AFF_BATCH_REVIEWS, AFF_PARAMETER_BIT(store));

    if (write != NULL)
        aff_writer_submit(call->context->shared->writer, write);
}
