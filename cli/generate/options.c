/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/options.h"

#include "cli/generate/catalogue.h"
#include "core/base/clock.h"

#include <getopt.h>

const char aff_generate_help[] =
    "Usage: affinityctl generate --out DIR [OPTION...]\n"
    "\n"
    "Writes a realistic demo store as files that 'affinityctl import' reads: order_lines.csv, products.csv,\n"
    "customers.csv, import.conf, and truth.json, which says what was planted in the orders. The same "
    "options\n"
    "and seed give the same files on every machine.\n"
    "\n"
    "  --out DIR          folder to write to; made if it is not there\n"
    "  --lines N          order lines, returns included (default: 50000)\n"
    "  --products N       products (default: lines / 50, between 300 and 100000)\n"
    "  --customers N      customers (default: lines / 20, at least 50)\n"
    "  --seed N           another store (default: 1)\n"
    "  --days N           days that the orders spread over (default: 730)\n"
    "  --until DATE       first day without orders, YYYY-MM-DD or 'today' (default: 2026-01-01)\n"
    "  --basket-mean X    mean number of products in an order, with up to 3 decimals (default: 3.5)\n"
    "  --compress HOW     none, gzip or zstd (default: none)\n"
    "  --quiet            no progress and no summary\n"
    "  --help             show this help\n"
    "\n"
    "Examples:\n"
    "  affinityctl generate --out demo\n"
    "  affinityctl generate --out big --lines 10000000 --compress zstd\n"
    "  affinityctl generate --out now --until today --days 365 --seed 7\n";

enum {
    DEFAULT_LINES = 50000,
    DEFAULT_DAYS = 730,
    DEFAULT_BASKET = 3500,
    DEFAULT_UNTIL = 20454, /* 2026-01-01 */
    FIRST_DAY = -25567,    /* 1900-01-01 */
    LINES_A_PRODUCT = 50,
    LINES_A_CUSTOMER = 20,
    LEAST_PRODUCTS = 300,
    MOST_DEFAULT_PRODUCTS = 100000,
    LEAST_CUSTOMERS = 50,
    MOST_PRODUCTS = 2000000,
    MOST_CUSTOMERS = 100000000,
    MOST_DAYS = 36500,
    MOST_BASKET = 32000,
};
#define MOST_LINES UINT64_C(10000000000)

static aff_status read_number(const char *option, const char *text, uint64_t least, uint64_t most,
                              uint64_t *ret, struct aff_error *reterr)
{
    uint64_t value = 0;
    bool good = text[0] != '\0';

    for (const char *at = text; *at != '\0' && good; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        good = *at >= '0' && *at <= '9' && value <= (UINT64_MAX - digit) / 10;
        if (good)
            value = value * 10 + digit;
    }
    if (!good || value < least || value > most)
        return aff_error_set(reterr, AFF_INVALID, "--%s: '%.100s' is not a whole number from %llu to %llu",
                             option, text, (unsigned long long)least, (unsigned long long)most);
    *ret = value;
    return AFF_OK;
}

/* "3.5" as 3500. */
static aff_status read_basket(const char *text, uint32_t *ret, struct aff_error *reterr)
{
    uint32_t value = 0, decimals = 0;
    bool point = false, good = text[0] != '\0' && text[0] != '.';

    for (const char *at = text; *at != '\0' && good; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        good = *at >= '0' && *at <= '9' && value <= MOST_BASKET && decimals < 3;
        value = value * 10 + (uint32_t)(*at - '0');
        decimals += point;
    }
    for (; good && decimals < 3 && value <= MOST_BASKET; decimals++)
        value *= 10;
    if (!good || value < 1000 || value > MOST_BASKET)
        return aff_error_set(reterr, AFF_INVALID,
                             "--basket-mean: '%.100s' is not a number from 1 to %d with up to 3 decimals",
                             text, MOST_BASKET / 1000);
    *ret = value;
    return AFF_OK;
}

static aff_status read_until(const char *text, int64_t *ret_day, struct aff_error *reterr)
{
    int64_t at_us = aff_clock_now_us();

    if (strcmp(text, "today") != 0 &&
        (strlen(text) != strlen("2026-01-01") || aff_time_parse(aff_text_of(text), &at_us) != AFF_OK))
        return aff_error_set(reterr, AFF_INVALID,
                             "--until: '%.100s' is neither a date YYYY-MM-DD nor 'today'", text);
    *ret_day = at_us / AFF_DAY_US - (at_us % AFF_DAY_US < 0);
    return AFF_OK;
}

