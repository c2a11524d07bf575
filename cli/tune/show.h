/* SPDX-License-Identifier: Apache-2.0 */
/* Fits of weights, for people and as JSON. */
#pragma once

#include "sql/measure/tuning.h"
#include "sql/sessions/fitted.h"
#include "json/writer.h"

void aff_show_tuning(const struct aff_tuning_report *report, bool dry_run);
void aff_show_tuning_json(const struct aff_tuning_report *report, struct aff_json *json);

void aff_show_fits_head(void);
void aff_show_fit(const struct aff_fitted_row *row);
void aff_show_fit_json(const struct aff_fitted_row *row, struct aff_json *json); /* one element */
