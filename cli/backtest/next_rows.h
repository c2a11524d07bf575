/* SPDX-License-Identifier: Apache-2.0 */
/* What customers buy in their next order, of the earlier orders alone. */
#pragma once

#include "cli/backtest/learned.h"

/* Rows of the relation `next` as a rebuild makes them, as rows of the catalogue. AFF_NOMEM, AFF_CANCELLED. */
AFF_MUST_CHECK aff_status aff_next_rows_learn(const struct aff_learned *learned,
                                              const struct aff_watch *watch,
                                              struct aff_neighbours **ret_rows);
