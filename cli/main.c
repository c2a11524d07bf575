/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl: the engine from a shell. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static void print_help(FILE *to)
{
    (void)fprintf(to, "Usage: affinityctl COMMAND [OPTION...]\n\nCommands:\n");
#define X(name, function, help) (void)fprintf(to, "  %-10s %s\n", name, help);
    AFF_COMMAND_LIST(X)
#undef X
    (void)fprintf(
        to, "\n'affinityctl COMMAND --help' describes a command, 'affinityctl --version' the program.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return AFF_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return AFF_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("affinityctl %s\n", AFF_VERSION);
        return AFF_EXIT_OK;
    }
#define X(name, function, help)                                                                              \
    if (strcmp(argv[1], name) == 0)                                                                          \
        return function(argc - 1, argv + 1);
    AFF_COMMAND_LIST(X)
#undef X
    (void)fprintf(stderr, "affinityctl: there is no command '%s'; see 'affinityctl --help'\n", argv[1]);
    return AFF_EXIT_USAGE;
}
