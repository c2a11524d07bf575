/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_axis(struct aff_bar bar, int lines, double low, double high, double step)
{
    struct aff_axis axis = aff_axis_of(&bar, 1, lines);

    assert_true(fabs(axis.low - low) < 1e-9 * step);
    assert_true(fabs(axis.high - high) < 1e-9 * step);
    assert_true(fabs(axis.step - step) < 1e-9 * step);
}

static void an_axis_holds_zero_and_all_intervals(void **state)
{
    (void)state;
    assert_axis((struct aff_bar){.figure = {0.37, 0.35, 0.39}}, 5, 0, 0.4, 0.1);
    assert_axis((struct aff_bar){.figure = {0.37, 0.35, 0.43}}, 5, 0, 0.5, 0.1);
    assert_axis((struct aff_bar){.figure = {-0.01, -0.03, 0.01}}, 5, -0.03, 0.01, 0.01);
    assert_axis((struct aff_bar){.figure = {-2, -3, -1}}, 5, -3, 0, 1);
    assert_axis((struct aff_bar){.figure = {120, 100, 140}}, 5, 0, 150, 50);
    assert_axis((struct aff_bar){.figure = {0, 0, 0}}, 5, 0, 1, 0.2);
    assert_axis((struct aff_bar){.figure = {0.2, -INFINITY, INFINITY}}, 5, 0, 0.2, 0.05);
}

static char *written(void (*write)(FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    write(to);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void write_chart(FILE *to)
{
    const struct aff_bar bars[] = {{"a<b", {0.5, 0.4, 0.6}, true},
                                   {"far", {0.25, -INFINITY, INFINITY}, false},
                                   {"less", {-0.1, -0.2, 0}, false}};

    aff_chart_write(to, "HR@10", bars, 3, 1, 2, true);
    aff_page_escape(to, "<\"&'>");
    aff_page_number(to, -0.001, 2, true);
    aff_page_number(to, 0.006, 2, true);
}

static void a_chart_says_everything_as_text_too(void **state)
{
    (void)state;
    char *text = written(write_chart);

    assert_non_null(strstr(text, "a&lt;b"));
    assert_null(strstr(text, "a<b"));
    assert_non_null(strstr(text, "+0.50"));
    assert_non_null(strstr(text, "-0.10"));
    assert_null(strstr(text, "inf"));
    assert_null(strstr(text, "nan"));
    assert_non_null(strstr(text, "&lt;&quot;&amp;'&gt;0.00+0.01"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_axis_holds_zero_and_all_intervals),
        cmocka_unit_test(a_chart_says_everything_as_text_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
