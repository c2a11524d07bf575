/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/options.h"

#include "core/base/clock.h"
#include "core/catalogue/catalogue.h"
#include "core/recommend/weights.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KINDS "cross_sell, replenish, substitute"

const char aff_recommend_help[] =
    "Usage: affinityctl recommend [--cart ID,...] [--product ID] [--customer ID] [OPTION...]\n"
    "       affinityctl recommend --batch FILE [OPTION...]\n"
    "\n"
    "Answers recommendations from the learned tables, by the same engine and weights as the service.\n"
    "\n"
    "The question:\n"
    "  --cart ID,...        products of the cart, newest last; may be repeated\n"
    "  --as NAME            what the cart is: cart (default), products bought together whose order says\n"
    "                       nothing; added, the same in the order of adding: what comes next?; views,\n"
    "                       products viewed in this session, which may be offered again\n"
    "  --product ID         product of the page\n"
    "  --customer ID        customer who asks\n"
    "  --kind KIND,...      " KINDS "\n"
    "                       (default: cross_sell, and replenish for a known customer)\n"
    "  --limit N            items at most, 1 to 100 (default 10, with --batch 20)\n"
    "  --exclude ID,...     products that must not be offered; may be repeated\n"
    "  --placement NAME     product, cart, checkout, post_purchase, home, onboarding, email or crm\n"
    "  --min-orders N       for affinity: orders that must hold both products\n"
    "  --min-lift X, --min-confidence X\n"
    "                       for affinity: lift and confidence at least\n"
    "  --price-min N, --price-max N\n"
    "                       prices in minor units (cents), inclusive\n"
    "  --diversity X        0 to 1: how much likeness to better items costs\n"
    "  --rotation X, --seed N\n"
    "                       0 to 1: how far near-ties change places, and by which seed\n"
    "  --strict             no fallback to popular products\n"
    "  --at TIME            moment to answer for (default: now), for example 2026-11-21T09:00:00Z\n"
    "\n"
    "The answer:\n"
    "  --explain            show the terms of each score and what was dropped\n"
    "  --why-not ID         say what became of this product\n"
    "  --json               JSON instead of a table\n"
    "\n"
    "Measuring:\n"
    "  --batch FILE         read JSON lines from FILE (plain or gzip, '-' for standard input):\n"
    "                       {\"query_id\": \"q1\", \"customer_id\": \"17850\", \"cart\": [\"71053\"], "
    "\"at\": 15296.4}\n"
    "                       with `at` in days since 1970-01-01, and write for each, in the same order,\n"
    "                       {\"query_id\": \"q1\", \"items\": [ids, best first]}\n"
    "                       Lines that are wrong are reported and left out; exit status 3 then\n"
    "  --no-customer        answer as if no customer was given\n"
    "  --without SOURCE,... leave sources out: affinity, sequence, personal, popularity, added, history,\n"
    "                       recent, alike, viewed, seen\n"
    "  --method NAME        score neighbours by lift, confidence, cosine, jaccard, llr or ridge,\n"
    "                       computed now from the counts (default: the neighbour rows as they are stored)\n"
    "\n"
    "Examples:\n"
    "  affinityctl recommend --cart 85123A,71053 --limit 5\n"
    "  affinityctl recommend --product 22423 --customer 17850 --explain\n"
    "  affinityctl recommend --batch queries.jsonl.gz --no-customer > answers.jsonl\n"
    "\n" AFF_COMMON_HELP;

enum {
    OPTION_CART = 1,
    OPTION_PRODUCT,
    OPTION_CUSTOMER,
    OPTION_KIND,
    OPTION_LIMIT,
    OPTION_EXCLUDE,
    OPTION_PLACEMENT,
    OPTION_MIN_ORDERS,
    OPTION_MIN_LIFT,
    OPTION_MIN_CONFIDENCE,
    OPTION_PRICE_MIN,
    OPTION_PRICE_MAX,
    OPTION_DIVERSITY,
    OPTION_ROTATION,
    OPTION_SEED,
    OPTION_STRICT,
    OPTION_AT,
    OPTION_EXPLAIN,
    OPTION_WHY_NOT,
    OPTION_JSON,
    OPTION_BATCH,
    OPTION_NO_CUSTOMER,
    OPTION_METHOD,
    OPTION_AS,
    OPTION_WITHOUT,
};

