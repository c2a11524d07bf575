/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/chart.h"

#include <math.h>

/* Steps of an axis at most; numbers below 0 are longer. */
enum { AXIS_LINES = 5, DIFFERENCE_LINES = 4 };

void aff_page_escape(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            (void)fputs("&amp;", to);
            break;
        case '<':
            (void)fputs("&lt;", to);
            break;
        case '>':
            (void)fputs("&gt;", to);
            break;
        case '"':
            (void)fputs("&quot;", to);
            break;
        default:
            (void)fputc(*text, to);
        }
}

void aff_page_number(FILE *to, double value, int digits, bool difference)
{
    if (fabs(value) < 0.5 * pow(10, -digits))
        (void)fprintf(to, "%.*f", digits, 0.0);
    else
        (void)fprintf(to, difference ? "%+.*f" : "%.*f", digits, value);
}

/* 1, 2 or 5 times a power of ten, not below `least`. */
static double round_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    const double share = least / power;

    /* A hair more than what is asked for is rounding. */
    return power * (share <= 1.0000001 ? 1 : share <= 2.0000001 ? 2 : share <= 5.0000001 ? 5 : 10);
}

struct aff_axis aff_axis_of(const struct aff_bar *bars, uint32_t n, int lines)
{
    struct aff_axis axis = {0};

    for (uint32_t i = 0; i < n; i++) {
        const struct aff_figure *figure = &bars[i].figure;
        axis.low = fmin(axis.low, isfinite(figure->low) ? figure->low : figure->value);
        axis.high = fmax(axis.high, isfinite(figure->high) ? figure->high : figure->value);
    }
    if (axis.high - axis.low <= 0)
        axis.high = 1;
    /* An end on each side of 0 takes up to one line more. */
    axis.step = round_step((axis.high - axis.low) / (axis.low < 0 && axis.high > 0 ? lines - 1 : lines));
    axis.low = floor(axis.low / axis.step + 1e-9) * axis.step;
    axis.high = ceil(axis.high / axis.step - 1e-9) * axis.step;
    return axis;
}

static double percent(const struct aff_axis *axis, double value)
{
    return 100 * (fmin(fmax(value, axis->low), axis->high) - axis->low) / (axis->high - axis->low);
}

static int count_lines(const struct aff_axis *axis)
{
    return (int)lround((axis->high - axis->low) / axis->step);
}

/* One bar's own picture; those of a chart stand below each other and make one. */
static void write_bar(FILE *to, const struct aff_axis *axis, const struct aff_bar *bar, bool differences)
{
    const struct aff_figure *figure = &bar->figure;
    const double zero = percent(axis, 0), value = percent(axis, figure->value);
    const char *colour = differences && figure->value < 0 ? "worse" : bar->own ? "own" : "bar";

    (void)fprintf(to, "<svg height=\"24\" aria-hidden=\"true\">");
    for (int i = 0; i <= count_lines(axis); i++) {
        const double at = percent(axis, axis->low + i * axis->step);
        (void)fprintf(to, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"24\"/>",
                      fabs(at - zero) < 0.01 ? "zero" : "grid", at, at);
    }
    (void)fprintf(to, "<rect class=\"%s\" x=\"%.2f%%\" y=\"4\" width=\"%.2f%%\" height=\"16\" rx=\"2\"/>",
                  colour, fmin(zero, value), fabs(value - zero));
    if (isfinite(figure->low) && isfinite(figure->high)) {
        const double low = percent(axis, figure->low), high = percent(axis, figure->high);
        (void)fprintf(to,
                      "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"12\" y2=\"12\"/>"
                      "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"8\" y2=\"16\"/>"
                      "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"8\" y2=\"16\"/>",
                      low, high, low, low, high, high);
    }
    (void)fprintf(to, "</svg>");
}

static void write_axis(FILE *to, const struct aff_axis *axis, double scale)
{
    const double step = axis->step / scale;
    const int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;

    (void)fprintf(to, "<span></span><svg height=\"18\" aria-hidden=\"true\">");
    for (int i = 0; i <= count_lines(axis); i++)
        (void)fprintf(to, "<text x=\"%.2f%%\" y=\"13\" text-anchor=\"middle\">%.*f</text>",
                      percent(axis, axis->low + i * axis->step), decimals,
                      (axis->low + i * axis->step) / scale + 0.0);
    (void)fprintf(to, "</svg><span></span>\n");
}

void aff_chart_write(FILE *to, const char *caption, const struct aff_bar *bars, uint32_t n, double scale,
                     int digits, bool differences)
{
    const struct aff_axis axis = aff_axis_of(bars, n, differences ? DIFFERENCE_LINES : AXIS_LINES);

    (void)fprintf(
        to, "<figure><figcaption>%s</figcaption>\n<div class=\"bars\" role=\"img\" aria-label=\"%s\">\n",
        caption, caption);
    for (uint32_t i = 0; i < n; i++) {
        const char *own = bars[i].own && !differences ? " own" : "";
        (void)fprintf(to, "<span class=\"name%s\">", own);
        aff_page_escape(to, bars[i].name);
        (void)fprintf(to, "</span>");
        write_bar(to, &axis, &bars[i], differences);
        (void)fprintf(to, "<span class=\"value%s\">", own);
        aff_page_number(to, bars[i].figure.value / scale, digits, differences);
        (void)fprintf(to, "</span>\n");
    }
    write_axis(to, &axis, scale);
    (void)fprintf(to, "</div></figure>\n");
}
