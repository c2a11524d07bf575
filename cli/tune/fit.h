/* SPDX-License-Identifier: Apache-2.0 */
/* Fitting the weights of a store as the configuration says, with progress on standard error. */
#pragma once

#include "config/config.h"
#include "sql/measure/tuning.h"

/* Fits the store of the configuration, but only if its last fit is older than `due_s` seconds (0: whenever it
 * was); ret_report->due tells. Errors are those of aff_tune; after Ctrl-C, which aff_phases_catch() must have
 * been called for, AFF_CANCELLED with a text for the person who pressed it. */
AFF_MUST_CHECK aff_status aff_fit_store(struct aff_connection *connection, const struct aff_config *config,
                                        int64_t due_s, bool dry_run, bool quiet,
                                        struct aff_tuning_report *ret_report, struct aff_error *reterr);