static const struct option options_table[] = {
    {"cart", required_argument, NULL, OPTION_CART},
    {"product", required_argument, NULL, OPTION_PRODUCT},
    {"customer", required_argument, NULL, OPTION_CUSTOMER},
    {"kind", required_argument, NULL, OPTION_KIND},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"exclude", required_argument, NULL, OPTION_EXCLUDE},
    {"placement", required_argument, NULL, OPTION_PLACEMENT},
    {"min-orders", required_argument, NULL, OPTION_MIN_ORDERS},
    {"min-lift", required_argument, NULL, OPTION_MIN_LIFT},
    {"min-confidence", required_argument, NULL, OPTION_MIN_CONFIDENCE},
    {"price-min", required_argument, NULL, OPTION_PRICE_MIN},
    {"price-max", required_argument, NULL, OPTION_PRICE_MAX},
    {"diversity", required_argument, NULL, OPTION_DIVERSITY},
    {"rotation", required_argument, NULL, OPTION_ROTATION},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"at", required_argument, NULL, OPTION_AT},
    {"explain", no_argument, NULL, OPTION_EXPLAIN},
    {"why-not", required_argument, NULL, OPTION_WHY_NOT},
    {"json", no_argument, NULL, OPTION_JSON},
    {"batch", required_argument, NULL, OPTION_BATCH},
    {"as", required_argument, NULL, OPTION_AS},
    {"without", required_argument, NULL, OPTION_WITHOUT},
    {"no-customer", no_argument, NULL, OPTION_NO_CUSTOMER},
    {"method", required_argument, NULL, OPTION_METHOD},
    AFF_COMMON_OPTIONS,
    {NULL, 0, NULL, 0},
};

static const char *name_of(int option)
{
    for (const struct option *row = options_table; row->name != NULL; row++)
        if (row->val == option)
            return row->name;
    return "";
}

static aff_status read_whole(int option, const char *text, int64_t min, int64_t max, int64_t *ret_value,
                             struct aff_error *reterr)
{
    char *rest = NULL;

    errno = 0;
    long long value = strtoll(text, &rest, 10);
    if (*text == '\0' || *rest != '\0' || errno != 0 || value < min || value > max)
        return aff_error_set(reterr, AFF_INVALID, "--%s takes a whole number from %lld to %lld, not '%s'",
                             name_of(option), (long long)min, (long long)max, text);
    *ret_value = value;
    return AFF_OK;
}

static aff_status read_real(int option, const char *text, double max, double *ret_value,
                            struct aff_error *reterr)
{
    char *rest = NULL;
    double value = strtod(text, &rest);

    if (*text == '\0' || *rest != '\0' || !isfinite(value) || value < 0 || value > max)
        return aff_error_set(reterr, AFF_INVALID, "--%s takes a number from 0 to %g, not '%s'",
                             name_of(option), max, text);
    *ret_value = value;
    return AFF_OK;
}

static aff_status read_id(int option, struct aff_text id, struct aff_text *ret_id, struct aff_error *reterr)
{
    if (!aff_text_is_id(id))
        return aff_error_set(reterr, AFF_INVALID,
                             "--%s takes ids of 1 to %d bytes of UTF-8 without control characters",
                             name_of(option), AFF_ID_MAX);
    *ret_id = id;
    return AFF_OK;
}

/* The piece of *list before its first comma, which goes with it. */
static struct aff_text split(const char **list)
{
    size_t size = strcspn(*list, ",");
    struct aff_text piece = {*list, size};

    *list += size + ((*list)[size] == ',');
    return piece;
}

static aff_status read_cart(struct aff_recommend_options *options, const char *list, struct aff_error *reterr)
{
    while (*list != '\0') {
        if (options->request.n_cart == AFF_CART_MAX)
            return aff_error_set(reterr, AFF_INVALID, "a cart has at most %d lines", AFF_CART_MAX);
        struct aff_cart_line *line = &options->cart[options->request.n_cart];
        *line = (struct aff_cart_line){.quantity = 1, .price = AFF_NO_MONEY};
        aff_status status = read_id(OPTION_CART, split(&list), &line->product, reterr);
        if (status != AFF_OK)
            return status;
        options->request.n_cart++;
    }
    return AFF_OK;
}

