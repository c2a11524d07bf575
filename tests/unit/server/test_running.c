/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts that keep the service running: deadlines, counters, log lines, pauses, options. */
#include "server/board.h"
#include "server/counters.h"
#include "server/exposition.h"
#include "server/field_errors.h"
#include "server/loader.h"
#include "server/log.h"
#include "server/options.h"
#include "server/reaper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct aff_live live = {.request_timeout_ms = 10000, .idle_timeout_ms = 60000};

static bool due(enum aff_phase phase, bool seen, int64_t age_ms, int64_t drain_idle_ms)
{
    struct aff_peer peer = {.phase = phase, .seen = seen, .since_ms = 5000};

    return aff_reaper_is_due(&peer, &live, 5000 + age_ms, drain_idle_ms);
}

static void a_request_must_arrive_in_time_however_it_drips(void **state)
{
    static const enum aff_phase phases[] = {AFF_PHASE_HEAD, AFF_PHASE_BODY, AFF_PHASE_REFUSE,
                                            AFF_PHASE_ANSWER};

    (void)state;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        assert_false(due(phases[i], true, 10000, -1));
        assert_true(due(phases[i], true, 10001, -1));
    }
}

static void a_waiting_request_is_left_to_its_job(void **state)
{
    (void)state;
    assert_false(due(AFF_PHASE_WAIT, true, 1000000, 1000));
    assert_true(due(AFF_PHASE_READY, true, 10001, -1));
}

static void an_idle_connection_may_stay_longer_than_a_new_one(void **state)
{
    (void)state;
    assert_true(due(AFF_PHASE_IDLE, false, 10001, -1));
    assert_false(due(AFF_PHASE_IDLE, true, 10001, -1));
    assert_false(due(AFF_PHASE_IDLE, true, 70000, -1));
    assert_true(due(AFF_PHASE_IDLE, true, 70001, -1));
}

static void draining_lets_idle_connections_go(void **state)
{
    (void)state;
    assert_false(due(AFF_PHASE_IDLE, true, 1000, 1000));
    assert_true(due(AFF_PHASE_IDLE, true, 1001, 1000));
    assert_false(due(AFF_PHASE_ANSWER, true, 1001, 1000));
}

static void pauses_double_up_to_the_longest(void **state)
{
    (void)state;
    assert_int_equal(aff_loader_pause_us(0, 30, 0), 500000);
    assert_int_equal(aff_loader_pause_us(1, 30, 0), 1000000);
    assert_int_equal(aff_loader_pause_us(3, 30, 0), 4000000);
    assert_int_equal(aff_loader_pause_us(10, 30, 0), 30000000);
    assert_int_equal(aff_loader_pause_us(4000000000u, 30, 0), 30000000);
    assert_int_equal(aff_loader_pause_us(10, 30, 0.5), 22500000);
    assert_true(aff_loader_pause_us(10, 30, 0.999) >= 15000000);
}

static void answers_land_in_their_series_code_and_bucket(void **state)
{
    struct aff_counters counters = {0}, sum = {0};

    (void)state;
    aff_counters_answer(&counters, AFF_SERIES_health, 200, 10);
    aff_counters_answer(&counters, AFF_SERIES_health, 200, 11);
    aff_counters_answer(&counters, AFF_SERIES_health, 503, 2000000);
    aff_counters_answer(&counters, AFF_SERIES_health, 299, -1);
    aff_count(&counters.items, 5);
    aff_counters_add(&sum, &counters);
    aff_counters_add(&sum, &counters);
    assert_int_equal(sum.requests[AFF_SERIES_health][AFF_CODE_200], 4);
    assert_int_equal(sum.requests[AFF_SERIES_health][AFF_CODE_503], 2);
    assert_int_equal(sum.requests[AFF_SERIES_health][AFF_CODE_500], 2);
    assert_int_equal(sum.latency[AFF_SERIES_health][0], 4);
    assert_int_equal(sum.latency[AFF_SERIES_health][1], 2);
    assert_int_equal(sum.latency[AFF_SERIES_health][AFF_LATENCY_BOUNDS], 2);
    assert_int_equal(sum.latency_us[AFF_SERIES_health], 2 * 2000021);
    assert_int_equal(sum.items, 10);
    aff_uncount(&counters.items, 3);
    assert_int_equal(counters.items, 2);
}

static void label_values_are_escaped(void **state)
{
    struct aff_json to = {0};
    const struct aff_label labels[] = {{"a", {"x\"y\\z\n", 6}}, {"b", {"", 0}}, {NULL, {NULL, 0}}};

    (void)state;
    aff_exposition_family(&to, "m_total", "counter", "Help.");
    aff_exposition_whole(&to, "m_total", labels, UINT64_MAX);
    aff_exposition_real(&to, "m_total", NULL, 0.25);
    to.comma = false;
    aff_json_raw(&to, "", 1);
    assert_string_equal(to.bytes,
                        "# HELP m_total Help.\n# TYPE m_total counter\n"
                        "m_total{a=\"x\\\"y\\\\z\\n\",b=\"\"} 18446744073709551615\nm_total 0.25\n");
    aff_json_done(&to);
}

