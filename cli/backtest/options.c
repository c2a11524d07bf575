/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_TASKS = 1,
    OPTION_METHODS,
    OPTION_TEST_SHARE,
    OPTION_QUERIES,
    OPTION_SEED,
    OPTION_LIMIT,
    OPTION_LEAVE_ONE_OUT,
    OPTION_DIVERSITY,
    OPTION_JSON,
    OPTION_HTML,
    QUERIES_DEFAULT = 6000,
    QUERIES_MAX = 1000000,
    NAMES_BYTES = 256,
};
#define TEST_SHARE_DEFAULT 0.1
#define TEST_SHARE_LEAST 0.01
#define TEST_SHARE_MOST 0.5

const char aff_backtest_help[] =
    "Usage: affinityctl backtest [OPTION...]\n"
    "\n"
    "Shows how well each method would have foreseen the store's newest orders and sessions: learns in memory "
    "from\n"
    "all but the last tenth, hides products of the last tenth, and asks for them. All methods answer the "
    "same\n"
    "queries through the engine that is served. The database is not changed.\n"
    "\n"
    "Tasks and methods:\n"
    "  --tasks NAME,...    random, random_guest    a random product of a basket is hidden; customer known, "
    "withheld\n"
    "                      last, last_guest        the last product; the order of the others is known\n"
    "                      next_basket             the next order of a customer\n"
    "                      views                   the next product viewed in a session\n"
    "                      (default: all that the store has data for)\n"
    "  --methods NAME,...  popularity, recent, confidence, lift, llr, jaccard, cosine, ridge, sessions,\n"
    "                      sequence, personal, configured (the blend without fitted weights); the blend, "
    "which\n"
    "                      is what is served, is always asked (default: all)\n"
    "  --leave-one-out     also the blend without each of its sources\n"
    "  --diversity         also the blend with diversity 0.3 and 0.6 and with rotation 1\n"
    "\n"
    "Queries:\n"
    "  --test-share X      share of orders and sessions, the newest ones, that is asked about: 0.01 to 0.5\n"
    "                      (default 0.1)\n"
    "  --queries N         queries of a task at most, spread evenly (default 6000)\n"
    "  --limit N           items of an answer, 1 to 100 (default 10, views 20)\n"
    "  --seed N            decides which product is hidden where it is a random one (default 1)\n"
    "\n"
    "Output:\n"
    "  --json FILE         also write all figures as JSON\n"
    "  --html FILE         also write a page with charts, which needs no network\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl backtest\n"
    "  affinityctl backtest --html backtest.html --leave-one-out --diversity\n"
    "  affinityctl backtest --tasks last,next_basket --methods cosine,ridge,personal --limit 5\n";

static const struct option options_table[] = {
    {"tasks", required_argument, NULL, OPTION_TASKS},
    {"methods", required_argument, NULL, OPTION_METHODS},
    {"test-share", required_argument, NULL, OPTION_TEST_SHARE},
    {"queries", required_argument, NULL, OPTION_QUERIES},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"leave-one-out", no_argument, NULL, OPTION_LEAVE_ONE_OUT},
    {"diversity", no_argument, NULL, OPTION_DIVERSITY},
    {"json", required_argument, NULL, OPTION_JSON},
    {"html", required_argument, NULL, OPTION_HTML},
    AFF_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

static const char *task_name(int task)
{
    return aff_backtest_task((enum aff_backtest_task)task)->name;
}

static const char *method_name(int method)
{
    return aff_backtest_method_name((enum aff_backtest_method)method);
}

/* The bits of a list of names with commas between them. */
static aff_status read_names(const char *option, const char *list, const char *(*name)(int), int n,
                             unsigned *ret_bits, struct aff_error *reterr)
{
    char known[NAMES_BYTES] = "";
    unsigned bits = 0;

    for (int i = 0; i < n; i++) {
        const size_t size = strlen(known);
        (void)snprintf(known + size, sizeof known - size, "%s%s", i > 0 ? ", " : "", name(i));
    }
    do {
        const size_t size = strcspn(list, ",");
        int at = 0;
        while (at < n && !aff_text_equal((struct aff_text){list, size}, aff_text_of(name(at))))
            at++;
        if (at == n)
            return aff_error_set(reterr, AFF_INVALID, "%s knows %s, not '%.*s'", option, known, (int)size,
                                 list);
        bits |= 1u << at;
        list += size + (list[size] == ',');
    } while (*list != '\0');
    *ret_bits = bits;
    return AFF_OK;
}