static aff_status read_compression(const char *text, enum aff_compression *ret, struct aff_error *reterr)
{
    static const char *const words[AFF_COMPRESSIONS] = {"none", "gzip", "zstd"};

    for (int i = 0; i < AFF_COMPRESSIONS; i++)
        if (strcmp(text, words[i]) == 0) {
            *ret = (enum aff_compression)i;
            return AFF_OK;
        }
    return aff_error_set(reterr, AFF_INVALID, "--compress: '%.100s' is not none, gzip or zstd", text);
}

enum { OUT = 1, LINES, PRODUCTS, CUSTOMERS, SEED, DAYS, UNTIL, BASKET, COMPRESS, QUIET, HELP };

static aff_status take(struct aff_generate_options *options, int option, const char *text,
                       struct aff_error *reterr)
{
    uint64_t number = 0;
    aff_status status;

    switch (option) {
    case OUT:
        options->out = text;
        return AFF_OK;
    case LINES:
        return read_number("lines", text, 1, MOST_LINES, &options->lines, reterr);
    case PRODUCTS:
        status = read_number("products", text, aff_demo_catalogue_min(), MOST_PRODUCTS, &number, reterr);
        options->products = (uint32_t)number;
        return status;
    case CUSTOMERS:
        status = read_number("customers", text, 1, MOST_CUSTOMERS, &number, reterr);
        options->customers = (uint32_t)number;
        return status;
    case SEED:
        return read_number("seed", text, 0, UINT64_MAX, &options->seed, reterr);
    case DAYS:
        status = read_number("days", text, 1, MOST_DAYS, &number, reterr);
        options->days = (int32_t)number;
        return status;
    case UNTIL:
        return read_until(text, &options->until_day, reterr);
    case BASKET:
        return read_basket(text, &options->basket_mean_thousandths, reterr);
    case COMPRESS:
        return read_compression(text, &options->compression, reterr);
    case QUIET:
        options->quiet = true;
        return AFF_OK;
    case HELP:
        options->help = true;
        return AFF_OK;
    default:
        return AFF_INVALID;
    }
}

static uint64_t between(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static aff_status complete(struct aff_generate_options *options, struct aff_error *reterr)
{
    if (options->out == NULL || options->out[0] == '\0')
        return aff_error_set(reterr, AFF_INVALID, "--out DIR is missing: the folder to write to");
    if (options->until_day - options->days < FIRST_DAY)
        return aff_error_set(reterr, AFF_INVALID,
                             "--until, --days: the first order would be of before 1900, which nothing reads");
    if (options->products == 0)
        options->products =
            (uint32_t)between(options->lines / LINES_A_PRODUCT, LEAST_PRODUCTS, MOST_DEFAULT_PRODUCTS);
    if (options->customers == 0)
        options->customers =
            (uint32_t)between(options->lines / LINES_A_CUSTOMER, LEAST_CUSTOMERS, MOST_CUSTOMERS);
    return AFF_OK;
}

aff_status aff_generate_options_read(struct aff_generate_options *ret, int argc, char **argv,
                                     struct aff_error *reterr)
{
    static const struct option table[] = {{"out", required_argument, NULL, OUT},
                                          {"lines", required_argument, NULL, LINES},
                                          {"products", required_argument, NULL, PRODUCTS},
                                          {"customers", required_argument, NULL, CUSTOMERS},
                                          {"seed", required_argument, NULL, SEED},
                                          {"days", required_argument, NULL, DAYS},
                                          {"until", required_argument, NULL, UNTIL},
                                          {"basket-mean", required_argument, NULL, BASKET},
                                          {"compress", required_argument, NULL, COMPRESS},
                                          {"quiet", no_argument, NULL, QUIET},
                                          {"help", no_argument, NULL, HELP},
                                          {NULL, 0, NULL, 0}};
    struct aff_generate_options options = {.lines = DEFAULT_LINES,
                                           .seed = 1,
                                           .basket_mean_thousandths = DEFAULT_BASKET,
                                           .days = DEFAULT_DAYS,
                                           .until_day = DEFAULT_UNTIL};
    int option;

    optind = 0; /* glibc: start again, also for a second call in one process */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (option == ':')
            return aff_error_set(reterr, AFF_INVALID, "%.100s needs a value; see --help", argv[optind - 1]);
        if (option == '?')
            return aff_error_set(reterr, AFF_INVALID, "there is no option %.100s; see --help",
                                 argv[optind - 1]);
        aff_status status = take(&options, option, optarg, reterr);
        if (status != AFF_OK)
            return status;
    }
    if (!options.help && optind < argc)
        return aff_error_set(reterr, AFF_INVALID, "'%.100s' is not an option; see --help", argv[optind]);
    aff_status status = options.help ? AFF_OK : complete(&options, reterr);
    if (status == AFF_OK)
        *ret = options;
    return status;
}
