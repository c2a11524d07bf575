/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of affinityctl generate. */
#pragma once

#include "cli/generate/output.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_generate_options {
    const char *out; /* folder; borrowed from argv */
    uint64_t lines, seed;
    uint32_t products, customers;
    uint32_t basket_mean_thousandths;
    int32_t days;
    int64_t until_day; /* since 1970-01-01: the first day that is not written any more */
    enum aff_compression compression;
    bool quiet, help;
};

extern const char aff_generate_help[];

/* Reads the arguments (argv[0] is the command) and fills in what follows from the others. AFF_INVALID says
 * what is wrong. With `help` nothing else counts. */
AFF_MUST_CHECK aff_status aff_generate_options_read(struct aff_generate_options *ret, int argc, char **argv,
                                                    struct aff_error *reterr);
