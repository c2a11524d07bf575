/* SPDX-License-Identifier: Apache-2.0 */
/* Writing orders into the tables, from whatever source: lines go into an unlogged staging table in committed
 * chunks (aff_intake_put), and one transaction moves them into orders and order_line (aff_intake_apply).
 * Until that transaction commits, no other table has changed; a process that dies leaves a staging table from
 * which the same job goes on.
 *
 * All lines of one order id in one job are that order. An order that is stored with another content is
 * replaced whole, one with the same content (digest, core/intake/line.h) is left alone, so a job can be
 * repeated. The order's time is that of its earliest line, its customer that of the earliest line that has
 * one; its lines repeat both. Products and customers that are not known yet are created with their id only.
 *
 * Used by one thread; the connection must not be used for anything else between open and close. */
#pragma once

#include "core/base/status.h"
#include "core/intake/line.h"
#include "sql/connection.h"

#include <stdbool.h>
#include <stdint.h>

/* Staged lines between two commits. */
#define AFF_INTAKE_CHUNK 500000

/* A job that was not finished is thrown away by a later job of its store after this time. */
#define AFF_INTAKE_KEEP_DAYS 7

struct aff_intake;

struct aff_intake_options {
    int store;
    uint64_t job;   /* says which input and options this is: the same value goes on where it was left */
    bool resumable; /* false: the input cannot be read again, begin anew whatever is stored */
    bool restart;   /* throw away what an earlier run has staged */
    int64_t chunk;  /* lines between two commits; 0: AFF_INTAKE_CHUNK */
};

struct aff_intake_report {
    int64_t orders_new, orders_changed, orders_unchanged;
    int64_t orders_colliding;            /* left out: another order id has the same 64-bit key */
    char colliding[2 * AFF_ID_MAX + 64]; /* the first of them, for a person */
    int64_t orders_several_customers; /* whose lines name different customers; the earliest one was taken */
    int64_t lines;                    /* written, of new and changed orders */
    int64_t products_new, customers_new;
    int64_t products_priced; /* had no price and have that of their newest sale now */
    /* Return lines of the new and changed orders: */
    int64_t returns;           /* all */
    int64_t returns_matched;   /* found all their units among earlier purchases */
    int64_t returns_partly;    /* found some */
    int64_t returns_unmatched; /* found none, or belong to a guest */
};

/* Takes the store's import lock, throws away jobs that are too old, loads the store's ids and creates the
 * staging table or finds the one of an earlier run. AFF_BUSY: another import runs into the store; the text
 * says which. */
AFF_MUST_CHECK aff_status aff_intake_open(struct aff_connection *connection,
                                          const struct aff_intake_options *options,
                                          struct aff_intake **ret_intake, struct aff_error *reterr);

/* Time at which the job was first started; checks against "now" use it, so that a resumed run decides alike.
 */
int64_t aff_intake_started_us(const struct aff_intake *intake);

/* Lines that an earlier run of the job has staged; the first so many put calls only count. */
int64_t aff_intake_resumed(const struct aff_intake *intake);

/* Stages one line. Its ids must be ids (aff_text_is_id) and its numbers in the ranges of struct
 * aff_order_line. */
AFF_MUST_CHECK aff_status aff_intake_put(struct aff_intake *intake, const struct aff_order_line *line,
                                         struct aff_error *reterr);

/* Moves what is staged into the tables, in one transaction, and ends the job. `step` (may be NULL) is told
 * what is being done when it begins, as "matching returns"; steps without work are left out, and `what` is a
 * constant. */
AFF_MUST_CHECK aff_status aff_intake_apply(struct aff_intake *intake,
                                           void (*step)(void *context, const char *what), void *context,
                                           struct aff_intake_report *ret, struct aff_error *reterr);

/* Gives the lock back and frees. What is staged and was not applied stays for a later run. NULL is fine. */
void aff_intake_close(struct aff_intake *intake);