static void a_log_line_stays_one_line(void **state)
{
    struct aff_log log;
    char line[4096];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    aff_log_init(&log, ends[1]);
    aff_log(&log, AFF_LOG_DEBUG, "hidden", NULL, "not shown");
    aff_log(&log, AFF_LOG_ERROR, "event", AFF_LOG_FIELDS({"text", "a\r\nb\x1b[1m", 0}, {"n", NULL, -5}),
            "two\nlines %s", "\xff");
    aff_log_set_level(&log, "error");
    aff_log(&log, AFF_LOG_INFO, "hidden", NULL, "not shown");
    ssize_t size = read(ends[0], line, sizeof line - 1);
    assert_true(size > 0);
    line[size] = '\0';
    assert_ptr_equal(strchr(line, '\n'), line + size - 1);
    assert_non_null(strstr(line, "\"level\":\"error\",\"event\":\"event\",\"msg\":\"two\\nlines ?\","
                                 "\"text\":\"a\\r\\nb\\u001b[1m\",\"n\":-5}"));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void failures_are_counted_by_class(void **state)
{
    struct aff_board board;
    struct aff_board_view view;
    struct aff_error error = {.status = AFF_BACKEND};

    (void)state;
    aff_board_init(&board);
    aff_board_database_failed(&board, &error);
    (void)strcpy(error.sqlstate, "53300");
    for (int i = 0; i < 3; i++)
        aff_board_database_failed(&board, &error);
    for (int i = 0; i < 100; i++) {
        error.sqlstate[0] = (char)('0' + i / 10);
        error.sqlstate[1] = (char)('0' + i % 10);
        aff_board_database_failed(&board, &error);
    }
    aff_board_read(&board, &view);
    assert_int_equal(view.n_failures, AFF_FAILURE_CLASSES);
    assert_string_equal(view.failures[0].name, "connection");
    assert_string_equal(view.failures[1].name, "53");
    assert_int_equal(view.failures[1].n, 4);
    assert_string_equal(view.failures[AFF_FAILURE_CLASSES - 1].name, "other");
    uint64_t all = 0;
    for (size_t i = 0; i < view.n_failures; i++)
        all += view.failures[i].n;
    assert_int_equal(all, 104);
    aff_board_done(&board);
}

static void many_field_errors_are_counted_not_kept(void **state)
{
    struct aff_field_errors errors = {0};

    (void)state;
    for (int i = 0; i < AFF_FIELD_ERRORS_MAX + 5; i++)
        aff_field_error(&errors, (struct aff_text){"a\xff", 2}, "wrong %d", i);
    assert_int_equal(errors.n, AFF_FIELD_ERRORS_MAX + 5);
    assert_null(memmem(errors.list.bytes, errors.list.size, "wrong 1000", 10));
    assert_non_null(
        memmem(errors.list.bytes, errors.list.size, "{\"field\":\"a?\",\"reason\":\"wrong 999\"}", 34));
    aff_field_errors_done(&errors);
}

static aff_status parse(struct aff_options *options, struct aff_error *error, int n, ...)
{
    static char *arguments[8];
    va_list list;

    arguments[0] = "affinityd";
    va_start(list, n);
    for (int i = 1; i <= n; i++)
        arguments[i] = va_arg(list, char *);
    va_end(list);
    return aff_options_parse(n + 1, arguments, options, error);
}

static void flags_win_over_the_environment(void **state)
{
    struct aff_options options;
    struct aff_config config;
    struct aff_error error = {0};

    (void)state;
    (void)setenv("AFFINITY_HTTP_PORT", "1111", 1);
    (void)setenv("AFFINITY_HTTP_WORKERS", "3", 1);
    assert_int_equal(
        parse(&options, &error, 4, "--set", "http.port=3333", "--http.port=2222", "--check-config"), AFF_OK);
    assert_int_equal(options.action, AFF_OPTIONS_CHECK);
    assert_int_equal(aff_options_load(&options, &config, &error), AFF_OK);
    assert_int_equal(config.http_port, 2222);
    assert_int_equal(config.http_workers, 3);
    (void)unsetenv("AFFINITY_HTTP_PORT");
    (void)unsetenv("AFFINITY_HTTP_WORKERS");
}

static void wrong_arguments_are_named(void **state)
{
    struct aff_options options;
    struct aff_config config;
    struct aff_error error = {0};

    (void)state;
    assert_int_equal(parse(&options, &error, 1, "serve"), AFF_INVALID);
    assert_non_null(strstr(error.text, "'serve' is no option"));
    assert_int_equal(parse(&options, &error, 1, "--config"), AFF_INVALID);
    assert_int_equal(parse(&options, &error, 1, "--set"), AFF_INVALID);
    assert_int_equal(parse(&options, &error, 1, "--nonsense"), AFF_INVALID);
    assert_int_equal(parse(&options, &error, 1, "--http.prot=5"), AFF_OK);
    assert_int_equal(aff_options_load(&options, &config, &error), AFF_CONFIG);
    assert_non_null(strstr(error.text, "http.port"));
    assert_int_equal(parse(&options, &error, 2, "--config", "/nonexistent/file"), AFF_OK);
    assert_int_equal(aff_options_load(&options, &config, &error), AFF_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_must_arrive_in_time_however_it_drips),
        cmocka_unit_test(a_waiting_request_is_left_to_its_job),
        cmocka_unit_test(an_idle_connection_may_stay_longer_than_a_new_one),
        cmocka_unit_test(draining_lets_idle_connections_go),
        cmocka_unit_test(pauses_double_up_to_the_longest),
        cmocka_unit_test(answers_land_in_their_series_code_and_bucket),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(a_log_line_stays_one_line),
        cmocka_unit_test(failures_are_counted_by_class),
        cmocka_unit_test(many_field_errors_are_counted_not_kept),
        cmocka_unit_test(flags_win_over_the_environment),
        cmocka_unit_test(wrong_arguments_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
