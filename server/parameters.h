/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a request, read from a query string or a JSON body and checked against one table
 * (parameters.def). Whatever is wrong is gathered, every field of it; nothing is coerced. */
#pragma once

#include "core/index/neighbours.h"
#include "core/learn/reviews.h"
#include "core/recommend/request.h"
#include "server/field_errors.h"

#include <stdbool.h>

#define AFF_BODY_DEPTH 32     /* nesting of a JSON body */
#define AFF_BODY_VALUES 10000 /* values of a JSON body */

enum aff_parameter {
#define PARAMETER(name, kind, least, most) AFF_PARAMETER_##name,
#include "server/parameters.def"
#undef PARAMETER
    AFF_PARAMETER_MAX
};

#define AFF_PARAMETER_BIT(name) (1u << AFF_PARAMETER_##name)
#define AFF_PARAMETERS_AFFINITIES                                                                            \
    (AFF_PARAMETER_BIT(store) | AFF_PARAMETER_BIT(relation) | AFF_PARAMETER_BIT(limit) |                     \
     AFF_PARAMETER_BIT(min_orders) | AFF_PARAMETER_BIT(min_lift) | AFF_PARAMETER_BIT(min_confidence))
#define AFF_PARAMETERS_REVIEW                                                                                \
    (AFF_PARAMETER_BIT(store) | AFF_PARAMETER_BIT(limit) | AFF_PARAMETER_BIT(state) |                        \
     AFF_PARAMETER_BIT(reason) | AFF_PARAMETER_BIT(cursor))
#define AFF_PARAMETERS_RECOMMEND                                                                             \
    (((1u << AFF_PARAMETER_MAX) - 1) & ~(AFF_PARAMETER_BIT(relation) | AFF_PARAMETER_BIT(state) |            \
                                         AFF_PARAMETER_BIT(reason) | AFF_PARAMETER_BIT(cursor)))

/* Members of an item that `fields` can name, and whether they are there when it names none. */
#define AFF_ITEM_FIELD_LIST(X)                                                                               \
    X(product, 1)                                                                                            \
    X(kind, 1)                                                                                               \
    X(rank, 1)                                                                                               \
    X(score, 1)                                                                                              \
    X(origin, 1)                                                                                             \
    X(price, 1)                                                                                              \
    X(compare_at, 1)                                                                                         \
    X(discount, 1)                                                                                           \
    X(cta, 1)                                                                                                \
    X(reason, 1)                                                                                             \
    X(angle, 1)                                                                                              \
    X(evidence, 1)                                                                                           \
    X(terms, 1)                                                                                              \
    X(low_confidence, 1)                                                                                     \
    X(name, 0)                                                                                               \
    X(category, 0)                                                                                           \
    X(brand, 0)

enum aff_item_field {
#define X(name, usual) AFF_ITEM_FIELD_##name,
    AFF_ITEM_FIELD_LIST(X)
#undef X
        AFF_ITEM_FIELD_MAX
};

struct aff_document;

/* Set to zero before the first reset. Texts point into the query string that was read or into `document`. */
struct aff_parameters {
    struct aff_request request;                       /* its arrays are those below */
    struct aff_text store, session, locale, currency; /* empty: not given */
    struct aff_text cursor;                           /* empty: not given */
    enum aff_relation relation;
    enum aff_verdict verdict;
    unsigned fields; /* bits 1 << enum aff_item_field */
    bool dry_run;
    unsigned given;   /* bits 1 << enum aff_parameter */
    unsigned allowed; /* the same */
    struct aff_field_errors errors;
    struct aff_document *document;
    struct aff_cart_line cart[AFF_CART_MAX];
    struct aff_text exclude[AFF_EXCLUDE_MAX];
    struct aff_filter filters[AFF_FILTER_MAX];
};

/* Sets everything to its default; `allowed` are the parameters that the resource has. */
void aff_parameters_reset(struct aff_parameters *parameters, unsigned allowed);
void aff_parameters_done(struct aff_parameters *parameters);

/* Reads "name=value&..." and decodes it in place. What is wrong is in parameters->errors. */
void aff_parameters_read_query(struct aff_parameters *parameters, char *query, size_t size);

/* Reads a JSON object. AFF_INVALID, AFF_LIMIT, AFF_NOMEM: it is none, see *reterr; wrong members are in
 * parameters->errors and give AFF_OK. */
AFF_MUST_CHECK aff_status aff_parameters_read_json(struct aff_parameters *parameters, struct aff_text body,
                                                   struct aff_error *reterr);

/* Checks what concerns several parameters; to be called after reading. True if nothing is wrong. */
bool aff_parameters_check(struct aff_parameters *parameters);
