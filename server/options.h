/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of affinityd, and the configuration that follows from it. */
#pragma once

#include "config/config.h"
#include "core/base/status.h"

#define AFF_OPTIONS_SETS 64

enum aff_options_action {
    AFF_OPTIONS_RUN,
    AFF_OPTIONS_CHECK,
    AFF_OPTIONS_PRINT,
    AFF_OPTIONS_HELP,
    AFF_OPTIONS_VERSION,
};

/* Texts are borrowed from argv, which lives as long as the process. */
struct aff_options {
    enum aff_options_action action;
    const char *config_file;            /* NULL: none */
    const char *sets[AFF_OPTIONS_SETS]; /* "KEY=VALUE" */
    int n_sets;
};

extern const char aff_options_help[];

/* AFF_CONFIG: the text says which argument is wrong. */
AFF_MUST_CHECK aff_status aff_options_parse(int argc, char **argv, struct aff_options *ret,
                                            struct aff_error *reterr);

/* Defaults, then the file, then the environment, then flags; checked. `options` is a struct aff_options; the
 * type is that of aff_app_plan.reload. On an error *ret_config is not to be used. */
AFF_MUST_CHECK aff_status aff_options_load(void *options, struct aff_config *ret_config,
                                           struct aff_error *reterr);
