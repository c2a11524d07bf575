/* SPDX-License-Identifier: Apache-2.0 */
/* What a verification found, for people. */
#pragma once

#include "cli/verify/drive.h"
#include "sql/fold/verify.h"

/* Prints both digests of each table, the first difference of each, and what to do about it. */
void aff_verify_print(const struct aff_verify_report *report, const char *store_name);

/* Prints what was driven and how the two stores compare; true if they hold the same. */
bool aff_verify_print_driven(const struct aff_drive_report *driven);
