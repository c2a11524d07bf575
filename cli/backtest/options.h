/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of affinityctl backtest. */
#pragma once

#include "cli/backtest/methods.h"
#include "cli/settings.h"

struct aff_backtest_options {
    struct aff_settings settings;
    unsigned tasks;   /* bits 1 << enum aff_backtest_task */
    unsigned methods; /* bits 1 << enum aff_backtest_method */
    bool leave_one_out, diversity;
    double test_share;
    uint32_t n_queries, limit; /* limit 0: each task's own */
    uint64_t seed;
    const char *json, *html; /* files to write; NULL: none */
};

extern const char aff_backtest_help[];

/* AFF_INVALID: the text says which option is wrong. */
AFF_MUST_CHECK aff_status aff_backtest_options_read(int argc, char **argv,
                                                    struct aff_backtest_options *ret_options,
                                                    struct aff_error *reterr);