static aff_status read_exclude(struct aff_recommend_options *options, const char *list,
                               struct aff_error *reterr)
{
    while (*list != '\0') {
        if (options->request.n_exclude == AFF_EXCLUDE_MAX)
            return aff_error_set(reterr, AFF_INVALID, "at most %d products can be excluded", AFF_EXCLUDE_MAX);
        aff_status status =
            read_id(OPTION_EXCLUDE, split(&list), &options->exclude[options->request.n_exclude], reterr);
        if (status != AFF_OK)
            return status;
        options->request.n_exclude++;
    }
    return AFF_OK;
}

static aff_status read_kinds(struct aff_request *request, const char *list, struct aff_error *reterr)
{
    static const char *const names[] = {
#define X(name, text) text,
        AFF_KIND_LIST(X)
#undef X
    };
    while (*list != '\0') {
        struct aff_text kind = split(&list);
        int at = 0;
        while (at < AFF_KIND_MAX && !aff_text_equal(kind, aff_text_of(names[at])))
            at++;
        if (at == AFF_KIND_MAX)
            return aff_error_set(reterr, AFF_INVALID, "--kind knows " KINDS ", not '%.*s'", (int)kind.size,
                                 kind.at);
        request->kinds |= 1u << at;
    }
    return AFF_OK;
}

static aff_status read_placement(struct aff_request *request, const char *name, struct aff_error *reterr)
{
    static const char *const names[] = {
#define X(name, text) text,
        AFF_PLACEMENT_LIST(X)
#undef X
    };
    for (int at = 1; at < AFF_PLACEMENT_MAX; at++) {
        if (strcmp(name, names[at]) == 0) {
            request->placement = (enum aff_placement)at;
            return AFF_OK;
        }
    }
    return aff_error_set(reterr, AFF_INVALID, "there is no placement '%s'", name);
}

static aff_status read_without(struct aff_recommend_options *options, const char *list,
                               struct aff_error *reterr)
{
    while (*list != '\0') {
        struct aff_text source = split(&list);
        int at = 0;
        while (at < AFF_WEIGHT_MAX && !aff_text_equal(source, aff_text_of(aff_weight_name(at))))
            at++;
        if (at == AFF_WEIGHT_MAX)
            return aff_error_set(reterr, AFF_INVALID,
                                 "--without knows affinity, sequence, personal, popularity, added, history,"
                                 " recent, alike, viewed and seen, not '%.*s'",
                                 (int)source.size, source.at);
        options->without |= 1u << at;
    }
    return AFF_OK;
}

static aff_status read_as(struct aff_request *request, const char *name, struct aff_error *reterr)
{
    static const char *const names[] = {
#define X(name, text) text,
        AFF_AS_LIST(X)
#undef X
    };
    for (int at = 0; at < AFF_AS_MAX; at++) {
        if (strcmp(name, names[at]) == 0) {
            request->as = (enum aff_as)at;
            return AFF_OK;
        }
    }
    return aff_error_set(reterr, AFF_INVALID, "--as knows cart, added and views, not '%s'", name);
}

static aff_status read_at(struct aff_request *request, const char *text, struct aff_error *reterr)
{
    if (aff_time_parse(aff_text_of(text), &request->now_us) == AFF_OK)
        return AFF_OK;
    return aff_error_set(reterr, AFF_INVALID, "--at takes a time like 2026-11-21T09:00:00Z, not '%s'", text);
}

static aff_status take_number(struct aff_request *request, int option, const char *value,
                              struct aff_error *reterr)
{
    int64_t whole = 0;
    aff_status status;

    switch (option) {
    case OPTION_LIMIT:
        status = read_whole(option, value, 1, AFF_ITEMS_MAX, &whole, reterr);
        request->limit = (uint32_t)whole;
        return status;
    case OPTION_MIN_ORDERS:
        status = read_whole(option, value, 0, INT32_MAX, &whole, reterr);
        request->min_orders = (uint32_t)whole;
        return status;
    case OPTION_SEED:
        status = read_whole(option, value, 0, INT64_MAX, &whole, reterr);
        request->seed = (uint64_t)whole;
        return status;
    case OPTION_PRICE_MIN:
        return read_whole(option, value, 0, INT64_MAX, &request->price_min, reterr);
    case OPTION_PRICE_MAX:
        return read_whole(option, value, 0, INT64_MAX, &request->price_max, reterr);
    case OPTION_MIN_LIFT:
        return read_real(option, value, 1e9, &request->min_lift, reterr);
    case OPTION_MIN_CONFIDENCE:
        return read_real(option, value, 1, &request->min_confidence, reterr);
    case OPTION_DIVERSITY:
        return read_real(option, value, 1, &request->diversity, reterr);
    default:
        return read_real(OPTION_ROTATION, value, 1, &request->rotation, reterr);
    }
}

