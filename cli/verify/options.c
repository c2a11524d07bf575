/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify/options.h"

#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "Usage: affinityctl verify [OPTION...]\n"
    "\n"
    "Compares the counts that are kept up to date order by order with a full count of all orders, bit for "
    "bit, at\n"
    "any moment of a running system: product_stat, product_month, pair_together, pair_next, next_stat,\n"
    "customer_history and the totals. Prints a digest of both sides and the first difference of each table.\n"
    "Changes nothing. Ends with status 0 only if all are equal.\n"
    "\n"
    "  --sweep           renew all neighbour rows first and compare them with those of a full build, too\n"
    "\n"
    "With --orders, a random stream of orders is first written into a new store 'verify-...' and folded, "
    "with a\n"
    "rebuild in between; the store is compared with a full count, and by the shop's own ids with another "
    "store\n"
    "into which each order came once, final, in order. Both stores are removed at the end.\n"
    "  --orders N        orders of the stream\n"
    "  --seed S          seed of the stream (default 1)\n"
    "  --shuffle         orders arrive in any order of time\n"
    "  --dup SHARE       share of orders that are sent again (default 0)\n"
    "  --edit SHARE      share whose lines, customer or time change later (default 0)\n"
    "  --refund SHARE    share of which something comes back, as a return order (default 0)\n"
    "  --cancel SHARE    share that are deleted later (default 0)\n"
    "  --writers N       N connections write at once, commit late and roll back at random, while folds and "
    "rebuilds\n"
    "                    go on; the seed then no longer gives the same run (default 1: in turns)\n"
    "  --keep            leave the two stores in the database\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl verify\n"
    "  affinityctl verify --store outlet --sweep\n"
    "  affinityctl verify --orders 20000 --seed 7 --shuffle --dup 0.05 --refund 0.1 --edit 0.1 --cancel "
    "0.02\n";

enum { SWEEP = 1, ORDERS, SEED, SHUFFLE, DUPLICATES, REFUNDS, EDITS, CANCELLATIONS, WRITERS, KEEP };

static const struct option options_known[] = {
    {"sweep", no_argument, NULL, SWEEP},
    {"orders", required_argument, NULL, ORDERS},
    {"seed", required_argument, NULL, SEED},
    {"shuffle", no_argument, NULL, SHUFFLE},
    {"dup", required_argument, NULL, DUPLICATES},
    {"refund", required_argument, NULL, REFUNDS},
    {"edit", required_argument, NULL, EDITS},
    {"cancel", required_argument, NULL, CANCELLATIONS},
    {"writers", required_argument, NULL, WRITERS},
    {"keep", no_argument, NULL, KEEP},
    AFF_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

static bool read_whole(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
    char *end = NULL;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && text[0] != '-' && value >= least && value <= most) {
        *ret = value;
        return true;
    }
    (void)fprintf(stderr, "affinityctl verify: --%s wants a whole number, not '%s'\n", name, text);
    return false;
}

static bool read_share(const char *name, const char *text, double *ret)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end != text && *end == '\0' && value >= 0 && value <= 1) {
        *ret = value;
        return true;
    }
    (void)fprintf(stderr, "affinityctl verify: --%s wants a share from 0 to 1, not '%s'\n", name, text);
    return false;
}

static bool take(struct aff_verify_options *options, int option, const char *value)
{
    uint64_t number = 0;

    switch (option) {
    case SWEEP:
        options->sweep = true;
        return true;
    case ORDERS:
        if (!read_whole("orders", value, 1, 10000000, &number))
            return false;
        options->n_orders = (uint32_t)number;
        return true;
    case SEED:
        return read_whole("seed", value, 0, UINT64_MAX, &options->seed);
    case SHUFFLE:
        options->shuffle = true;
        return true;
    case DUPLICATES:
        return read_share("dup", value, &options->duplicates);
    case REFUNDS:
        return read_share("refund", value, &options->refunds);
    case EDITS:
        return read_share("edit", value, &options->edits);
    case CANCELLATIONS:
        return read_share("cancel", value, &options->cancellations);
    case WRITERS:
        if (!read_whole("writers", value, 1, 64, &number))
            return false;
        options->n_writers = (int)number;
        return true;
    case KEEP:
        options->keep = true;
        return true;
    default:
        return aff_settings_take(&options->settings, option, value);
    }
}

bool aff_verify_options_read(int argc, char **argv, struct aff_verify_options *options, int *ret_exit)
{
    struct aff_error error;

    options->seed = 1;
    options->n_writers = 1;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options_known, NULL)) != -1;)
        if (!take(options, option, optarg)) {
            (void)fprintf(stderr, "see 'affinityctl verify --help'\n");
            *ret_exit = AFF_EXIT_USAGE;
            return false;
        }
    if (options->settings.help) {
        (void)fputs(help, stdout);
        *ret_exit = AFF_EXIT_OK;
        return false;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "affinityctl verify: '%s' is not expected; see 'affinityctl verify --help'\n",
                      argv[optind]);
        *ret_exit = AFF_EXIT_USAGE;
        return false;
    }
    if (aff_settings_load(&options->settings, &error) != AFF_OK) {
        *ret_exit = aff_settings_fail("verify", &error);
        return false;
    }
    return true;
}
