/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/intake/intake.h"

#include "sql/intake/lock.h"
#include "sql/intake/parts.h"

#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* A killed import's session ends within a second (sql/intake/lock.h); its successor waits that long. */
enum { LOCK_WAIT_MS = 3000, NUMBERS_AT_ONCE = 4096, FIRST_RUNS = 4096 };

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

static aff_status load_ids(struct aff_intake *intake, struct aff_error *reterr)
{
    char statement[512];
    const struct {
        struct aff_ids *ids;
        const char *table;
        char kind;
    } maps[] = {{&intake->products, "product", 'p'}, {&intake->customers, "customer", 'c'}};
    aff_status status = AFF_OK;

    for (size_t i = 0; i < 2 && status == AFF_OK; i++) {
        (void)snprintf(statement, sizeof statement,
                       "COPY (SELECT %s::bigint, id FROM affinity.%s WHERE store = %d UNION ALL"
                       " SELECT number, id FROM %s WHERE kind = '%c') TO STDOUT (FORMAT binary)",
                       maps[i].table, maps[i].table, intake->store, intake->staging_ids, maps[i].kind);
        status = aff_ids_load(maps[i].ids, intake->connection, statement, reterr);
    }
    intake->saved_products = intake->products.n;
    intake->saved_customers = intake->customers.n;
    return status;
}

aff_status aff_intake_open(struct aff_connection *connection, const struct aff_intake_options *options,
                           struct aff_intake **ret_intake, struct aff_error *reterr)
{
    struct aff_intake *intake = calloc(1, sizeof *intake);

    if (intake == NULL)
        return no_memory(reterr);
    intake->connection = connection;
    intake->store = options->store;
    intake->chunk = options->chunk > 0 ? options->chunk : AFF_INTAKE_CHUNK;
    (void)snprintf(intake->job, sizeof intake->job, "%016" PRIx64, options->job);
    (void)snprintf(intake->staging, sizeof intake->staging, "affinity.import_s%d_%s", intake->store,
                   intake->job);
    (void)snprintf(intake->staging_orders, sizeof intake->staging_orders, "affinity.import_s%d_%s_orders",
                   intake->store, intake->job);
    (void)snprintf(intake->staging_ids, sizeof intake->staging_ids, "affinity.import_s%d_%s_ids",
                   intake->store, intake->job);
    aff_status status = aff_intake_lock(connection, intake->store, LOCK_WAIT_MS, reterr);
    intake->locked = status == AFF_OK;
    if (status == AFF_OK)
        status = aff_intake_job_open(intake, options, reterr);
    if (status == AFF_OK)
        status = load_ids(intake, reterr);
    if (status != AFF_OK) {
        aff_intake_close(intake);
        return status;
    }
    *ret_intake = intake;
    return AFF_OK;
}

int64_t aff_intake_started_us(const struct aff_intake *intake)
{
    return intake->started_us;
}

int64_t aff_intake_resumed(const struct aff_intake *intake)
{
    return intake->resumed;
}

static aff_status begin_copy(struct aff_intake *intake, struct aff_error *reterr)
{
    char statement[AFF_STAGING_NAME + 64];
    aff_status status = AFF_OK;

    if (!intake->in_transaction)
        status = aff_execute(intake->connection, "BEGIN", reterr);
    if (status != AFF_OK)
        return status;
    intake->in_transaction = true;
    (void)snprintf(statement, sizeof statement, "COPY %s FROM STDIN (FORMAT binary)", intake->staging);
    status = aff_copy_write_begin(&intake->copy, intake->connection, statement, reterr);
    intake->copying = status == AFF_OK;
    return status;
}

static aff_status end_copy(struct aff_intake *intake, struct aff_error *reterr)
{
    if (!intake->copying)
        return AFF_OK;
    intake->copying = false;
    return aff_copy_write_finish(&intake->copy, false, reterr);
}

/* Gets the next block of numbers of a sequence. Statements cannot run inside a COPY, so the COPY is ended
 * first. */
static aff_status refill(struct aff_intake *intake, struct aff_numbers *numbers, const char *table,
                         struct aff_error *reterr)
{
    char statement[256];
    PGresult *result = NULL;
    aff_status status = end_copy(intake, reterr);

