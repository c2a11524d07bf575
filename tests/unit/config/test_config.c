/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct aff_config defaults(void)
{
    struct aff_config config;

    aff_config_init(&config);
    return config;
}

/* Expects that `value` is refused for `key` with exactly this text, and that nothing changes. */
static void assert_refused(const char *key, const char *value, const char *text)
{
    struct aff_config config = defaults(), before = config;
    struct aff_error error = {0};

    assert_int_equal(aff_config_set(&config, key, value, "here", &error), AFF_CONFIG);
    assert_string_equal(error.text, text);
    assert_memory_equal(&config, &before, sizeof config);
}

static void defaults_are_those_of_the_list(void **state)
{
    (void)state;
    struct aff_config config = defaults();

    assert_string_equal(config.http_address, "127.0.0.1");
    assert_int_equal(config.http_port, 8080);
    assert_string_equal(config.database_url, "");
    assert_true(config.recommend_weight_personal == 0.35);
    assert_int_equal(aff_config_check(&config, NULL), AFF_OK);
}

static void a_value_at_each_bound_is_taken_and_one_beyond_is_not(void **state)
{
    (void)state;
    struct aff_config config = defaults();

    assert_int_equal(aff_config_set(&config, "http.port", "0", "here", NULL), AFF_OK);
    assert_int_equal(config.http_port, 0);
    assert_int_equal(aff_config_set(&config, "http.port", "65535", "here", NULL), AFF_OK);
    assert_int_equal(config.http_port, 65535);
    assert_refused("http.port", "65536",
                   "here: http.port must be a whole number from 0 to 65535, not '65536'");
    assert_refused("http.port", "-1", "here: http.port must be a whole number from 0 to 65535, not '-1'");

    assert_int_equal(aff_config_set(&config, "learn.ridge_lambda", "0.0001", "here", NULL), AFF_OK);
    assert_true(config.learn_ridge_lambda == 0.0001);
    assert_int_equal(aff_config_set(&config, "learn.ridge_lambda", "1e6", "here", NULL), AFF_OK);
    assert_true(config.learn_ridge_lambda == 1000000);
    assert_refused("learn.ridge_lambda", "0",
                   "here: learn.ridge_lambda must be a number from 0.0001 to 1000000, not '0'");
}

static void what_is_not_wholly_a_number_is_refused(void **state)
{
    (void)state;
    static const char *const whole[] = {"",     " ",   "8080x", "80 80",
                                        "0x50", "8e3", "80.0",  "99999999999999999999"};
    static const char *const real[] = {"", "nan", "inf", "0x1p3", "1,5", "1.5.2", "e", "--1", "1e999"};

    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        struct aff_config config = defaults();
        assert_int_equal(aff_config_set(&config, "http.port", whole[i], "here", NULL), AFF_CONFIG);
        assert_int_equal(config.http_port, 8080);
    }
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        struct aff_config config = defaults();
        assert_int_equal(aff_config_set(&config, "learn.half_life_days", real[i], "here", NULL), AFF_CONFIG);
        assert_true(config.learn_half_life_days == 120);
    }
}

static void text_of_the_full_length_is_taken_and_longer_text_is_not(void **state)
{
    (void)state;
    struct aff_config config = defaults();
    char text[AFF_CONFIG_TEXT + 1];

    memset(text, 'x', sizeof text);
    text[AFF_CONFIG_TEXT] = '\0';
    assert_refused("http.address", text, "here: http.address is 1024 bytes long, at most 1023 are possible");
    text[AFF_CONFIG_TEXT - 1] = '\0';
    assert_int_equal(aff_config_set(&config, "http.address", text, "here", NULL), AFF_OK);
    assert_string_equal(config.http_address, text);
}

static void text_must_be_utf8_without_control_characters(void **state)
{
    (void)state;
    struct aff_config config = defaults();

    assert_int_equal(aff_config_set(&config, "store.name", "Kaffee \xC3\xA4", "here", NULL), AFF_OK);
    assert_refused("store.name", "caf\xE9", "here: store.name is not UTF-8 text");
    assert_refused("store.name", "a\nb", "here: store.name contains a control character");
}

static void an_unknown_key_names_the_nearest_one(void **state)
{
    (void)state;
    assert_refused("http.prot", "1", "here: there is no key 'http.prot'; did you mean 'http.port'?");
    assert_refused("database_url", "x", "here: there is no key 'database_url'; did you mean 'database.url'?");
    assert_refused("learn.halflife_days", "1",
                   "here: there is no key 'learn.halflife_days'; did you mean 'learn.half_life_days'?");
    assert_refused("colour", "blue",
                   "here: there is no key 'colour'; 'affinityctl config docs' lists all keys");
}

