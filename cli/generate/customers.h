/* SPDX-License-Identifier: Apache-2.0 */
/* The demo store's customers. What a customer is like follows from its number and the seed and is never
 * stored. */
#pragma once

#include "cli/generate/catalogue.h"

#include <stdint.h>

enum aff_demo_segment {
    AFF_SEGMENT_VALUE,
    AFF_SEGMENT_REGULAR,
    AFF_SEGMENT_PREMIUM,
    AFF_SEGMENT_BUSINESS,
    AFF_SEGMENTS
};

extern const char *const aff_demo_segment_names[AFF_SEGMENTS];

enum { AFF_DEMO_FAVOURITES = 3 };

/* The number of an order without a customer. */
#define AFF_DEMO_GUEST UINT32_MAX

struct aff_demo_traits {
    enum aff_demo_segment segment;           /* also the price band */
    uint8_t favourites[AFF_DEMO_FAVOURITES]; /* departments, the dearest first */
    const char *country;                     /* ISO 3166-1 alpha-2 */
};

/* Works for AFF_DEMO_GUEST, too: an average customer, another one for each `order`. */
struct aff_demo_traits aff_demo_traits_of(uint64_t seed, uint32_t customer, uint64_t order);

/* Writes the customer's id ("U0000042"), followed by a NUL; returns its length. */
enum { AFF_DEMO_CUSTOMER_ID = 16 };
int aff_demo_customer_id(uint32_t customer, char ret_id[AFF_DEMO_CUSTOMER_ID]);
