/* SPDX-License-Identifier: Apache-2.0 */
#include "server/background.h"

#include "core/base/clock.h"

#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_US (3600 * AFF_SECOND_US)

/* A thread that notes what its waits say. */
struct noted {
    struct aff_background background;
    struct aff_config config;
    sem_t begin, turn;
    int64_t pause_us;
    int turns, reconfigured; /* how often */
    char store_name[AFF_CONFIG_TEXT];
    char name[16];
    bool hears_signals;
};

static void *run(void *argument)
{
    struct noted *noted = argument;
    sigset_t blocked;

    (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    noted->hears_signals = sigismember(&blocked, SIGTERM) != 1 || sigismember(&blocked, SIGHUP) != 1;
    (void)sem_wait(&noted->begin);
    while (aff_background_wait(&noted->background, noted->pause_us)) {
        noted->turns++;
        noted->reconfigured += noted->background.reconfigured;
        (void)snprintf(noted->store_name, sizeof noted->store_name, "%s",
                       noted->background.config.store_name);
        (void)sem_post(&noted->turn);
    }
    (void)pthread_getname_np(pthread_self(), noted->name, sizeof noted->name);
    return NULL;
}

static void start(struct noted *noted, int64_t pause_us)
{
    memset(noted, 0, sizeof *noted);
    noted->pause_us = pause_us;
    (void)snprintf(noted->config.store_name, sizeof noted->config.store_name, "old");
    assert_int_equal(sem_init(&noted->begin, 0, 0), 0);
    assert_int_equal(sem_init(&noted->turn, 0, 0), 0);
    assert_int_equal(aff_background_start(&noted->background, &noted->config, "noted", run, noted, NULL),
                     AFF_OK);
}

static void configure(struct noted *noted, const char *store_name)
{
    (void)snprintf(noted->config.store_name, sizeof noted->config.store_name, "%s", store_name);
    aff_background_configure(&noted->background, &noted->config);
}

static void finish(struct noted *noted)
{
    aff_background_stop(&noted->background);
    aff_background_join(&noted->background);
    (void)sem_destroy(&noted->begin);
    (void)sem_destroy(&noted->turn);
}

static struct noted noted;

static void a_stop_ends_a_wait_of_an_hour(void **state)
{
    (void)state;
    start(&noted, HOUR_US);
    (void)sem_post(&noted.begin);
    assert_false(aff_background_must_stop(&noted.background));
    finish(&noted);
    assert_int_equal(noted.turns, 0);
}

static void a_wait_ends_when_its_time_is_over(void **state)
{
    (void)state;
    start(&noted, 1000);
    (void)sem_post(&noted.begin);
    (void)sem_wait(&noted.turn);
    (void)sem_wait(&noted.turn);
    finish(&noted);
    assert_int_equal(noted.reconfigured, 0);
    assert_string_equal(noted.store_name, "old");
}

static void a_new_configuration_ends_a_wait_and_is_taken_over(void **state)
{
    (void)state;
    start(&noted, HOUR_US);
    (void)sem_post(&noted.begin);
    configure(&noted, "new");
    (void)sem_wait(&noted.turn);
    configure(&noted, "newer");
    (void)sem_wait(&noted.turn);
    finish(&noted);
    assert_int_equal(noted.turns, 2);
    assert_int_equal(noted.reconfigured, 2);
    assert_string_equal(noted.store_name, "newer");
}

static void news_from_before_a_wait_end_it_once(void **state)
{
    (void)state;
    start(&noted, HOUR_US);
    configure(&noted, "new");
    configure(&noted, "newer");
    (void)sem_post(&noted.begin);
    (void)sem_wait(&noted.turn);
    finish(&noted);
    assert_int_equal(noted.turns, 1);
    assert_string_equal(noted.store_name, "newer");
}

static void a_thread_is_named_and_hears_no_signals(void **state)
{
    (void)state;
    start(&noted, HOUR_US);
    (void)sem_post(&noted.begin);
    finish(&noted);
    assert_string_equal(noted.name, "noted");
    assert_false(noted.hears_signals);
}

static void a_connection_that_is_refused_leaves_nothing_open(void **state)
{
    struct aff_error error = {0};

    (void)state;
    start(&noted, HOUR_US);
    (void)snprintf(noted.background.config.database_url, sizeof noted.background.config.database_url,
                   "host=/nonexistent");
    noted.background.config.database_connect_timeout_s = 1;
    assert_int_equal(aff_background_connect(&noted.background, "test", 0, &error), AFF_BACKEND);
    assert_null(noted.background.connection.pg);
    aff_background_disconnect(&noted.background);
    (void)sem_post(&noted.begin);
    finish(&noted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_ends_a_wait_of_an_hour),
        cmocka_unit_test(a_wait_ends_when_its_time_is_over),
        cmocka_unit_test(a_new_configuration_ends_a_wait_and_is_taken_over),
        cmocka_unit_test(news_from_before_a_wait_end_it_once),
        cmocka_unit_test(a_thread_is_named_and_hears_no_signals),
        cmocka_unit_test(a_connection_that_is_refused_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
