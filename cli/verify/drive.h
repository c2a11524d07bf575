/* SPDX-License-Identifier: Apache-2.0 */
/* Drives a random stream of orders through intake, folds and rebuilds, in stores made for it. */
#pragma once

#include "cli/verify/options.h"
#include "core/base/parallel.h"
#include "core/base/status.h"
#include "sql/connection.h"
#include "sql/fold/scratch.h"

struct aff_drive_report {
    char names[2][64]; /* of the stores, in the first the stream was driven */
    int stores[2];
    uint32_t events, batches, rollbacks, folds, folded_orders, rebuilds;
    struct aff_scratch_difference differences[AFF_SCRATCH_TABLES];
};

/* Makes both stores and fills them: the first from the stream with rollbacks, folds and two rebuilds in
 * between, the second with each order's last content in order of time. Then compares them. The watch is told
 * events written. Stores that were made are named in *ret_report after a failure, too. */
AFF_MUST_CHECK aff_status aff_drive(struct aff_connection *connection,
                                    const struct aff_verify_options *options, const struct aff_watch *watch,
                                    struct aff_drive_report *ret_report, struct aff_error *reterr);
