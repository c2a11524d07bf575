/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour rows for a model, made in memory of a finished count. */
#pragma once

#include "core/catalogue/catalogue.h"
#include "core/learn/rows.h"

/* Makes the rows of all products of `pairs` as rows of `catalogue`. AFF_DATA: a
 * product of the pairs is not in the catalogue. AFF_CANCELLED: `watch` (NULL: none) said so. */
AFF_MUST_CHECK aff_status aff_measured_rows(const struct aff_pairs *pairs,
                                            const struct aff_catalogue *catalogue,
                                            const struct aff_rows_settings *settings, int n_threads,
                                            const struct aff_watch *watch, struct aff_neighbours **ret_rows);
