/* SPDX-License-Identifier: Apache-2.0 */
/* A result for people and programs. */
#pragma once

#include "cli/backtest/result.h"
#include "json/writer.h"

#include <stdio.h>

void aff_backtest_show_table(const struct aff_backtest_result *result, FILE *to);
void aff_backtest_show_json(const struct aff_backtest_result *result, struct aff_json *json);

/* "2011-09-21" of seconds since 1970. */
enum { AFF_BACKTEST_DATE = 16 };
const char *aff_backtest_date(uint32_t at_s, char into[AFF_BACKTEST_DATE]);
