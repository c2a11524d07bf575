/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the parameters: the table, and the one place where a checked value is put into the request. Used
 * by the two readers only. */
#pragma once

#include "server/parameters.h"

enum aff_parameter_kind {
    AFF_KIND_OF_ID,
    AFF_KIND_OF_IDS,
    AFF_KIND_OF_CART,
    AFF_KIND_OF_FILTERS,
    AFF_KIND_OF_WHOLE,
    AFF_KIND_OF_REAL,
    AFF_KIND_OF_FLAG,
    AFF_KIND_OF_CHOICE,
    AFF_KIND_OF_CHOICES,
    AFF_KIND_OF_LOCALE,
    AFF_KIND_OF_CURRENCY,
};

struct aff_parameter_row {
    const char *name;
    size_t name_size;
    enum aff_parameter_kind kind;
    double least, most;
};

extern const struct aff_parameter_row aff_parameter_rows[];

/* The parameter of that name among the allowed ones, AFF_PARAMETER_MAX if there is none; adds the error. */
enum aff_parameter aff_parameter_find(struct aff_parameters *parameters, struct aff_text name);

/* Put one value in place, or add an error for `field`. */
void aff_parameter_put_text(struct aff_parameters *parameters, enum aff_parameter parameter,
                            struct aff_text field, struct aff_text value);
void aff_parameter_put_whole(struct aff_parameters *parameters, enum aff_parameter parameter,
                             struct aff_text field, int64_t value);
void aff_parameter_put_real(struct aff_parameters *parameters, enum aff_parameter parameter,
                            struct aff_text field, double value);
void aff_parameter_put_flag(struct aff_parameters *parameters, enum aff_parameter parameter, bool value);

/* One more word of a CHOICE or CHOICES. */
void aff_parameter_put_word(struct aff_parameters *parameters, enum aff_parameter parameter,
                            struct aff_text field, struct aff_text word);

/* One more entry of IDS, FILTERS, or a cart line of quantity 1 without price. */
void aff_parameter_add(struct aff_parameters *parameters, enum aff_parameter parameter, struct aff_text field,
                       struct aff_text value);

/* A cart line; NULL if the cart is full, then the error has been added. */
struct aff_cart_line *aff_parameter_add_line(struct aff_parameters *parameters);

/* Reads "price<2000", "category=Garden", "attributes.colour!=red". False: `ret_reason` says what is wrong. */
bool aff_filter_parse(struct aff_text text, struct aff_filter *ret_filter, const char **ret_reason);

/* A whole number without blanks and plus sign. */
bool aff_parameter_whole(struct aff_text text, int64_t *ret_value);
