/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a shop's relations: which there may be, of which types, and how each is read. */
#include "sql/source/parts.h"

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define IDS " text character varying character bpchar smallint integer bigint uuid citext "
#define TEXTS " text character varying character bpchar citext "
#define NUMBERS " smallint integer bigint numeric "
#define TIMES " timestamp with time zone date "
#define FLAGS " boolean "
#define JSONS " jsonb json "
#define UPDATED                                                                                              \
    {                                                                                                        \
        "updated_at", " timestamp with time zone ", "s.updated_at", "NULL"                                   \
    }

/* Money and quantities come as text, so that no digit is lost on the way. */
static const struct aff_source_column orders[] = {
    {"order_id", IDS, "s.order_id::text", NULL},
    {"ordered_at", TIMES, "(extract(epoch FROM s.ordered_at::timestamptz) * 1000000)::bigint", NULL},
    {"customer_id", IDS, "s.customer_id::text", "NULL"},
    {"cancels", FLAGS, "s.cancels", "false"},
    UPDATED,
};

static const struct aff_source_column lines[] = {
    {"order_id", IDS, "s.order_id::text", NULL},         {"product_id", IDS, "s.product_id::text", NULL},
    {"quantity", NUMBERS, "s.quantity::text", NULL},     {"unit_price", NUMBERS, "s.unit_price::text", NULL},
    {"unit_cost", NUMBERS, "s.unit_cost::text", "NULL"}, {"discounted", FLAGS, "s.discounted", "false"},
};

/* From the second column on in the sequence of enum aff_product_column. */
static const struct aff_source_column products[] = {
    {"product_id", IDS, "s.product_id::text", NULL},
    {"name", TEXTS, "coalesce(s.name::text, '')", "NULL"},
    {"category", TEXTS, "coalesce(s.category::text, '')", "NULL"},
    {"brand", TEXTS, "coalesce(s.brand::text, '')", "NULL"},
    {"price", NUMBERS, "s.price::text", "NULL"},
    {"compare_at", NUMBERS, "s.compare_at::text", "NULL"},
    {"cost", NUMBERS, "s.cost::text", "NULL"},
    {"stock", NUMBERS, "trunc(s.stock::numeric)::text", "NULL"},
    {"available", FLAGS, "coalesce(s.available, true)::text", "NULL"},
    {"durable", FLAGS, "coalesce(s.durable, false)::text", "NULL"},
    {"attributes", JSONS, "coalesce(s.attributes::text, '{}')", "NULL"},
    UPDATED,
};

/* Likewise of enum aff_customer_column. */
static const struct aff_source_column customers[] = {
    {"customer_id", IDS, "s.customer_id::text", NULL},
    {"country", TEXTS, "coalesce(s.country::text, '')", "NULL"},
    {"segment", TEXTS, "coalesce(s.segment::text, '')", "NULL"},
    {"attributes", JSONS, "coalesce(s.attributes::text, '{}')", "NULL"},
    UPDATED,
};

#define SHAPE(columns)                                                                                       \
    {                                                                                                        \
        columns, (int)(sizeof(columns) / sizeof((columns)[0]))                                               \
    }

const struct aff_source_shape aff_source_shapes[AFF_SOURCE_WHATS] = {
    [AFF_SOURCE_ORDERS] = SHAPE(orders),
    [AFF_SOURCE_LINES] = SHAPE(lines),
    [AFF_SOURCE_PRODUCTS] = SHAPE(products),
    [AFF_SOURCE_CUSTOMERS] = SHAPE(customers),
};

const char *aff_source_word(enum aff_source_what what)
{
    static const char *const words[AFF_SOURCE_WHATS] = {"orders", "lines", "products", "customers"};

    return words[what];
}

int aff_source_updated(enum aff_source_what what)
{
    return what == AFF_SOURCE_LINES ? -1 : aff_source_shapes[what].n - 1;
}

bool aff_source_is_mapped(const struct aff_source *source, enum aff_source_what what)
{
    return source->relations[what].from[0] != '\0';
}

void aff_source_append_from(struct aff_statement *statement, const struct aff_source_relation *relation)
{
    aff_statement_append(statement, relation->statement ? "(%s) s" : "%s s", relation->from);
}

void aff_source_append_columns(struct aff_statement *statement, enum aff_source_what what,
                               const struct aff_source_relation *relation)
{
    const struct aff_source_shape *shape = &aff_source_shapes[what];

    for (int c = 0; c < shape->n; c++) {
        const struct aff_source_column *column = &shape->columns[c];
        bool present = (relation->present >> c & 1) != 0;
        aff_statement_append(statement, "%s%s", c == 0 ? "" : ", ", present ? column->read : column->absent);
    }
}

/* ---- finding out ---- */

struct telling {
    void (*tell)(void *context, bool good, const char *text);
    void *context;
    enum aff_source_what what;
};

