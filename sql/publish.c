/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/publish.h"

#include "core/base/clock.h"
#include "sql/partitions.h"
#include "sql/rebuild.h"
#include "sql/rebuild_feed.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 120, PAUSE_MS = 200, N_PARAMETERS = 23, NUMBER = 32 };

#define DAYS (86400.0)

/* Parameters of the statement below; times are microseconds after the epoch, null without orders. */
struct values {
    char text[N_PARAMETERS][NUMBER];
    const char *at[N_PARAMETERS];
};

static const char update_state[] =
    "UPDATE affinity.state SET version = version + 1, published = version + 1, generation = generation + 1,"
    " touched_from = version + 1, rebuilding = false,"
    " counted_from = timestamptz 'epoch' + $23::bigint * interval '1 microsecond',"
    " landmark = timestamptz 'epoch' + $2::bigint * interval '1 microsecond', half_life_s = $3::bigint,"
    " window_from = timestamptz 'epoch' + $4::bigint * interval '1 microsecond',"
    " window_to = timestamptz 'epoch' + $5::bigint * interval '1 microsecond',"
    " orders = $6::bigint, lines = $7::bigint, weight = $8::bigint, next_orders = $9::bigint,"
    " truncated_orders = $10::bigint, truncated_lines = $11::bigint, rebuilt_at = now(),"
    " settings = jsonb_build_object('window_days', $12::float8, 'half_life_days', $13::float8,"
    " 'basket_cap', $14::bigint, 'method', $15::text, 'neighbours', $16::bigint, 'ridge_others', $17::bigint,"
    " 'ridge_lambda', $18::float8, 'floors', $19::text, 'min_orders', $20::bigint,"
    " 'old_orders', $21::bigint, 'lines_read', $22::bigint)"
    " WHERE store = $1::integer RETURNING published";

static void set_integer(struct values *values, int number, int64_t value)
{
    (void)snprintf(values->text[number - 1], NUMBER, "%" PRId64, value);
    values->at[number - 1] = values->text[number - 1];
}

static void set_real(struct values *values, int number, double value)
{
    (void)snprintf(values->text[number - 1], NUMBER, "%.17g", value);
    values->at[number - 1] = values->text[number - 1];
}

static void set_all(struct values *values, const struct aff_publication *publication)
{
    const struct aff_baskets *baskets = publication->baskets;
    const struct aff_rebuild_settings *settings = publication->settings;

    memset(values, 0, sizeof *values);
    set_integer(values, 1, publication->store);
    if (baskets->n_baskets > 0) {
        set_integer(values, 2, baskets->landmark_us);
        set_integer(values, 4, baskets->from_us);
        set_integer(values, 5, baskets->to_us);
    }
    if (publication->counted_from_us != INT64_MIN)
        set_integer(values, 23, publication->counted_from_us);
    set_integer(values, 3, baskets->half_life_s);
    set_integer(values, 6, baskets->n_baskets);
    set_integer(values, 7, baskets->n_lines);
    set_integer(values, 8, baskets->weight);
    set_integer(values, 9, (int64_t)publication->next_orders);
    set_integer(values, 10, (int64_t)baskets->truncated_orders);
    set_integer(values, 11, (int64_t)baskets->truncated_lines);
    set_real(values, 12, (double)settings->baskets.window_us / (double)AFF_DAY_US);
    set_real(values, 13, (double)settings->baskets.half_life_s / DAYS);
    set_integer(values, 14, settings->baskets.cap);
    values->at[14] = aff_method_name(settings->rows.method);
    set_integer(values, 16, settings->rows.neighbours);
    set_integer(values, 17, settings->rows.others);
    set_real(values, 18, settings->rows.lambda);
    values->at[18] = settings->floors_name;
    set_integer(values, 20, settings->rows.floors.min_orders);
    set_integer(values, 21, (int64_t)baskets->old_orders);
    set_integer(values, 22, (int64_t)publication->lines);
}

static aff_status swap(struct aff_connection *connection, int store, const struct values *values,
                       int64_t *ret_version, struct aff_error *reterr)
{
    char notify[64], touched[64];

    (void)snprintf(notify, sizeof notify, "NOTIFY affinity_published, '%d'", store);
    (void)snprintf(touched, sizeof touched, "DELETE FROM affinity.touched WHERE store = %d", store);
    aff_status status = aff_execute(connection, "BEGIN", reterr);
    if (status != AFF_OK)
        return status;
    status = aff_rebuild_feed_swap(connection, store, reterr);
    if (status == AFF_OK)
        status = aff_execute(connection, touched, reterr);
    if (status == AFF_OK)
        status = aff_partitions_swap(connection, store, reterr);
    if (status == AFF_OK)
        status = aff_query_number(connection, update_state, N_PARAMETERS, values->at, ret_version, reterr);
    if (status == AFF_OK)
        status = aff_execute(connection, notify, reterr);
    if (status == AFF_OK)
        status = aff_execute(connection, "COMMIT", reterr);
    if (status != AFF_OK)
        PQclear(PQexec(connection->pg, "ROLLBACK")); /* what failed before is what counts */
    return status;
}

static void pause_a_little(void)
{
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    (void)nanosleep(&pause, NULL);
}

aff_status aff_publish(struct aff_connection *connection, const struct aff_publication *publication,
                       const struct aff_watch *watch, uint64_t *ret_version, struct aff_error *reterr)
{
    int64_t until_us = aff_clock_monotonic_us() + PATIENCE_S * AFF_SECOND_US;
    struct aff_error error = {0};
    struct values values;
    int64_t version = 0;
    aff_status status;

    set_all(&values, publication);
    for (;;) {
        status = swap(connection, publication->store, &values, &version, &error);
        if (status == AFF_OK) {
            *ret_version = (uint64_t)version;
            return AFF_OK;
        }
        if (strcmp(error.sqlstate, "55P03") != 0 && strcmp(error.sqlstate, "40P01") != 0)
            break;
        if (aff_clock_monotonic_us() >= until_us)
            return aff_error_set(
                reterr, AFF_BUSY,
                "the learned tables were in use without a pause for %d seconds, so that the new"
                " ones could not take their place; look for long transactions in"
                " pg_stat_activity and try again",
                PATIENCE_S);
        if (!watch->call(watch->context, 0, 0))
            return aff_error_set(reterr, AFF_CANCELLED, "%s", aff_status_text(AFF_CANCELLED));
        pause_a_little();
    }
    if (reterr != NULL)
        *reterr = error;
    return status;
}
