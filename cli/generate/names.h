/* SPDX-License-Identifier: Apache-2.0 */
/* How the demo store's products are called and described. */
#pragma once

#include "cli/generate/catalogue.h"

enum { AFF_DEMO_NAME = 160 };

/* Texts are borrowed from static lists and not NUL-terminated; empty when the type has no such thing. */
struct aff_demo_description {
    char name[AFF_DEMO_NAME]; /* unique in the store */
    struct aff_text brand, colour, material, size;
    const char *tier;    /* "basic", "plus", "pro" or "" */
    uint32_t family;     /* from 1 in the type; 0: not a family */
    int32_t price_level; /* of the brand, in per cent */
};

/* Describes the product of a rank in a type. All products of one family share everything but the tier. */
void aff_demo_describe(enum aff_demo_type_name type, uint32_t rank, struct aff_demo_description *ret);
