/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an order intake share; nobody else includes it. */
#pragma once

#include "sql/copy.h"
#include "sql/intake/ids.h"
#include "sql/intake/intake.h"

/* "affinity.import_s2147483647_0123456789abcdef" with "_orders" and its NUL fit. */
#define AFF_STAGING_NAME 64

/* New numbers for things that the job names and the tables do not have yet: taken from the identity's
 * sequence in blocks, so that staged rows hold final numbers. */
struct aff_numbers {
    int64_t *block; /* as the sequence gave them */
    size_t n, at;
};

/* Lines of one order and one customer that came one after the other. An order is one run unless its lines are
 * scattered over the input. */
struct aff_order_run {
    struct aff_text order_id; /* in the chunk's memory */
    uint64_t order_key;
    int64_t customer;      /* AFF_NO_CUSTOMER: a guest */
    int64_t ordered_at_us; /* of the earliest line */
    uint64_t digest;
    int32_t lines, returns;
    bool cancels;
};

#define AFF_NO_CUSTOMER INT64_C(-1)

struct aff_intake {
    struct aff_connection *connection;
    int store;
    char job[17]; /* sixteen hexadecimal digits */
    char staging[AFF_STAGING_NAME], staging_orders[AFF_STAGING_NAME], staging_ids[AFF_STAGING_NAME];
    int64_t started_us;
    int64_t chunk;
    bool locked;
    struct aff_ids products, customers;
    size_t saved_products, saved_customers; /* entries of the maps that the database knows or has staged */
    struct aff_numbers product_numbers, customer_numbers;
    int64_t resumed, seen; /* lines staged by an earlier run; lines put in this run */
    int64_t staged;        /* committed */
    struct aff_copy_writer copy;
    bool copying, in_transaction;
    bool bulk;  /* indexes have been set aside by aff_intake_bulk_begin() */
    bool alone; /* those of both tables: no store has orders, and nobody else sees the tables until the end */
    struct aff_order_run *runs; /* of the current chunk; the last one may grow */
    size_t n_runs, runs_capacity;
    struct aff_arena run_ids;
};

/* Runs a statement made of constants, numbers and the names above. `ret_rows` may be NULL. */
AFF_MUST_CHECK aff_status aff_intake_run(struct aff_intake *intake, int64_t *ret_rows,
                                         struct aff_error *reterr, const char *format, ...) AFF_PRINTF(4, 5);

/* The same for the whole numbers in the first row. */
AFF_MUST_CHECK aff_status aff_intake_numbers(struct aff_intake *intake, int64_t *ret_numbers, int n,
                                             struct aff_error *reterr, const char *format, ...)
    AFF_PRINTF(5, 6);

/* Finds or creates the job's row and staging tables, and drops those of jobs that are too old. */
AFF_MUST_CHECK aff_status aff_intake_job_open(struct aff_intake *intake,
                                              const struct aff_intake_options *options,
                                              struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_intake_job_progress(struct aff_intake *intake, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_intake_job_done(struct aff_intake *intake,
                                              const struct aff_intake_report *report,
                                              struct aff_error *reterr);

/* Ends the current chunk: everything put so far is committed. */
AFF_MUST_CHECK aff_status aff_intake_checkpoint(struct aff_intake *intake, struct aff_error *reterr);

/* A large import into tables that hold no rows, of any store, fills them without their indexes and makes
 * these at the end, which takes a third of the time: order keys are hashes, so each row would go to another
 * page. The tables are locked against everybody for that time, which is why it is done only while there is
 * nothing to read, and not at all if the lock would have to be waited for. Both run inside the transaction of
 * aff_intake_apply(): after a failure the indexes are what they were. */
AFF_MUST_CHECK aff_status aff_intake_bulk_begin(struct aff_intake *intake, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_intake_bulk_end(struct aff_intake *intake, struct aff_error *reterr);

/* Inside the transaction of aff_intake_apply(), before old lines go and after new lines have come. */
AFF_MUST_CHECK aff_status aff_intake_returns_before(struct aff_intake *intake, struct aff_error *reterr);
AFF_MUST_CHECK aff_status aff_intake_returns_after(struct aff_intake *intake,
                                                   struct aff_intake_report *report,
                                                   struct aff_error *reterr);

/* Gives products without a price that of their newest sale in this import; how many, into *ret_priced, and
 * which, into import_product. After the lines are grouped into import_order. */
AFF_MUST_CHECK aff_status aff_intake_price_products(struct aff_intake *intake, int64_t *ret_priced,
                                                    struct aff_error *reterr);
