/* SPDX-License-Identifier: Apache-2.0 */
/* Quantity and price of an order line. */
#pragma once

#include "cli/generate/agenda.h"
#include "cli/generate/calendar.h"
#include "cli/generate/catalogue.h"
#include "cli/generate/customers.h"

#include <stdint.h>

/* The price cut on a type of product on a day, in per cent: most weeks none. A promotion lasts a week; many
 * come in the last days of November. */
int32_t aff_demo_promotion(uint64_t seed, uint32_t type, const struct aff_demo_calendar *calendar,
                           int32_t day);

/* The line of a product as one customer buys it, at `cut` per cent less (but never below cost). */
struct aff_demo_line aff_demo_buy(const struct aff_demo_catalogue *catalogue,
                                  const struct aff_demo_traits *traits, struct aff_random *random,
                                  int32_t product, int32_t cut);