    if (status == AFF_OK && numbers->block == NULL) {
        numbers->block = calloc(NUMBERS_AT_ONCE, sizeof numbers->block[0]);
        if (numbers->block == NULL)
            return no_memory(reterr);
    }
    (void)snprintf(statement, sizeof statement,
                   "SELECT nextval(pg_get_serial_sequence('affinity.%s', '%s')) FROM generate_series(1, %d)",
                   table, table, NUMBERS_AT_ONCE);
    if (status == AFF_OK)
        status = aff_query(intake->connection, statement, 0, NULL, &result, reterr);
    if (status != AFF_OK)
        return status;
    numbers->n = (size_t)PQntuples(result);
    numbers->at = 0;
    for (size_t i = 0; i < numbers->n; i++)
        numbers->block[i] = strtoll(PQgetvalue(result, (int)i, 0), NULL, 10);
    PQclear(result);
    return AFF_OK;
}

/* The number of an id; an id that is not known yet gets a new one. */
static aff_status number_of(struct aff_intake *intake, struct aff_ids *ids, struct aff_numbers *numbers,
                            const char *table, struct aff_text text, int64_t *ret_number,
                            struct aff_error *reterr)
{
    const struct aff_id *id = aff_ids_find(ids, text);

    if (id != NULL) {
        *ret_number = id->number;
        return AFF_OK;
    }
    if (numbers->at == numbers->n) {
        aff_status status = refill(intake, numbers, table, reterr);
        if (status != AFF_OK)
            return status;
    }
    if (aff_ids_add(ids, text, numbers->block[numbers->at]) != AFF_OK)
        return no_memory(reterr);
    *ret_number = numbers->block[numbers->at++];
    return AFF_OK;
}

/* Adds a line to the run that it continues, or begins a new one. */
static aff_status add_to_run(struct aff_intake *intake, const struct aff_order_line *line, int64_t customer)
{
    struct aff_order_run *run = intake->n_runs == 0 ? NULL : &intake->runs[intake->n_runs - 1];

    if (run == NULL || run->customer != customer || !aff_text_equal(run->order_id, line->order_id)) {
        if (intake->n_runs == intake->runs_capacity) {
            size_t capacity = intake->runs_capacity == 0 ? FIRST_RUNS : intake->runs_capacity * 2;
            struct aff_order_run *runs = realloc(intake->runs, capacity * sizeof runs[0]);
            if (runs == NULL)
                return AFF_NOMEM;
            intake->runs = runs;
            intake->runs_capacity = capacity;
        }
        struct aff_text id = aff_arena_copy(&intake->run_ids, line->order_id);
        if (id.at == NULL)
            return AFF_NOMEM;
        run = &intake->runs[intake->n_runs++];
        *run = (struct aff_order_run){.order_id = id,
                                      .order_key = aff_text_hash(id),
                                      .customer = customer,
                                      .ordered_at_us = line->ordered_at_us};
    }
    if (line->ordered_at_us < run->ordered_at_us)
        run->ordered_at_us = line->ordered_at_us;
    run->digest += aff_order_line_hash(line);
    run->lines++;
    run->returns += line->quantity < 0;
    run->cancels = run->cancels || line->cancels;
    return AFF_OK;
}

/* The line's number is its place in the job, which tells the lines of an order apart however they are
 * scattered. */
static void put_row(struct aff_intake *intake, const struct aff_order_line *line, int64_t product)
{
    struct aff_copy_writer *copy = &intake->copy;

    aff_copy_row(copy, 7);
    aff_copy_put_int64(copy, (int64_t)intake->runs[intake->n_runs - 1].order_key);
    aff_copy_put_int64(copy, line->unit_price);
    if (line->unit_cost == AFF_COST_UNKNOWN)
        aff_copy_put_null(copy);
    else
        aff_copy_put_int64(copy, line->unit_cost);
    aff_copy_put_int32(copy, (int32_t)(uint32_t)intake->seen);
    aff_copy_put_int32(copy, (int32_t)product);
    aff_copy_put_int32(copy, line->quantity);
    aff_copy_put_bool(copy, line->discounted);
}

aff_status aff_intake_put(struct aff_intake *intake, const struct aff_order_line *line,
                          struct aff_error *reterr)
{
    int64_t product = 0, customer = AFF_NO_CUSTOMER;
    aff_status status = AFF_OK;

    assert(line->quantity != 0 && line->order_id.size > 0 && line->order_id.size <= AFF_ID_MAX);
    if (intake->seen < intake->resumed) {
        intake->seen++;
        return AFF_OK;
    }
    status = number_of(intake, &intake->products, &intake->product_numbers, "product", line->product_id,
                       &product, reterr);
    if (status == AFF_OK && line->customer_id.size > 0)
        status = number_of(intake, &intake->customers, &intake->customer_numbers, "customer",
                           line->customer_id, &customer, reterr);
    if (status == AFF_OK && !intake->copying)
        status = begin_copy(intake, reterr);
    if (status != AFF_OK)
        return status;
    if (add_to_run(intake, line, customer) != AFF_OK)
        return no_memory(reterr);
    put_row(intake, line, product);
    if (intake->copy.status != AFF_OK)
        return end_copy(intake, reterr);
    intake->seen++;
    if (intake->seen - intake->staged >= intake->chunk)
        status = aff_intake_checkpoint(intake, reterr);
    return status;
}

