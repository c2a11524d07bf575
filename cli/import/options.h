/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of affinityctl import. */
#pragma once

#include "cli/import/rules.h"
#include "cli/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct aff_import_options {
    struct aff_settings settings; /* taken, not loaded */
    enum aff_import_what what;
    struct aff_rules rules; /* import.conf and command line together */
    char *const *files;     /* borrowed from argv */
    int n_files;
    char rejects[4096];
    int64_t max_rejects; /* negative: any number */
    int64_t chunk;       /* lines between two commits; 0: the usual number */
    bool dry_run, restart;
};

/* Reads the arguments after "import" and the import.conf that they name or that lies beside the first file.
 * Prints the help or what is wrong. Returns -1 to go on, else the exit status of the process. */
int aff_import_options_read(int argc, char **argv, struct aff_import_options *ret);
