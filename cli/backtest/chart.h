/* SPDX-License-Identifier: Apache-2.0 */
/* Bar charts with intervals as HTML with inline SVG, which stay readable at any width: names and values are
 * text, only the bars stretch. */
#pragma once

#include "cli/backtest/metrics.h"

#include <stdbool.h>
#include <stdio.h>

struct aff_bar {
    const char *name;
    struct aff_figure figure;
    bool own; /* ours, shown in another colour */
};

/* The ends of an axis and the distance of its lines; the ends are multiples of it. */
struct aff_axis {
    double low, high, step;
};

/* The axis that holds 0 and all intervals with at most `lines` steps. Infinite ends of intervals do not
 * count. */
struct aff_axis aff_axis_of(const struct aff_bar *bars, uint32_t n, int lines);

/* Writes a figure. `scale` divides values for people, which are shown with `digits` decimals and, where
 * `differences` is true, with their sign and negative ones in a colour of their own. `caption` needs no
 * escape, names are escaped. */
void aff_chart_write(FILE *to, const char *caption, const struct aff_bar *bars, uint32_t n, double scale,
                     int digits, bool differences);

/* Writes a number for people: with its sign where it is a difference, and without one where it rounds to 0.
 */
void aff_page_number(FILE *to, double value, int digits, bool difference);

/* Writes text with the characters that mean something in HTML escaped. */
void aff_page_escape(FILE *to, const char *text);
