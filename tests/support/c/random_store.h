/* SPDX-License-Identifier: Apache-2.0 */
/* Small random models and requests for tests of the engine. The same seed gives the same store. */
#pragma once

#include "core/base/random.h"
#include "core/index/model.h"
#include "core/recommend/request.h"

#define STORE_NOW_S 1732000000u

/* The texts that a random request borrows. */
struct random_request {
    struct aff_request request;
    struct aff_cart_line cart[AFF_CART_MAX];
    struct aff_text exclude[16];
    struct aff_filter filters[2];
    struct aff_impressed impressed[16];
    int32_t rejected[8];
    char ids[64][24];
    uint32_t n_ids;
};

/* "P<row>", the id of a product of a random store, and "C<number>" of a customer. */
void store_product_id(uint32_t row, char ret_id[24]);
void store_customer_id(uint32_t number, char ret_id[24]);
int32_t store_product_key(uint32_t row);

/* A model of `n_products` products and `n_customers` customers; scores are often from a few values only, so
 * that ties are common. The caller frees it with aff_model_free. Fails the test if memory is out. */
struct aff_model *store_model(struct aff_random *random, uint32_t n_products, uint32_t n_customers);

/* Gives such a model random sessions and baskets, sometimes only one of the two. */
void store_traces(struct aff_random *random, struct aff_model *model);

/* A row of distinct neighbours by falling score. */
struct aff_row *store_row(struct aff_random *random, uint32_t n_products, uint32_t n);

/* A request about products and customers of such a store, and some that are not in it. */
void store_request(struct aff_random *random, uint32_t n_products, uint32_t n_customers,
                   struct random_request *ret_request);

/* Makes of a random request one about views or the order of adding, now and then, with rejected products. */
void store_request_of_session(struct aff_random *random, uint32_t n_products, struct random_request *request);
