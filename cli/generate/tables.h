/* SPDX-License-Identifier: Apache-2.0 */
/* products.csv and customers.csv of the demo store. */
#pragma once

#include "cli/generate/catalogue.h"
#include "cli/generate/output.h"

#include <stdint.h>

void aff_demo_write_products(const struct aff_demo_catalogue *catalogue, struct aff_output *output);
void aff_demo_write_customers(uint64_t seed, uint32_t customers, struct aff_output *output);