static void a_secret_is_in_no_error_and_not_shown(void **state)
{
    (void)state;
    struct aff_error error = {0};
    struct aff_config config = defaults();

    assert_int_equal(aff_config_set(&config, "database.url", "postgresql://a:hunter2\n@b/c", "here", &error),
                     AFF_CONFIG);
    assert_null(strstr(error.text, "hunter2"));
}

struct shown {
    const char *key;
    char value[AFF_CONFIG_TEXT];
    int n_keys;
};

static void remember(void *context, const char *key, const char *value, const char *fallback,
                     const char *help)
{
    struct shown *shown = context;

    assert_non_null(fallback);
    assert_true(help[0] != '\0');
    shown->n_keys++;
    if (strcmp(key, shown->key) == 0)
        (void)snprintf(shown->value, sizeof shown->value, "%s", value);
}

static void showing_gives_each_key_as_text_and_hides_secrets(void **state)
{
    (void)state;
    struct aff_config config = defaults();
    struct shown url = {.key = "database.url"}, weight = {.key = "recommend.weight_personal"};

    aff_config_visit(&config, remember, &url);
    assert_true(url.n_keys > 30);
    assert_string_equal(url.value, "");
    assert_int_equal(aff_config_set(&config, "database.url", "host=db password=hunter2", "here", NULL),
                     AFF_OK);
    aff_config_visit(&config, remember, &url);
    assert_string_equal(url.value, "<redacted>");
    aff_config_visit(&config, remember, &weight);
    assert_string_equal(weight.value, "0.35");
}

/* Every value that is shown can be set again and shows the same. */
static void set_again(void *context, const char *key, const char *value, const char *fallback,
                      const char *help)
{
    struct aff_config *config = context;

    (void)help;
    assert_string_equal(value, fallback);
    assert_int_equal(aff_config_set(config, key, value, "here", NULL), AFF_OK);
}

static void every_default_reads_back_as_itself(void **state)
{
    (void)state;
    struct aff_config config = defaults(), other;

    memset(&other, 0, sizeof other);
    aff_config_visit(&config, set_again, &other);
    assert_int_equal(aff_config_check(&other, NULL), AFF_OK);
    assert_int_equal(other.http_port, config.http_port);
    assert_true(other.learn_half_life_days == config.learn_half_life_days);
}

static void words_and_joint_rules_are_checked(void **state)
{
    (void)state;
    struct aff_error error = {0};
    struct aff_config config = defaults();

    (void)snprintf(config.learn_method, sizeof config.learn_method, "magic");
    assert_int_equal(aff_config_check(&config, &error), AFF_CONFIG);
    assert_string_equal(error.text,
                        "learn.method must be ridge, cosine, confidence, lift, jaccard or llr, not 'magic'");
    config = defaults();
    (void)snprintf(config.log_level, sizeof config.log_level, "INFO");
    assert_int_equal(aff_config_check(&config, &error), AFF_CONFIG);
    config = defaults();
    (void)snprintf(config.learn_floors, sizeof config.learn_floors, "%s", "3 %");
    assert_int_equal(aff_config_check(&config, &error), AFF_CONFIG);
    config = defaults();
    config.store_name[0] = '\0';
    assert_int_equal(aff_config_check(&config, &error), AFF_CONFIG);
    config = defaults();
    config.http_address[0] = '\0';
    assert_int_equal(aff_config_check(&config, &error), AFF_CONFIG);
    config = defaults();
    config.recommend_weight_affinity = config.recommend_weight_sequence = 0;
    config.recommend_weight_personal = config.recommend_weight_popularity = 0;
    assert_int_equal(aff_config_check(&config, &error), AFF_CONFIG);
    assert_string_equal(error.text, "at least one recommend.weight_* must be above 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_list),
        cmocka_unit_test(a_value_at_each_bound_is_taken_and_one_beyond_is_not),
        cmocka_unit_test(what_is_not_wholly_a_number_is_refused),
        cmocka_unit_test(text_of_the_full_length_is_taken_and_longer_text_is_not),
        cmocka_unit_test(text_must_be_utf8_without_control_characters),
        cmocka_unit_test(an_unknown_key_names_the_nearest_one),
        cmocka_unit_test(a_secret_is_in_no_error_and_not_shown),
        cmocka_unit_test(showing_gives_each_key_as_text_and_hides_secrets),
        cmocka_unit_test(every_default_reads_back_as_itself),
        cmocka_unit_test(words_and_joint_rules_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
