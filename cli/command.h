/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of affinityctl. Each gets the arguments after its name (argv[0] is the name) and returns the
 * exit status of the process. */
#pragma once

/* Exit statuses of every command. */
enum aff_exit {
    AFF_EXIT_OK = 0,
    AFF_EXIT_FAILED = 1,  /* it did not happen; one line on standard error says why */
    AFF_EXIT_USAGE = 2,   /* wrong arguments; nothing was done */
    AFF_EXIT_PARTIAL = 3, /* done, but some of the input was rejected */
    AFF_EXIT_BUSY = 4,    /* another process is doing the same */
    AFF_EXIT_CONFIG = 78, /* the configuration is wrong (EX_CONFIG of sysexits.h) */
};

/* One row a command: name as typed, function, one line of help. */
#define AFF_COMMAND_LIST(X)                                                                                  \
    X("migrate", aff_command_migrate, "create or update the database schema")                                \
    X("import", aff_command_import, "read orders, products or customers from files")                         \
    X("generate", aff_command_generate, "write a realistic demo store as files")                             \
    X("rebuild", aff_command_rebuild, "learn affinities from all orders")                                    \
    X("learn", aff_command_learn, "fold changed orders into what is learned")                                \
    X("review", aff_command_review, "look through pairs that only the season explains, and decide")          \
    X("verify", aff_command_verify, "compare the kept counts with a full count")                             \
    X("recommend", aff_command_recommend, "answer recommendations from the command line")                    \
    X("backtest", aff_command_backtest, "show how well each method foresees the newest orders")              \
    X("tune", aff_command_tune, "fit the weights of the sources to the store's newest orders")               \
    X("source", aff_command_source, "read a shop's own tables")                                              \
    X("config", aff_command_config, "show, check and explain the configuration")

#define X(name, function, help) int function(int argc, char **argv);
AFF_COMMAND_LIST(X)
#undef X
