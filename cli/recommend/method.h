/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour rows by another method than the stored ones, computed from the stored counts. */
#pragma once

#include "config/config.h"
#include "core/index/model.h"
#include "core/learn/rows.h"
#include "sql/connection.h"

/* Reads the pair counts of the model's store and replaces model->together by rows that `method` scores, with
 * the learn.* keys of `config` for everything else. The database is not changed. */
AFF_MUST_CHECK aff_status aff_model_score_by(struct aff_connection *connection,
                                             const struct aff_config *config, enum aff_method method,
                                             struct aff_model *model, struct aff_error *reterr);
