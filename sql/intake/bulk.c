/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/parts.h"

/* From this number of lines on, sorting for a whole index is cheaper than its making and dropping costs. */
enum { BULK_LINES = 20000 };

/* Drops the indexes of a table and keeps their definitions in import_index. Whatever stands against it (rows,
 * somebody who is using the table, another owner, triggers or keys that others have put on it) leaves the
 * table as it is: the block that failed is rolled back alone. */
static aff_status set_aside(struct aff_intake *intake, const char *table, struct aff_error *reterr)
{
    return aff_intake_run(
        intake, NULL, reterr,
        "DO $do$ DECLARE wanted regclass := 'affinity.%s'; old record; BEGIN"
        "  IF EXISTS (SELECT FROM affinity.%s)"
        "   OR NOT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = wanted AND relkind = 'r'"
        "     AND relreplident = 'd' AND NOT relhassubclass AND pg_catalog.pg_has_role(relowner, 'USAGE'))"
        "   OR EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = wanted)"
        "   OR EXISTS (SELECT FROM pg_catalog.pg_index JOIN pg_catalog.pg_class ON pg_class.oid = indexrelid"
        "     WHERE indrelid = wanted AND (reltablespace <> 0 OR indisexclusion OR indisclustered))"
        "  THEN RETURN; END IF;"
        "  LOCK TABLE affinity.%s IN ACCESS EXCLUSIVE MODE NOWAIT;"
        "  IF EXISTS (SELECT FROM affinity.%s) THEN RETURN; END IF;"
        "  FOR old IN SELECT indexrelid::regclass AS index, conname,"
        "     CASE WHEN conname IS NULL THEN pg_catalog.pg_get_indexdef(indexrelid)"
        "       ELSE pg_catalog.format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', wanted, conname,"
        "       pg_catalog.pg_get_constraintdef(c.oid)) END AS make"
        "    FROM pg_catalog.pg_index LEFT JOIN pg_catalog.pg_constraint c"
        "      ON conrelid = indrelid AND conindid = indexrelid AND contype IN ('p', 'u')"
        "    WHERE indrelid = wanted"
        "  LOOP"
        "    INSERT INTO import_index (tab, make) VALUES (wanted, old.make);"
        "    IF old.conname IS NULL THEN EXECUTE pg_catalog.format('DROP INDEX %%s', old.index);"
        "    ELSE EXECUTE pg_catalog.format('ALTER TABLE %%s DROP CONSTRAINT %%I', wanted, old.conname);"
        "    END IF;"
        "  END LOOP;"
        " EXCEPTION WHEN lock_not_available OR insufficient_privilege OR dependent_objects_still_exist THEN "
        "RETURN;"
        " END $do$",
        table, table, table, table);
}

aff_status aff_intake_bulk_begin(struct aff_intake *intake, struct aff_error *reterr)
{
    int64_t tables[2] = {0};

    if (intake->staged < BULK_LINES)
        return AFF_OK;
    aff_status status =
        aff_execute(intake->connection,
                    "CREATE TEMPORARY TABLE import_index (number serial, tab regclass NOT NULL,"
                    " make text NOT NULL) ON COMMIT DROP",
                    reterr);
    if (status == AFF_OK)
        status = set_aside(intake, "orders", reterr);
    if (status == AFF_OK)
        status = set_aside(intake, "order_line", reterr);
    if (status == AFF_OK)
        status = aff_intake_numbers(intake, tables, 2, reterr,
                                    "SELECT count(*) FILTER (WHERE tab = 'affinity.orders'::regclass),"
                                    " count(*) FILTER (WHERE tab = 'affinity.order_line'::regclass)"
                                    " FROM import_index");
    intake->bulk = status == AFF_OK && tables[0] + tables[1] > 0;
    intake->alone = status == AFF_OK && tables[0] > 0 && tables[1] > 0;
    return status;
}

aff_status aff_intake_bulk_end(struct aff_intake *intake, struct aff_error *reterr)
{
    if (!intake->bulk)
        return AFF_OK;
    return aff_execute(intake->connection,
                       "DO $do$ DECLARE new record; BEGIN"
                       "  FOR new IN SELECT make FROM import_index ORDER BY number LOOP"
                       "    EXECUTE new.make;"
                       "  END LOOP; END $do$",
                       reterr);
}
