/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of `affinityctl recommend`. */
#pragma once

#include "cli/settings.h"
#include "core/learn/rows.h"
#include "core/recommend/request.h"

enum { AFF_BATCH_LIMIT_DEFAULT = 20 };

/* Texts are borrowed from argv. Large: not for the stack of a thread. */
struct aff_recommend_options {
    struct aff_settings settings;
    struct aff_request request; /* the question; in a batch, what all questions have in common */
    struct aff_cart_line cart[AFF_CART_MAX];
    struct aff_text exclude[AFF_EXCLUDE_MAX];
    const char *batch; /* file or "-"; NULL: one question from the options */
    bool method_given; /* else the stored neighbour rows are used */
    enum aff_method method;
    bool json, no_customer;
    unsigned without; /* bits 1 << number of a weight (core/recommend/weights.h) that is taken as 0 */
};

/* Reads argv; AFF_INVALID with a text about the first wrong argument. With settings.help nothing is checked.
 */
AFF_MUST_CHECK aff_status aff_recommend_options_read(int argc, char **argv,
                                                     struct aff_recommend_options *ret_options,
                                                     struct aff_error *reterr);

extern const char aff_recommend_help[];
