/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of affinityctl verify. */
#pragma once

#include "cli/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_verify_options {
    struct aff_settings settings;
    bool sweep; /* neighbour rows, too */

    /* The random stream that is driven first; n_orders 0: none. Shares are 0 to 1. */
    uint32_t n_orders;
    uint64_t seed;
    int n_writers; /* 1: the program writes and folds in turns, so that a seed gives the same each time */
    bool shuffle, keep;
    double duplicates, refunds, edits, cancellations;
};

/* False: the command ends with *ret_exit, help or complaint is printed. */
bool aff_verify_options_read(int argc, char **argv, struct aff_verify_options *options, int *ret_exit);
