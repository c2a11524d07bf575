/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/options.h"

#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN = 1, REJECTS, MAX_REJECTS, DRY_RUN, RESTART, IMPORT_CONFIG, CHUNK, RULE };

/* A RULE is a key of import.conf with '-' for '_'. */
static const struct option table[] = {
    AFF_COMMON_OPTIONS,
    {"column", required_argument, NULL, COLUMN},
    {"rejects", required_argument, NULL, REJECTS},
    {"max-rejects", required_argument, NULL, MAX_REJECTS},
    {"dry-run", no_argument, NULL, DRY_RUN},
    {"restart", no_argument, NULL, RESTART},
    {"import-config", required_argument, NULL, IMPORT_CONFIG},
    {"commit-every", required_argument, NULL, CHUNK},
    {"currency", required_argument, NULL, RULE},
    {"separator", required_argument, NULL, RULE},
    {"cancellation-prefix", required_argument, NULL, RULE},
    {"product-pattern", required_argument, NULL, RULE},
    {"zero-price", required_argument, NULL, RULE},
    {"prices", required_argument, NULL, RULE},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: affinityctl import orders|products|customers|sessions [OPTION...] FILE...\n"
    "\n"
    "Reads CSV files (plain, gzip or zstd; '-' is standard input) into a store, which is made if it is not\n"
    "there. The first line of each file names its columns:\n"
    "  orders     order_id, ordered_at, product_id, quantity, unit_price [, customer_id, unit_cost,\n"
    "             discounted, currency]; one line of the file is one line of an order\n"
    "  products   product_id [, name, category, brand, price, compare_at, cost, stock, available, durable,\n"
    "             attributes (JSON), attr.NAME...]\n"
    "  customers  customer_id [, country, segment, attributes (JSON), attr.NAME...]\n"
    "  sessions   session_id, item_id, ts; one line of the file is one view of a product, ts may be in\n"
    "             seconds since 1970\n"
    "Times are as 2026-11-21T09:00:00Z, amounts as 12.50 in the store's currency, a negative quantity is a\n"
    "return. Other columns are ignored.\n"
    "\n"
    "All or nothing is stored. Orders that are there already with the same content are left alone, so a "
    "file\n"
    "can be imported again; an order with another content is replaced. An import of orders that was broken "
    "off\n"
    "goes on where it was when the same command is given again. Records that cannot be read are left out "
    "and\n"
    "written to a file with line, column and reason; the exit status is then 3.\n"
    "\n"
    "Options:\n"
    "  --column OURS=THEIRS        the file calls our column OURS by another name\n"
    "  --separator CHARACTER       between fields: one character, or comma, semicolon, tab (default:\n"
    "                              found out)\n"
    "  --currency CODE             ISO 4217 code of a new store (default: EUR)\n"
    "  --cancellation-prefix TEXT  an order whose id begins with it takes back lines of earlier orders\n"
    "  --product-pattern REGEX     ids that do not match are no products (postage, fees) and left out\n"
    "  --zero-price WORD           lines with a price of 0: leave_out (default) or keep\n"
    "  --prices WORD               prices with more decimals than the currency has: exact rejects the line\n"
    "                              (default for orders), round rounds half away from zero (for products)\n"
    "  --import-config FILE        the same rules from a file (default: import.conf beside the first FILE)\n"
    "  --rejects FILE              where rejected records go (default: NAME.rejects.csv in this folder)\n"
    "  --max-rejects N             give up when more than N records were rejected\n"
    "  --dry-run                   only check the files\n"
    "  --restart                   orders: do not go on where an earlier import was broken off\n"
    "  --commit-every N            orders: lines after which progress is saved (default: 500000)\n"
    "\n" AFF_COMMON_HELP "\n"
    "Examples:\n"
    "  affinityctl import orders --currency GBP order_lines.csv.gz\n"
    "  affinityctl import orders --column order_id=invoice --column unit_price=net sales.csv\n"
    "  zstd -dc shop.csv.zst | affinityctl import products -\n";

/* One rule of the command line; they are set after those of the file. */
struct said {
    char key[64];
    const char *value;
};

enum { SAID_MAX = AFF_RULE_COLUMNS + 16 };

struct arguments {
    struct aff_import_options *options;
    struct said said[SAID_MAX];
    int n_said;
    const char *config_file, *rejects;
    char wrong[256]; /* what is wrong with them; "": nothing */
};

static void say(struct arguments *arguments, const char *key, size_t key_size, const char *value)
{
    if (arguments->n_said == SAID_MAX || key_size >= sizeof arguments->said[0].key) {
        (void)snprintf(arguments->wrong, sizeof arguments->wrong, "too many rules or too long a name");
        return;
    }
    struct said *said = &arguments->said[arguments->n_said++];
    memcpy(said->key, key, key_size);
    said->key[key_size] = '\0';
    said->value = value;
    for (char *at = said->key; *at != '\0'; at++)
        if (*at == '-')
            *at = '_';
}

/* --column OURS=THEIRS is the rule column.OURS. */
static void say_column(struct arguments *arguments, const char *value)
{
    char key[64];
    const char *equals = strchr(value, '=');

    if (equals == NULL || equals == value || equals[1] == '\0' || equals - value > 32) {
        (void)snprintf(arguments->wrong, sizeof arguments->wrong, "--column %.100s: is not OURS=THEIRS",
                       value);
        return;
    }
    int size = snprintf(key, sizeof key, "column.%.*s", (int)(equals - value), value);
    say(arguments, key, (size_t)size, equals + 1);
}

static int64_t whole_number(struct arguments *arguments, const char *name, const char *value, int64_t least)
{
    char *end = NULL;

    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < least)
        (void)snprintf(arguments->wrong, sizeof arguments->wrong,
                       "--%s %.100s: is not a whole number from %lld", name, value, (long long)least);
    return number;
}