static void AFF_PRINTF(3, 4) tell(const struct telling *telling, bool good, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    int size = snprintf(text, sizeof text, "source.%s: ", aff_source_word(telling->what));

    va_start(arguments, format);
    (void)vsnprintf(text + size, sizeof text - (size_t)size, format, arguments);
    va_end(arguments);
    telling->tell(telling->context, good, text);
}

/* What to do about a type that does not do. */
static const char *advice_for(const char *type)
{
    if (strcmp(type, "timestamp without time zone") == 0)
        return "say which time zone it is in, as in ordered_at AT TIME ZONE 'UTC'";
    if (strcmp(type, "double precision") == 0 || strcmp(type, "real") == 0)
        return "a floating-point number is not exact; cast it, as in round(price::numeric, 2)";
    if (strcmp(type, "money") == 0)
        return "cast it, as in price::numeric";
    return "cast it in the view";
}

static bool accepts(const struct aff_source_column *column, const char *type)
{
    char wanted[AFF_SOURCE_TYPE + 2];

    (void)snprintf(wanted, sizeof wanted, " %s ", type);
    return strstr(column->types, wanted) != NULL;
}

/* One column that the relation has: `types` holds its name in SQL and its basic type. */
static void take_column(const struct telling *telling, struct aff_source_relation *relation, const char *name,
                        const char *type)
{
    const struct aff_source_shape *shape = &aff_source_shapes[telling->what];

    for (int c = 0; c < shape->n; c++) {
        const struct aff_source_column *column = &shape->columns[c];
        if (strcmp(column->name, name) != 0)
            continue;
        relation->present |= 1U << c;
        if (!accepts(column, type))
            tell(telling, false, "column %s is of type %s; %s", name, type, advice_for(type));
        if (c == 0)
            (void)snprintf(relation->id_type, sizeof relation->id_type, "%s",
                           strcmp(type, "character") == 0 ? "bpchar" : type);
        return;
    }
    tell(telling, true, "column %s is not read", name);
}

static void tell_missing(const struct telling *telling, const struct aff_source_relation *relation,
                         bool polls)
{
    const struct aff_source_shape *shape = &aff_source_shapes[telling->what];

    for (int c = 0; c < shape->n; c++) {
        const struct aff_source_column *column = &shape->columns[c];
        if ((relation->present >> c & 1) != 0)
            continue;
        if (column->absent == NULL)
            tell(telling, false, "column %s is missing", column->name);
        else if (polls && c == aff_source_updated(telling->what))
            tell(telling, false,
                 "column updated_at is missing, by which changes are found; add it, or set source.changes ="
                 " trigger");
    }
}

/* Types come by their numbers. */
static aff_status take_columns(struct aff_connection *shop, const PGresult *described,
                               const struct telling *telling, struct aff_source_relation *relation,
                               struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    for (int c = 0; c < PQnfields(described) && status == AFF_OK; c++) {
        char oid[16];
        const char *parameters[] = {oid};
        PGresult *type = NULL;
        (void)snprintf(oid, sizeof oid, "%u", PQftype(described, c));
        status =
            aff_query(shop, "SELECT pg_catalog.format_type($1::oid, NULL)", 1, parameters, &type, reterr);
        if (status == AFF_OK)
            take_column(telling, relation, PQfname(described, c), PQgetvalue(type, 0, 0));
        PQclear(type);
    }
    return status;
}

aff_status aff_source_describe(struct aff_connection *shop, const struct aff_source_settings *settings,
                               enum aff_source_what what, struct aff_source_relation *ret,
                               void (*tell_)(void *context, bool good, const char *text), void *context,
                               struct aff_error *reterr)
{
    struct telling telling = {tell_, context, what};
    struct aff_source_relation relation = {.from = settings->mapping.relations[what]};
    struct aff_statement statement = {.size = 0};
    struct aff_error error = {0};
    PGresult *described = NULL;

    relation.from += strspn(relation.from, " \t");
    relation.statement =
        strncasecmp(relation.from, "select ", 7) == 0 || strncasecmp(relation.from, "with ", 5) == 0;
    *ret = relation;
    if (relation.from[0] == '\0')
        return AFF_OK;
    aff_statement_append(&statement, "SELECT * FROM ");
    aff_source_append_from(&statement, &relation);
    aff_statement_append(&statement, " LIMIT 0");
    aff_status status = aff_statement_check(&statement, reterr);
    if (status == AFF_OK)
        status = aff_query(shop, statement.text, 0, NULL, &described, &error);
    if (status == AFF_BACKEND) {
        if (reterr != NULL)
            *reterr = error;
        return status;
    }
    if (status != AFF_OK) { /* the shop's database understands it otherwise: the mapping is wrong */
        tell(&telling, false, "%s", error.text);
        return AFF_OK;
    }
    status = take_columns(shop, described, &telling, &relation, reterr);
    PQclear(described);
    tell_missing(&telling, &relation, !settings->mapping.triggers);
    *ret = relation;
    return status;
}
