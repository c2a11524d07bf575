/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/orders, PUT /v1/products, PUT /v1/customers: accept the request and let it wait for a writer. */
#include "server/call.h"
#include "server/problem.h"
#include "server/routes/lookup.h"
#include "server/routes/routes.h"
#include "server/write.h"
#include "server/writer.h"

/* Only `store` may stand in the query string. */
#define ALLOWED (1u << AFF_PARAMETER_store)

static void accept_write(struct aff_call *call, enum aff_batch_kind kind)
{
    struct aff_context *context = call->context;
    struct aff_parameters *parameters = &context->parameters;

    if (!aff_lookup_query(call, ALLOWED))
        return;
    if (context->shared->writer == NULL) {
        aff_problem_write(call->reply, AFF_PROBLEM_DATABASE, call->request_id, NULL,
                          "the service runs without a database");
        call->reply->retry_after_s = 1;
        return;
    }
    struct aff_text store = parameters->store.size > 0 ? parameters->store : aff_text_of(context->live.store);
    struct aff_write *write = aff_write_new(call, kind, store);
    if (write != NULL)
        aff_writer_submit(context->shared->writer, write);
}

void aff_route_put_orders(struct aff_call *call)
{
    accept_write(call, AFF_BATCH_ORDERS);
}

void aff_route_put_products(struct aff_call *call)
{
    accept_write(call, AFF_BATCH_PRODUCTS);
}

void aff_route_put_customers(struct aff_call *call)
{
    accept_write(call, AFF_BATCH_CUSTOMERS);
}
