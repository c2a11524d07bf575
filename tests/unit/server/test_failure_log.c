/* SPDX-License-Identifier: Apache-2.0 */
#include "server/failure_log.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct aff_error refused = {AFF_BACKEND, "", "connection refused"};
static const struct aff_error starting = {AFF_BACKEND, "57P03", "the database is starting up"};
static const struct aff_error schema = {AFF_SCHEMA, "42P01", "there is no table"};

static void the_same_failure_is_news_once_and_once_a_minute(void **state)
{
    struct aff_failure_log log = {0};

    (void)state;
    assert_true(aff_failure_log_is_news(&log, &refused));
    assert_false(aff_failure_log_is_news(&log, &refused));
    log.at_us -= 59 * AFF_SECOND_US;
    assert_false(aff_failure_log_is_news(&log, &refused));
    log.at_us -= AFF_SECOND_US;
    assert_true(aff_failure_log_is_news(&log, &refused));
    assert_false(aff_failure_log_is_news(&log, &refused));
}

static void another_failure_is_news(void **state)
{
    struct aff_failure_log log = {0};

    (void)state;
    assert_true(aff_failure_log_is_news(&log, &refused));
    assert_true(aff_failure_log_is_news(&log, &starting));
    assert_true(aff_failure_log_is_news(&log, &schema));
    assert_false(aff_failure_log_is_news(&log, &schema));
}

static void what_comes_back_after_a_success_is_news(void **state)
{
    struct aff_failure_log log = {.one_outage = true};

    (void)state;
    assert_true(aff_failure_log_is_news(&log, &refused));
    aff_failure_log_clear(&log);
    assert_true(aff_failure_log_is_news(&log, &starting));
}

static void an_outage_may_be_one_failure_in_whatever_words(void **state)
{
    struct aff_failure_log log = {.one_outage = true};

    (void)state;
    assert_true(aff_failure_log_is_news(&log, &refused));
    assert_false(aff_failure_log_is_news(&log, &starting));
    assert_true(aff_failure_log_is_news(&log, &schema));
    assert_true(aff_failure_log_is_news(&log, &refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_failure_is_news_once_and_once_a_minute),
        cmocka_unit_test(another_failure_is_news),
        cmocka_unit_test(what_comes_back_after_a_success_is_news),
        cmocka_unit_test(an_outage_may_be_one_failure_in_whatever_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
