/* SPDX-License-Identifier: Apache-2.0 */
/* Fitted weights in the database. affinity.fitted has each fit with its evidence, affinity.fitted_use says
 * which of them holds for a situation, and affinity.fitting.version grows whenever that changes, so that
 * those who hold the weights in memory see it. */
#pragma once

#include "core/measure/tasks.h"
#include "sql/connection.h"

#include <stdint.h>

/* Reads the weights that hold, and their version (0: none ever held). A fit that names a source which this
 * program does not have, or a weight that is not from 0 to 1000, is passed over: the configured weights hold
 * in its place. One statement. */
AFF_MUST_CHECK aff_status aff_fitted_read(struct aff_connection *connection, int store,
                                          struct aff_fitted *ret, uint64_t *ret_version,
                                          struct aff_error *reterr);

struct aff_fitted_new {
    enum aff_situation situation;
    struct aff_weights weights;
    char evidence[1024]; /* a JSON object; which fit held before is added as "instead_of" */
    bool adopted;        /* it was better, and is to hold from now on */
    int64_t fit;         /* set when it is stored: its number */
};

/* Stores fits and lets those adopted hold, all or nothing, and notes the time. AFF_BUSY: other weights hold
 * than those of `version`, with which the fits were compared. */
AFF_MUST_CHECK aff_status aff_fitted_add(struct aff_connection *connection, int store, uint64_t version,
                                         struct aff_fitted_new *fits, int n, struct aff_error *reterr);

/* Lets a fit hold for its situation, whatever was found about it. AFF_NOTFOUND: the store has no fit of this
 * number. AFF_DATA: this program cannot use its weights. */
AFF_MUST_CHECK aff_status aff_fitted_use(struct aff_connection *connection, int store, int64_t fit,
                                         enum aff_situation *ret_situation, struct aff_error *reterr);

/* From now on the configured weights hold; *ret_n fits held before. */
AFF_MUST_CHECK aff_status aff_fitted_reset(struct aff_connection *connection, int store, int64_t *ret_n,
                                           struct aff_error *reterr);

/* A fit as it is stored. Texts are valid during the call only; `weights` and `evidence` are JSON objects. */
struct aff_fitted_row {
    int64_t fit;
    const char *situation, *at, *weights, *evidence;
    bool adopted, in_use;
    uint32_t questions; /* of the half that judged */
    double gain, standard_error;
    struct aff_task_score before, after;
};

/* Calls `visit` for each fit of the store, the oldest first. `visit` must not use the connection. */
AFF_MUST_CHECK aff_status aff_fitted_list(struct aff_connection *connection, int store,
                                          void (*visit)(void *context, const struct aff_fitted_row *row),
                                          void *context, struct aff_error *reterr);

/* Whether the store's last complete fit is older than `seconds`, or there was none. */
AFF_MUST_CHECK aff_status aff_fitted_is_due(struct aff_connection *connection, int store, int64_t seconds,
                                            bool *ret_due, struct aff_error *reterr);

/* One fit of a store at a time: takes its advisory lock for as long as the connection lives. AFF_BUSY if it
 * is taken. */
AFF_MUST_CHECK aff_status aff_fitted_lock(struct aff_connection *connection, int store,
                                          struct aff_error *reterr);
void aff_fitted_unlock(struct aff_connection *connection, int store);
