/* SPDX-License-Identifier: Apache-2.0 */
#include "server/memory.h"

#include <math.h>

#define HALF_LIVES_READ 4 /* by then an impression counts 1/16 */

aff_status aff_memory_init(struct aff_memory *memory, size_t sessions)
{
    *memory = (struct aff_memory){0};
    aff_status status = aff_recent_new(sessions, AFF_SESSION_PRODUCTS, &memory->views);
    if (status == AFF_OK)
        status = aff_recent_new(sessions, AFF_SESSION_PRODUCTS, &memory->carts);
    if (status == AFF_OK)
        status = aff_recent_new(sessions, AFF_REJECTED_MAX / 2, &memory->rejections);
    if (status == AFF_OK)
        status = aff_shown_new(sessions, &memory->shown);
    if (status != AFF_OK)
        aff_memory_done(memory);
    return status;
}

void aff_memory_done(struct aff_memory *memory)
{
    aff_recent_free(memory->views);
    aff_recent_free(memory->carts);
    aff_recent_free(memory->rejections);
    aff_shown_free(memory->shown);
    *memory = (struct aff_memory){0};
}

static uint64_t session_of(struct aff_text store, uint64_t session)
{
    return aff_recent_person(aff_text_hash(store), session);
}

/* A customer is never the session of the same name. */
static uint64_t customer_of(struct aff_text store, struct aff_text customer)
{
    return aff_recent_person(~aff_text_hash(store), aff_text_hash(customer));
}

int aff_memory_impression_hours(const struct aff_config *config)
{
    return (int)ceil(HALF_LIVES_READ * config->recommend_impression_half_life_hours);
}

/* Notes that the product was shown to, or clicked by, whoever the event names. */
static void note_shown(struct aff_memory *memory, struct aff_text store, const struct aff_event *event,
                       bool clicked)
{
    if (event->has_session)
        aff_shown_note(memory->shown, session_of(store, event->session), event->product_key, event->at_us,
                       clicked);
    if (event->customer.size > 0)
        aff_shown_note(memory->shown, customer_of(store, event->customer), event->product_key, event->at_us,
                       clicked);
}

/* What becomes of what was shown. A session that looks at a product, or puts it into the cart, has clicked
 * it, whether or not the shop says so. */
static void note_impression(struct aff_memory *memory, struct aff_text store, const struct aff_event *event)
{
    switch (event->kind) {
    case AFF_EVENT_KIND_IMPRESSION:
        note_shown(memory, store, event, false);
        break;
    case AFF_EVENT_KIND_CLICK:
    case AFF_EVENT_KIND_ACCEPTANCE:
        note_shown(memory, store, event, true);
        break;
    case AFF_EVENT_KIND_VIEW:
    case AFF_EVENT_KIND_CART:
        if (event->has_session && !event->removes)
            aff_shown_note(memory->shown, session_of(store, event->session), event->product_key, event->at_us,
                           true);
        break;
    default:
        break;
    }
}

void aff_memory_note(struct aff_memory *memory, struct aff_text store, const struct aff_event *event)
{
    const uint64_t session = session_of(store, event->session);
    const int32_t product = event->product_key;

    if (event->kind == AFF_EVENT_KIND_PURCHASE && event->has_session)
        aff_recent_clear(memory->carts, session, event->at_us);
    if (product == 0)
        return;
    note_impression(memory, store, event);
    if (event->kind == AFF_EVENT_KIND_VIEW && event->has_session)
        aff_recent_note(memory->views, session, product, event->at_us, false);
    if (event->kind == AFF_EVENT_KIND_CART && event->has_session)
        aff_recent_note(memory->carts, session, product, event->at_us, event->removes);
    if (event->kind == AFF_EVENT_KIND_REJECTION) {
        if (event->has_session)
            aff_recent_note(memory->rejections, session, product, event->at_us, false);
        if (event->customer.size > 0)
            aff_recent_note(memory->rejections, customer_of(store, event->customer), product, event->at_us,
                            false);
    }
}

/* Cart lines of the products that the catalogue still has. */
static size_t write_lines(const struct aff_catalogue *catalogue, const int32_t *products, size_t n,
                          struct aff_cart_line *ret_lines)
{
    size_t n_lines = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t row = aff_catalogue_find_key(catalogue, products[i]);
        if (row != AFF_NO_ROW)
            ret_lines[n_lines++] = (struct aff_cart_line){
                .product = aff_catalogue_product(catalogue, row)->id,
                .quantity = 1,
                .price = AFF_NO_MONEY,
            };
    }
    return n_lines;
}

/* The session's cart in the order in which it was filled; without one what was viewed, of which the newest
 * product is the one that is looked at. */
static void recall_session(struct aff_memory *memory, uint64_t session, int64_t since_us,
                           const struct aff_catalogue *catalogue, struct aff_request *request,
                           struct aff_memory_recall *recall)
{
    int32_t products[AFF_SESSION_PRODUCTS];
    size_t n = 0;

    if (request->n_cart > 0)
        return;
    n = aff_recent_read(memory->carts, session, since_us, products, AFF_SESSION_PRODUCTS);
    n = write_lines(catalogue, products, n, recall->cart);
    if (n > 0) {
        request->as = AFF_AS_ADDED;
    } else if (request->product.size == 0) {
        n = aff_recent_read(memory->views, session, since_us, products, AFF_SESSION_PRODUCTS);
        n = write_lines(catalogue, products, n, recall->cart);
        if (n == 0)
            return;
        request->as = AFF_AS_VIEWS;
        request->product = recall->cart[n - 1].product;
    }
    request->cart = recall->cart;
    request->n_cart = n;
}

static void recall_shown(struct aff_memory *memory, struct aff_text store,
                         const struct aff_memory_terms *terms, struct aff_parameters *parameters,
                         struct aff_memory_recall *recall)
{
    struct aff_request *request = &parameters->request;
    struct aff_shown_note of_session[AFF_SHOWN_MAX], of_customer[AFF_SHOWN_MAX];
    size_t n_session = 0, n_customer = 0;

    if (parameters->session.size > 0)
        n_session =
            aff_shown_read(memory->shown, session_of(store, aff_text_hash(parameters->session)), of_session);
    if (request->customer.size > 0)
        n_customer = aff_shown_read(memory->shown, customer_of(store, request->customer), of_customer);
    request->impressed = recall->impressed;
    request->n_impressed = aff_shown_count(of_session, n_session, of_customer, n_customer, request->now_us,
                                           terms->impression_half_life_s, recall->impressed);
}

void aff_memory_recall(struct aff_memory *memory, struct aff_text store, const struct aff_memory_terms *terms,
                       const struct aff_catalogue *catalogue, struct aff_parameters *parameters,
                       struct aff_memory_recall *recall)
{
    struct aff_request *request = &parameters->request;
    int64_t rejected_us = request->now_us - terms->rejection_us;
    size_t n = 0;

    if (parameters->session.size > 0) {
        uint64_t session = session_of(store, aff_text_hash(parameters->session));
        recall_session(memory, session, request->now_us - terms->session_us, catalogue, request, recall);
        n = aff_recent_read(memory->rejections, session, rejected_us, recall->rejected, AFF_REJECTED_MAX / 2);
    }
    if (request->customer.size > 0)
        n += aff_recent_read(memory->rejections, customer_of(store, request->customer), rejected_us,
                             recall->rejected + n, AFF_REJECTED_MAX / 2);
    request->rejected = recall->rejected;
    request->n_rejected = n;
    recall_shown(memory, store, terms, parameters, recall);
}