static aff_status read_whole(const char *option, const char *text, int64_t min, int64_t max,
                             int64_t *ret_value, struct aff_error *reterr)
{
    char *rest = NULL;

    errno = 0;
    const long long value = strtoll(text, &rest, 10);
    if (*text == '\0' || *rest != '\0' || errno != 0 || value < min || value > max)
        return aff_error_set(reterr, AFF_INVALID, "%s takes a whole number from %lld to %lld, not '%s'",
                             option, (long long)min, (long long)max, text);
    *ret_value = value;
    return AFF_OK;
}

static aff_status read_share(const char *text, double *ret_share, struct aff_error *reterr)
{
    char *rest = NULL;
    const double value = strtod(text, &rest);

    if (*text == '\0' || *rest != '\0' || !(value >= TEST_SHARE_LEAST && value <= TEST_SHARE_MOST))
        return aff_error_set(reterr, AFF_INVALID, "--test-share takes a number from %g to %g, not '%s'",
                             TEST_SHARE_LEAST, TEST_SHARE_MOST, text);
    *ret_share = value;
    return AFF_OK;
}

static aff_status take(struct aff_backtest_options *options, int option, const char *value,
                       struct aff_error *reterr)
{
    int64_t whole = 0;
    aff_status status = AFF_OK;

    switch (option) {
    case OPTION_TASKS:
        return read_names("--tasks", value, task_name, AFF_BACKTEST_TASK_MAX, &options->tasks, reterr);
    case OPTION_METHODS:
        return read_names("--methods", value, method_name, AFF_BACKTEST_METHOD_MAX, &options->methods,
                          reterr);
    case OPTION_TEST_SHARE:
        return read_share(value, &options->test_share, reterr);
    case OPTION_QUERIES:
        status = read_whole("--queries", value, AFF_BACKTEST_LEAST, QUERIES_MAX, &whole, reterr);
        options->n_queries = (uint32_t)whole;
        return status;
    case OPTION_LIMIT:
        status = read_whole("--limit", value, 1, AFF_ITEMS_MAX, &whole, reterr);
        options->limit = (uint32_t)whole;
        return status;
    case OPTION_SEED:
        status = read_whole("--seed", value, 0, INT64_MAX, &whole, reterr);
        options->seed = (uint64_t)whole;
        return status;
    case OPTION_LEAVE_ONE_OUT:
        options->leave_one_out = true;
        return AFF_OK;
    case OPTION_DIVERSITY:
        options->diversity = true;
        return AFF_OK;
    case OPTION_JSON:
        options->json = value;
        return AFF_OK;
    default:
        options->html = value;
        return AFF_OK;
    }
}

aff_status aff_backtest_options_read(int argc, char **argv, struct aff_backtest_options *ret_options,
                                     struct aff_error *reterr)
{
    *ret_options = (struct aff_backtest_options){
        .tasks = (1u << AFF_BACKTEST_TASK_MAX) - 1,
        .methods = (1u << AFF_BACKTEST_METHOD_MAX) - 1,
        .test_share = TEST_SHARE_DEFAULT,
        .n_queries = QUERIES_DEFAULT,
        .seed = 1,
    };
    optind = 1;
    opterr = 0; /* the text of an unknown option is ours, so that all look alike */
    for (int option; (option = getopt_long(argc, argv, ":", options_table, NULL)) != -1;) {
        if (aff_settings_take(&ret_options->settings, option, optarg))
            continue;
        if (option == ':')
            return aff_error_set(reterr, AFF_INVALID, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return aff_error_set(reterr, AFF_INVALID, "there is no option %s", argv[optind - 1]);
        aff_status status = take(ret_options, option, optarg, reterr);
        if (status != AFF_OK)
            return status;
    }
    if (!ret_options->settings.help && optind < argc)
        return aff_error_set(reterr, AFF_INVALID, "there is nothing to do with '%s'", argv[optind]);
    return AFF_OK;
}