/* Stages the ids that got a number since the last time. */
static aff_status stage_ids(struct aff_intake *intake, struct aff_error *reterr)
{
    char statement[AFF_STAGING_NAME + 64];
    struct aff_copy_writer copy;

    if (intake->saved_products == intake->products.n && intake->saved_customers == intake->customers.n)
        return AFF_OK;
    (void)snprintf(statement, sizeof statement, "COPY %s FROM STDIN (FORMAT binary)", intake->staging_ids);
    aff_status status = aff_copy_write_begin(&copy, intake->connection, statement, reterr);
    if (status != AFF_OK)
        return status;
    for (int kind = 0; kind < 2; kind++) {
        const struct aff_ids *ids = kind == 0 ? &intake->products : &intake->customers;
        size_t *saved = kind == 0 ? &intake->saved_products : &intake->saved_customers;
        for (; *saved < ids->n; (*saved)++) {
            const struct aff_id *id = &ids->all[*saved];
            aff_copy_row(&copy, 3);
            aff_copy_put_bytes(&copy, kind == 0 ? "p" : "c", 1);
            aff_copy_put_int64(&copy, id->number);
            aff_copy_put_bytes(&copy, id->text.at, id->text.size);
        }
    }
    return aff_copy_write_finish(&copy, false, reterr);
}

/* Stages the runs of the chunk. */
static aff_status stage_runs(struct aff_intake *intake, struct aff_error *reterr)
{
    char statement[AFF_STAGING_NAME + 64];
    struct aff_copy_writer copy;

    (void)snprintf(statement, sizeof statement, "COPY %s FROM STDIN (FORMAT binary)", intake->staging_orders);
    aff_status status = aff_copy_write_begin(&copy, intake->connection, statement, reterr);
    if (status != AFF_OK)
        return status;
    for (size_t i = 0; i < intake->n_runs; i++) {
        const struct aff_order_run *run = &intake->runs[i];
        struct aff_hash_halves halves = aff_hash_split(run->digest);
        aff_copy_row(&copy, 9);
        aff_copy_put_int64(&copy, (int64_t)run->order_key);
        if (run->customer == AFF_NO_CUSTOMER)
            aff_copy_put_null(&copy);
        else
            aff_copy_put_int64(&copy, run->customer);
        aff_copy_put_time(&copy, run->ordered_at_us);
        aff_copy_put_int32(&copy, halves.high);
        aff_copy_put_int32(&copy, halves.low);
        aff_copy_put_int32(&copy, run->lines);
        aff_copy_put_int32(&copy, run->returns);
        aff_copy_put_bool(&copy, run->cancels);
        aff_copy_put_bytes(&copy, run->order_id.at, run->order_id.size);
    }
    intake->n_runs = 0;
    aff_arena_done(&intake->run_ids);
    return aff_copy_write_finish(&copy, false, reterr);
}

aff_status aff_intake_checkpoint(struct aff_intake *intake, struct aff_error *reterr)
{
    aff_status status = end_copy(intake, reterr);

    if (status != AFF_OK || !intake->in_transaction)
        return status;
    status = stage_runs(intake, reterr);
    if (status == AFF_OK)
        status = stage_ids(intake, reterr);
    if (status == AFF_OK)
        status = aff_intake_job_progress(intake, reterr);
    if (status == AFF_OK)
        status = aff_execute(intake->connection, "COMMIT", reterr);
    if (status == AFF_OK) {
        intake->in_transaction = false;
        intake->staged = intake->seen;
    }
    return status;
}

void aff_intake_close(struct aff_intake *intake)
{
    if (intake == NULL)
        return;
    if (intake->copying)
        (void)!aff_copy_write_finish(&intake->copy, true, NULL);
    if (intake->in_transaction)
        (void)!aff_execute(intake->connection, "ROLLBACK", NULL);
    if (intake->locked)
        aff_intake_unlock(intake->connection, intake->store);
    aff_ids_done(&intake->products);
    aff_ids_done(&intake->customers);
    aff_arena_done(&intake->run_ids);
    free(intake->runs);
    free(intake->product_numbers.block);
    free(intake->customer_numbers.block);
    free(intake);
}
