/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <stdio.h>

int aff_command_generate(int argc, char **argv)
{
    (void)argc;
    (void)fprintf(stderr, "affinityctl %s: not built yet\n", argv[0]);
    return AFF_EXIT_FAILED;
}