static aff_status take(struct aff_recommend_options *options, int option, const char *value,
                       struct aff_error *reterr)
{
    struct aff_request *request = &options->request;

    switch (option) {
    case OPTION_CART:
        return read_cart(options, value, reterr);
    case OPTION_EXCLUDE:
        return read_exclude(options, value, reterr);
    case OPTION_PRODUCT:
        return read_id(option, aff_text_of(value), &request->product, reterr);
    case OPTION_CUSTOMER:
        return read_id(option, aff_text_of(value), &request->customer, reterr);
    case OPTION_WHY_NOT:
        return read_id(option, aff_text_of(value), &request->why_not, reterr);
    case OPTION_KIND:
        return read_kinds(request, value, reterr);
    case OPTION_PLACEMENT:
        return read_placement(request, value, reterr);
    case OPTION_WITHOUT:
        return read_without(options, value, reterr);
    case OPTION_AS:
        return read_as(request, value, reterr);
    case OPTION_AT:
        return read_at(request, value, reterr);
    case OPTION_STRICT:
        request->strict = true;
        return AFF_OK;
    case OPTION_EXPLAIN:
        request->explain = AFF_EXPLAIN_FULL;
        return AFF_OK;
    case OPTION_JSON:
        options->json = true;
        return AFF_OK;
    case OPTION_NO_CUSTOMER:
        options->no_customer = true;
        return AFF_OK;
    case OPTION_BATCH:
        options->batch = value;
        return AFF_OK;
    case OPTION_METHOD:
        options->method_given = true;
        return aff_method_parse(aff_text_of(value), &options->method)
                   ? AFF_OK
                   : aff_error_set(
                         reterr, AFF_INVALID,
                         "--method knows ridge, cosine, confidence, lift, jaccard and llr, not '%s'", value);
    default:
        return take_number(request, option, value, reterr);
    }
}

/* What only the whole command line shows. */
static aff_status check(struct aff_recommend_options *options, struct aff_error *reterr)
{
    struct aff_request *request = &options->request;
    bool asks = request->n_cart > 0 || request->product.size > 0 || request->customer.size > 0;

    if (options->batch != NULL) {
        if (asks || request->why_not.size > 0)
            return aff_error_set(reterr, AFF_INVALID,
                                 "--cart, --product, --customer and --why-not do not go with --batch");
        if (request->now_us != 0)
            return aff_error_set(reterr, AFF_INVALID, "--at does not go with --batch, its lines have `at`");
    } else if (options->no_customer && request->customer.size > 0) {
        return aff_error_set(reterr, AFF_INVALID, "--customer and --no-customer exclude each other");
    }
    if (request->price_min != AFF_NO_MONEY && request->price_max != AFF_NO_MONEY &&
        request->price_min > request->price_max)
        return aff_error_set(reterr, AFF_INVALID, "--price-min is above --price-max");
    if (request->limit == 0)
        request->limit = options->batch == NULL ? AFF_LIMIT_DEFAULT : AFF_BATCH_LIMIT_DEFAULT;
    if (request->explain == AFF_EXPLAIN_NONE && options->batch == NULL)
        request->explain = AFF_EXPLAIN_BASIC;
    if (options->batch != NULL)
        request->explain = AFF_EXPLAIN_NONE;
    if (request->now_us == 0)
        request->now_us = aff_clock_now_us();
    /* Here products are shown by their id, so that those which only views name need no price. */
    request->unpriced = request->as == AFF_AS_VIEWS;
    return AFF_OK;
}

aff_status aff_recommend_options_read(int argc, char **argv, struct aff_recommend_options *ret_options,
                                      struct aff_error *reterr)
{
    *ret_options =
        (struct aff_recommend_options){.request = {.price_min = AFF_NO_MONEY, .price_max = AFF_NO_MONEY}};
    ret_options->request.cart = ret_options->cart;
    ret_options->request.exclude = ret_options->exclude;
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
    if (ret_options->settings.help)
        return AFF_OK;
    if (optind < argc)
        return aff_error_set(reterr, AFF_INVALID, "there is nothing to do with '%s'", argv[optind]);
    return check(ret_options, reterr);
}
