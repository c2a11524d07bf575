/* SPDX-License-Identifier: Apache-2.0 */
/* affinityctl review: pairs that only the season explains, and what people decide about them. */
#include "cli/command.h"
#include "cli/review/show.h"
#include "cli/settings.h"
#include "sql/load/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: affinityctl review list [OPTION...]\n"
    "       affinityctl review approve|reject|reopen PRODUCT OTHER [OPTION...]\n"
    "\n"
    "Two products that sell in the same months look related though nobody buys one because of the other. "
    "Such\n"
    "pairs are marked: their orders are no more than their months explain. They are offered less\n"
    "(learn.season_damping) until somebody decides:\n"
    "\n"
    "  list      marked pairs with their evidence; --state open (default), approved or rejected\n"
    "  approve   the two go together: the pair is offered like any other\n"
    "  reject    they do not: neither is offered as bought together with the other. For any pair, marked or "
    "not\n"
    "  reopen    take the decision back\n"
    "\n"
    "A decision is part of the answers after the next fold: at once where the service runs, else after\n"
    "'affinityctl learn --once'.\n"
    "\n"
    "  --state STATE     of list: open, approved or rejected\n"
    "  --limit N         of list: pairs, 1 to 500 (default 50)\n"
    "  --after CURSOR    of list: go on where an earlier list ended\n"
    "  --months          of list: show the months in which both sell\n"
    "  --by NAME         who decides (default: the user's name)\n"
    "  --note TEXT       why\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl review list --months\n"
    "  affinityctl review reject umbrella-0001 sunscreen-0001 --note 'both sell in summer'\n"
    "  affinityctl review list --state rejected\n";

enum { STATE = 1, LIMIT, AFTER, MONTHS, BY, NOTE, DEFAULT_LIMIT = 50 };

