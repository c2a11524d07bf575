/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/review/review.h"

#include "sql/array.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys by id, then the newest decision of each pair. What is there already is not written again; the row
 * locks are taken by ascending pair, so that two requests cannot wait for each other. */
static const char statement[] =
    "WITH d AS MATERIALIZED (SELECT u.i, p.product AS x, q.product AS y, least(p.product, q.product) AS a,"
    " greatest(p.product, q.product) AS b, u.verdict, u.by, u.note FROM unnest($2::text[], $3::text[],"
    " $4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS u(product, other, verdict, by, note, i)"
    " LEFT JOIN affinity.product p ON p.store = $1::integer AND p.id = u.product"
    " LEFT JOIN affinity.product q ON q.store = $1::integer AND q.id = u.other),"
    " old AS MATERIALIZED (SELECT r.* FROM affinity.pair_review r WHERE r.store = $1::integer"
    " AND (r.a, r.b) IN (SELECT a, b FROM d) ORDER BY r.a, r.b FOR UPDATE),"
    " newest AS (SELECT DISTINCT ON (a, b) * FROM d WHERE a < b ORDER BY a, b, i DESC),"
    " put AS (INSERT INTO affinity.pair_review AS t (store, a, b, verdict, by, note)"
    " SELECT $1::integer, n.a, n.b, n.verdict, n.by, n.note FROM newest n LEFT JOIN old o ON o.a = n.a"
    " AND o.b = n.b WHERE (o.verdict, o.by, o.note) IS DISTINCT FROM (n.verdict, n.by, n.note)"
    " ORDER BY n.a, n.b ON CONFLICT (store, a, b) DO UPDATE SET verdict = excluded.verdict,"
    " by = excluded.by, note = excluded.note, at = excluded.at, queued = t.queued"
    " OR t.verdict <> excluded.verdict RETURNING 1)"
    " SELECT CASE WHEN d.x IS NULL THEN 3 WHEN d.y IS NULL THEN 4 WHEN o.a IS NULL THEN 0"
    " WHEN (o.verdict, o.by, o.note) IS DISTINCT FROM (n.verdict, n.by, n.note) THEN 1 ELSE 2 END"
    " FROM d LEFT JOIN old o USING (a, b) LEFT JOIN newest n USING (a, b), (SELECT count(*) FROM put) done"
    " ORDER BY d.i";

aff_status aff_review_put(struct aff_connection *connection, int store, struct aff_review_entry *entries,
                          size_t n, struct aff_error *reterr)
{
    struct aff_array columns[5] = {0};
    const char *parameters[6];
    char number[16];
    PGresult *result = NULL;
    aff_status status = AFF_OK;

    for (size_t i = 0; i < n; i++) {
        aff_array_add_text(&columns[0], entries[i].product);
        aff_array_add_text(&columns[1], entries[i].other);
        aff_array_add_text(&columns[2], aff_text_of(aff_verdict_name(entries[i].verdict)));
        aff_array_add_text(&columns[3], entries[i].by);
        aff_array_add_text(&columns[4], entries[i].note);
    }
    (void)snprintf(number, sizeof number, "%d", store);
    parameters[0] = number;
    for (int i = 0; i < 5; i++) {
        parameters[i + 1] = aff_array_text(&columns[i]);
        if (parameters[i + 1] == NULL)
            status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    if (status == AFF_OK && n > 0)
        status = aff_query(connection, statement, 6, parameters, &result, reterr);
    for (size_t i = 0; status == AFF_OK && i < n; i++)
        entries[i].outcome = (enum aff_review_outcome)strtol(PQgetvalue(result, (int)i, 0), NULL, 10);
    PQclear(result);
    for (int i = 0; i < 5; i++)
        aff_array_done(&columns[i]);
    return status;
}
