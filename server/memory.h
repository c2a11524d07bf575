/* SPDX-License-Identifier: Apache-2.0 */
/* What recommendations have to know of the newest events: the products of each session, viewed or in its
 * cart, and what customers and sessions have rejected, or were shown and did not click. Fed by the events'
 * threads before a request is answered, and from the database after a start; read by requests. */
#pragma once

#include "config/config.h"
#include "core/catalogue/catalogue.h"
#include "core/event/event.h"
#include "core/session/recent.h"
#include "core/session/shown.h"
#include "server/parameters.h"

#define AFF_SESSION_PRODUCTS 50 /* viewed, and as many in the cart */

struct aff_memory {
    struct aff_recent *views, *carts, *rejections;
    struct aff_shown *shown;
};

/* For as many sessions. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_memory_init(struct aff_memory *memory, size_t sessions);
void aff_memory_done(struct aff_memory *memory);

/* Takes note of an event of the store; of kinds that do not matter here nothing. Any thread; an event may
 * come twice, and events in any order. */
void aff_memory_note(struct aff_memory *memory, struct aff_text store, const struct aff_event *event);

/* Hours after which an impression counts so little that it is not read back after a start. */
int aff_memory_impression_hours(const struct aff_config *config);

/* How long what counts. */
struct aff_memory_terms {
    int64_t session_us, rejection_us;
    double impression_half_life_s;
};

/* What a request is answered with beside what it says. */
struct aff_memory_recall {
    struct aff_cart_line cart[AFF_SESSION_PRODUCTS];
    int32_t rejected[AFF_REJECTED_MAX];
    struct aff_impressed impressed[AFF_IMPRESSED_MAX];
};

/* Adds what is remembered to the request: without a cart that of its session, in the order of adding; without
 * that and without a product the products viewed in it, the last one as the page's; what must not be offered,
 * and what was shown and not clicked. Texts are those of `catalogue`. */
void aff_memory_recall(struct aff_memory *memory, struct aff_text store, const struct aff_memory_terms *terms,
                       const struct aff_catalogue *catalogue, struct aff_parameters *parameters,
                       struct aff_memory_recall *recall);