static const struct option options[] = {
    {"state", required_argument, NULL, STATE},
    {"limit", required_argument, NULL, LIMIT},
    {"after", required_argument, NULL, AFTER},
    {"months", no_argument, NULL, MONTHS},
    {"by", required_argument, NULL, BY},
    {"note", required_argument, NULL, NOTE},
    AFF_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct review {
    struct aff_settings settings;
    struct aff_review_query query;
    struct aff_review_show show;
    bool lists;
    struct aff_review_entry entry;
};

/* Says what is wrong and with what. */
static bool usage(const char *what, const char *value)
{
    (void)fprintf(stderr, "affinityctl review: %s%s%s%s; see 'affinityctl review --help'\n", what,
                  value == NULL ? "" : " '", value == NULL ? "" : value, value == NULL ? "" : "'");
    return false;
}

static bool take_state(struct review *review, const char *value)
{
    static const char *const names[] = {
        [AFF_VERDICT_OPEN] = "open", [AFF_VERDICT_APPROVE] = "approved", [AFF_VERDICT_REJECT] = "rejected"};

    for (int verdict = AFF_VERDICT_OPEN; verdict <= AFF_VERDICT_REJECT; verdict++)
        if (strcmp(value, names[verdict]) == 0) {
            review->query.verdict = (enum aff_verdict)verdict;
            return true;
        }
    return usage("--state is open, approved or rejected, not", value);
}

static bool take_limit(struct review *review, const char *value)
{
    char *end;
    long limit = strtol(value, &end, 10);

    if (*value == '\0' || *end != '\0' || limit < 1 || limit > AFF_REVIEW_LIST_MAX)
        return usage("--limit is a whole number from 1 to 500, not", value);
    review->query.limit = (uint32_t)limit;
    return true;
}

static bool take_text(struct aff_text *into, const char *value, size_t most, const char *rule)
{
    *into = aff_text_of(value);
    return aff_review_text_is_fit(*into, most) || usage(rule, NULL);
}

static bool take_option(struct review *review, int option, const char *value)
{
    switch (option) {
    case STATE:
        return take_state(review, value);
    case LIMIT:
        return take_limit(review, value);
    case AFTER:
        return aff_review_cursor_parse(aff_text_of(value), &review->query.after) ||
               usage("--after is what an earlier list ended with, not", value);
    case MONTHS:
        review->show.months = true;
        return true;
    case BY:
        return take_text(&review->entry.by, value, AFF_REVIEW_BY_MAX,
                         "--by is at most 128 bytes of UTF-8 without control characters");
    case NOTE:
        return take_text(&review->entry.note, value, AFF_REVIEW_NOTE_MAX,
                         "--note is at most 1000 bytes of UTF-8 without control characters");
    default:
        return aff_settings_take(&review->settings, option, value) || usage("the options are wrong", NULL);
    }
}

static bool take_words(struct review *review, int n, char **words)
{
    static const char *const verbs[] = {
        [AFF_VERDICT_OPEN] = "reopen", [AFF_VERDICT_APPROVE] = "approve", [AFF_VERDICT_REJECT] = "reject"};

    if (n == 0)
        return usage("list, approve, reject or reopen is missing", NULL);
    review->lists = strcmp(words[0], "list") == 0;
    if (review->lists)
        return n == 1 || usage("list does not expect", words[1]);
    int verdict = AFF_VERDICT_OPEN;
    while (verdict <= AFF_VERDICT_REJECT && strcmp(words[0], verbs[verdict]) != 0)
        verdict++;
    if (verdict > AFF_VERDICT_REJECT)
        return usage("list, approve, reject or reopen is expected, not", words[0]);
    if (n != 3)
        return usage("the ids of two products are expected behind", words[0]);
    if (strcmp(words[1], words[2]) == 0)
        return usage("a pair is two different products, not twice", words[1]);
    review->entry.verdict = (enum aff_verdict)verdict;
    review->entry.product = aff_text_of(words[1]);
    review->entry.other = aff_text_of(words[2]);
    return true;
}

static aff_status list(struct review *review, struct aff_connection *connection, int store,
                       struct aff_error *reterr)
{
    struct aff_review_cursor next;
    char cursor[AFF_REVIEW_CURSOR_TEXT];
    bool more = false;
    aff_status status = aff_execute(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", reterr);

    if (status != AFF_OK)
        return status;
    status = aff_review_list(connection, store, &review->query, aff_review_show_pair, &review->show, &more,
                             &next, reterr);
    (void)!aff_execute(connection, "ROLLBACK", NULL); /* it only read; what failed before is what counts */
    if (status != AFF_OK)
        return status;
    if (review->show.n == 0)
        (void)fputs("no such pairs here\n", stdout);
    if (more) {
        aff_review_cursor_write(next, cursor);
        (void)printf("\nthere may be more: --after %s\n", cursor);
    }
    return AFF_OK;
}

static aff_status decide(struct review *review, struct aff_connection *connection, int store,
                         struct aff_error *reterr)
{
    struct aff_review_entry *entry = &review->entry;
    aff_status status = aff_execute(connection, "BEGIN ISOLATION LEVEL READ COMMITTED", reterr);

    if (status != AFF_OK)
        return status;
    status = aff_review_put(connection, store, entry, 1, reterr);
    if (status == AFF_OK && entry->outcome >= AFF_REVIEW_NO_PRODUCT) {
        struct aff_text id = entry->outcome == AFF_REVIEW_NO_PRODUCT ? entry->product : entry->other;
        status = aff_error_set(reterr, AFF_NOTFOUND, "the store has no product '%.*s'; nothing was done",
                               (int)id.size, id.at);
    }
    if (status == AFF_OK)
        status = aff_execute(connection, "COMMIT", reterr);
    else
        (void)!aff_execute(connection, "ROLLBACK", NULL); /* what failed before is what counts */
    if (status == AFF_OK)
        (void)puts(entry->outcome == AFF_REVIEW_UNCHANGED
                       ? "unchanged: it was decided so before"
                       : "decided; part of the answers after the next fold");
    return status;
}

static int run(struct review *review)
{
    struct aff_connection connection = {0};
    struct aff_error error;
    char currency[4];
    int store = 0;
    aff_status status = aff_settings_connect(&review->settings, &connection, &error);

    if (status == AFF_OK)
        status = aff_store_find(&connection, review->settings.config.store_name, &store, currency, &error);
    if (status == AFF_OK)
        status = review->lists ? list(review, &connection, store, &error)
                               : decide(review, &connection, store, &error);
    aff_connection_close(&connection);
    return status == AFF_OK ? AFF_EXIT_OK : aff_settings_fail("review", &error);
}

int aff_command_review(int argc, char **argv)
{
    const char *user = getenv("USER");
    struct review review = {.query = {.limit = DEFAULT_LIMIT},
                            .entry = {.by = aff_text_of(user == NULL ? "" : user), .note = {"", 0}}};
    struct aff_error error;

    if (!aff_review_text_is_fit(review.entry.by, AFF_REVIEW_BY_MAX))
        review.entry.by.size = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (!take_option(&review, option, optarg))
            return AFF_EXIT_USAGE;
    if (review.settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    if (!take_words(&review, argc - optind, argv + optind))
        return AFF_EXIT_USAGE;
    if (aff_settings_load(&review.settings, &error) != AFF_OK)
        return aff_settings_fail("review", &error);
    return run(&review);
}
