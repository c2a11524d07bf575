/* SPDX-License-Identifier: Apache-2.0 */
/* A result as one HTML page that needs nothing else: style and charts are in it, no script, no network. */
#pragma once

#include "cli/backtest/result.h"

#include <stdio.h>

void aff_page_write(const struct aff_backtest_result *result, FILE *to);
