/* SPDX-License-Identifier: Apache-2.0 */
/* The text of the triggers that a shop's administrator may want. It is printed, read by a person and run by
 * them, never by us: our role only reads the shop's tables. */
#include "sql/source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEM = 512 };

static const char table_text[] =
    "-- Changes of the shop's tables for affinityd. To be run once by the owner of these tables.\n"
    "-- The role that affinityd connects with needs SELECT on what source.* names, and on the outbox:\n"
    "--   GRANT SELECT, DELETE ON %s TO the_role;\n"
    "CREATE TABLE IF NOT EXISTS %s (\n"
    "    change bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
    "    what   text NOT NULL CHECK (what IN ('orders', 'lines', 'products', 'customers')),\n"
    "    key    text NOT NULL,\n"
    "    at     timestamptz NOT NULL DEFAULT clock_timestamp()\n"
    ");\n";

/* The function runs with its owner's rights, so that whoever writes the shop's tables need not have any on
 * the outbox. */
static const char trigger_text[] =
    "\n"
    "CREATE OR REPLACE FUNCTION public.affinity_note_%d() RETURNS trigger\n"
    "    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $affinity$\n"
    "BEGIN\n"
    "    IF TG_OP IN ('UPDATE', 'DELETE') THEN\n"
    "        INSERT INTO %s (what, key)\n"
    "            SELECT '%s', (%s)::text FROM (SELECT OLD.*) r WHERE (%s) IS NOT NULL;\n"
    "    END IF;\n"
    "    IF TG_OP IN ('UPDATE', 'INSERT') THEN\n"
    "        INSERT INTO %s (what, key)\n"
    "            SELECT '%s', (%s)::text FROM (SELECT NEW.*) r WHERE (%s) IS NOT NULL;\n"
    "    END IF;\n"
    "    RETURN NULL;\n"
    "END $affinity$;\n"
    "DROP TRIGGER IF EXISTS affinity_note_%d ON %s;\n"
    "CREATE TRIGGER affinity_note_%d AFTER INSERT OR UPDATE OR DELETE ON %s\n"
    "    FOR EACH ROW EXECUTE FUNCTION public.affinity_note_%d();\n";

static bool is_word(const char *word)
{
    for (int w = 0; w < AFF_SOURCE_WHATS; w++)
        if (strcmp(word, aff_source_word((enum aff_source_what)w)) == 0)
            return true;
    return false;
}

/* Everything behind the second colon is the column, which may be an expression with casts. */
static aff_status add_trigger(FILE *to, const char *outbox, char *item, int number, struct aff_error *reterr)
{
    char *what = item, *table = strchr(what, ':');
    char *column = table == NULL ? NULL : strchr(table + 1, ':');

    if (column == NULL || table[1] == ':' || column[1] == '\0')
        return aff_error_set(reterr, AFF_INVALID,
                             "source.triggers: '%s' is not WHAT:TABLE:COLUMN, as orders:public.orders:id",
                             item);
    *table++ = '\0';
    *column++ = '\0';
    if (!is_word(what))
        return aff_error_set(reterr, AFF_INVALID,
                             "source.triggers: '%s' is not orders, lines, products or customers", what);
    (void)fprintf(to, trigger_text, number, outbox, what, column, column, outbox, what, column, column,
                  number, table, number, table, number);
    return AFF_OK;
}

/* Up to the next comma that is not in parentheses. */
static size_t item_size(const char *text)
{
    size_t size = 0;

    for (int depth = 0; text[size] != '\0' && (text[size] != ',' || depth > 0); size++)
        depth += (text[size] == '(') - (text[size] == ')');
    return size;
}

static aff_status add_all(FILE *to, const char *outbox, const char *tables, struct aff_error *reterr)
{
    char item[MAX_ITEM];
    aff_status status = AFF_OK;
    int number = 0;

    (void)fprintf(to, table_text, outbox, outbox);
    while (status == AFF_OK) {
        tables += strspn(tables, ", \t");
        size_t size = item_size(tables);
        if (size == 0)
            break;
        size_t kept = size;
        while (kept > 0 && strchr(" \t", tables[kept - 1]) != NULL)
            kept--;
        if (kept >= sizeof item)
            return aff_error_set(reterr, AFF_INVALID, "source.triggers: '%.40s...' is too long", tables);
        (void)snprintf(item, sizeof item, "%.*s", (int)kept, tables);
        status = add_trigger(to, outbox, item, ++number, reterr);
        tables += size;
    }
    if (status == AFF_OK && number == 0)
        status = aff_error_set(reterr, AFF_INVALID,
                               "source.triggers names no table; set it to WHAT:TABLE:COLUMN, ..., as"
                               " orders:public.orders:id, lines:public.order_items:order_id");
    return status;
}

aff_status aff_source_trigger_sql(const char *outbox, const char *tables, char **ret_text,
                                  struct aff_error *reterr)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_status status = add_all(to, outbox, tables, reterr);
    if (fclose(to) != 0 && status == AFF_OK)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    if (status == AFF_OK)
        *ret_text = text;
    else
        free(text);
    return status;
}
