/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of parameters however they were read. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "server/parameters.h"

#include <stdlib.h>

static inline void must(bool holds)
{
    if (!holds)
        abort();
}

static inline void check_id(struct aff_text id)
{
    must(id.size == 0 || aff_text_is_id(id));
}

/* Either nothing is wrong and the request keeps the limits of core/recommend/request.h, or there are reasons.
 */
static inline void check_parameters(struct aff_parameters *parameters)
{
    const struct aff_request *request = &parameters->request;

    must(aff_text_is_utf8((struct aff_text){parameters->errors.list.bytes, parameters->errors.list.size}));
    if (!aff_parameters_check(parameters)) {
        must(parameters->errors.n > 0 && parameters->errors.list.size > 0);
        return;
    }
    must(request->n_cart <= AFF_CART_MAX && request->n_exclude <= AFF_EXCLUDE_MAX);
    must(request->n_filters <= AFF_FILTER_MAX && request->limit >= 1 && request->limit <= AFF_ITEMS_MAX);
    must(request->kinds >> AFF_KIND_MAX == 0 && request->min_lift >= 0 && request->min_confidence <= 1);
    must(request->diversity >= 0 && request->diversity <= 1 && request->rotation >= 0 &&
         request->rotation <= 1);
    for (size_t i = 0; i < request->n_cart; i++)
        must(aff_text_is_id(request->cart[i].product) && request->cart[i].quantity >= 1);
    for (size_t i = 0; i < request->n_exclude; i++)
        must(aff_text_is_id(request->exclude[i]));
    for (size_t i = 0; i < request->n_filters; i++)
        must(request->filters[i].field == AFF_FILTER_PRICE || request->filters[i].compare <= AFF_COMPARE_NE);
    check_id(request->customer);
    check_id(request->product);
    check_id(request->why_not);
    check_id(parameters->store);
    check_id(parameters->session);
}