static void take(struct arguments *arguments, int option, int index)
{
    struct aff_import_options *options = arguments->options;

    if (aff_settings_take(&options->settings, option, optarg))
        return;
    switch (option) {
    case COLUMN:
        say_column(arguments, optarg);
        break;
    case REJECTS:
        arguments->rejects = optarg;
        break;
    case MAX_REJECTS:
        options->max_rejects = whole_number(arguments, "max-rejects", optarg, 0);
        break;
    case DRY_RUN:
        options->dry_run = true;
        break;
    case RESTART:
        options->restart = true;
        break;
    case IMPORT_CONFIG:
        arguments->config_file = optarg;
        break;
    case CHUNK:
        options->chunk = whole_number(arguments, "commit-every", optarg, 1);
        break;
    case RULE:
        say(arguments, table[index].name, strlen(table[index].name), optarg);
        break;
    case ':':
        (void)snprintf(arguments->wrong, sizeof arguments->wrong, "an option lacks its value");
        break;
    default:
        (void)snprintf(arguments->wrong, sizeof arguments->wrong, "unknown option");
        break;
    }
}

static bool take_what(const char *word, enum aff_import_what *ret)
{
    for (int what = AFF_IMPORT_ORDERS; what <= AFF_IMPORT_SESSIONS; what++) {
        if (strcmp(word, aff_import_word((enum aff_import_what)what)) == 0) {
            *ret = (enum aff_import_what)what;
            return true;
        }
    }
    return false;
}

/* import.conf in the folder of the first file; "" if there is none. */
static void find_config(const char *first, char *into, size_t size)
{
    const char *slash = strrchr(first, '/');
    int folder = slash == NULL ? 0 : (int)(slash - first + 1);
    int length = snprintf(into, size, "%.*simport.conf", folder, first);

    if (strcmp(first, "-") == 0 || length < 0 || (size_t)length >= size || access(into, F_OK) != 0)
        into[0] = '\0';
}

/* NAME.rejects.csv, NAME being the first file's without folder and the endings that say what it is. */
static void name_rejects(const char *first, char *into, size_t size)
{
    static const char *const endings[] = {".gz", ".zst", ".csv", ".tsv", ".txt"};
    const char *slash = strrchr(first, '/');
    const char *name = strcmp(first, "-") == 0 ? "stdin" : slash == NULL ? first : slash + 1;
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (length > strlen(endings[i]) &&
            strncmp(name + length - strlen(endings[i]), endings[i], strlen(endings[i])) == 0)
            length -= strlen(endings[i]);
    (void)snprintf(into, size, "%.*s.rejects.csv", (int)(length < size - 32 ? length : size - 32), name);
}

static int wrong(const char *text)
{
    (void)fprintf(stderr, "affinityctl import: %s; see 'affinityctl import --help'\n", text);
    return AFF_EXIT_USAGE;
}

/* The rules of the file, then those of the command line. Returns -1 or the exit status. */
static int set_rules(const struct arguments *arguments)
{
    struct aff_import_options *options = arguments->options;
    char found[4096];
    struct aff_error error;

    find_config(options->files[0], found, sizeof found);
    const char *path = arguments->config_file != NULL ? arguments->config_file : found;
    if (path[0] != '\0' && aff_rules_read(&options->rules, options->what, path, &error) != AFF_OK)
        return aff_settings_fail("import", &error);
    for (int i = 0; i < arguments->n_said; i++)
        if (aff_rules_set(&options->rules, options->what, arguments->said[i].key, arguments->said[i].value,
                          &error) != AFF_OK)
            return wrong(error.text);
    return -1;
}

int aff_import_options_read(int argc, char **argv, struct aff_import_options *ret)
{
    struct arguments arguments = {.options = ret};
    int index = 0;

    *ret = (struct aff_import_options){.max_rejects = -1};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", table, &index)) != -1;) {
        take(&arguments, option, index);
        if (arguments.wrong[0] != '\0' && (option == '?' || option == ':'))
            (void)snprintf(arguments.wrong, sizeof arguments.wrong, "%s: %s", argv[optind - 1],
                           option == ':' ? "the option needs a value" : "there is no such option");
        if (arguments.wrong[0] != '\0')
            return wrong(arguments.wrong);
    }
    if (ret->settings.help) {
        (void)fputs(help, stdout);
        return AFF_EXIT_OK;
    }
    if (optind >= argc || !take_what(argv[optind], &ret->what))
        return wrong("say first what to import: orders, products, customers or sessions");
    ret->files = argv + optind + 1;
    ret->n_files = argc - optind - 1;
    if (ret->n_files == 0)
        return wrong("no file is named");
    int answer = set_rules(&arguments);
    if (answer >= 0)
        return answer;
    if (arguments.rejects == NULL)
        name_rejects(ret->files[0], ret->rejects, sizeof ret->rejects);
    else
        (void)snprintf(ret->rejects, sizeof ret->rejects, "%s", arguments.rejects);
    return -1;
}
