/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct aff_config defaults(void)
{
    struct aff_config config;

    aff_config_init(&config);
    return config;
}

static aff_status read_text(struct aff_config *config, const char *text, struct aff_error *reterr)
{
    return aff_config_read_text(config, aff_text_of(text), "f.conf", reterr);
}

/* Expects that the file is refused with exactly this text, and that nothing changes. */
static void assert_refused(const char *file, const char *text)
{
    struct aff_config config = defaults(), before = config;
    struct aff_error error = {0};

    assert_int_equal(read_text(&config, file, &error), AFF_CONFIG);
    assert_string_equal(error.text, text);
    assert_memory_equal(&config, &before, sizeof config);
}

static void a_file_sets_what_it_names_and_leaves_the_rest(void **state)
{
    (void)state;
    struct aff_config config = defaults();

    assert_int_equal(read_text(&config,
                               "\xEF\xBB\xBF# a comment\r\n; another\r\n[http]\r\n\tport = 81 ; here, too\r\n"
                               "address=0.0.0.0\r\n\r\n[learn]\r\n  half_life_days: 90.5\r\nmethod =cosine",
                               NULL),
                     AFF_OK);
    assert_int_equal(config.http_port, 81);
    assert_string_equal(config.http_address, "0.0.0.0");
    assert_true(config.learn_half_life_days == 90.5);
    assert_string_equal(config.learn_method, "cosine");
    assert_int_equal(config.http_idle_timeout_s, 60);
}

static void an_empty_file_changes_nothing(void **state)
{
    (void)state;
    struct aff_config config = defaults(), before = config;

    assert_int_equal(read_text(&config, "", NULL), AFF_OK);
    assert_int_equal(read_text(&config, "\n\n", NULL), AFF_OK);
    assert_memory_equal(&config, &before, sizeof config);
}

static void a_wrong_line_is_named_by_its_number(void **state)
{
    (void)state;
    assert_refused("[http]\nport = 80\n\n# x\nprot = 1\n",
                   "f.conf:5: there is no key 'http.prot'; did you mean 'http.port'?");
    assert_refused("[http]\nport = many\n",
                   "f.conf:2: http.port must be a whole number from 0 to 65535, not 'many'");
    assert_refused("[http]\n\nport\n", "f.conf:3: expected '[section]', 'key = value' or a comment");
    assert_refused("[http\nport = 1\n", "f.conf:1: expected '[section]', 'key = value' or a comment");
}

static void the_first_of_several_errors_is_reported(void **state)
{
    (void)state;
    assert_refused("[http]\nport = a\nworkers = b\n",
                   "f.conf:2: http.port must be a whole number from 0 to 65535, not 'a'");
}

static void a_key_that_is_set_twice_is_refused_also_when_indented(void **state)
{
    (void)state;
    assert_refused("[http]\nport = 80\n  port = 81\n", "f.conf:3: http.port was set in line 2 already");
}

static void a_line_too_long_for_the_reader_is_refused_and_not_cut(void **state)
{
    (void)state;
    char file[600] = "[http]\naddress = ";

    memset(file + strlen(file), 'x', 300);
    assert_refused(file,
                   "f.conf:2: the line is longer than 198 bytes; give a long value by environment variable");
    memset(file + strlen("[http]\naddress = "), 0, 300);
    memset(file + strlen(file), 'x', 198 - strlen("address = "));
    struct aff_config config = defaults();
    assert_int_equal(read_text(&config, file, NULL), AFF_OK);
    assert_int_equal(strlen(config.http_address), 198 - strlen("address = "));
}

static void a_binary_file_is_refused(void **state)
{
    (void)state;
    struct aff_config config = defaults();
    struct aff_error error = {0};

    assert_int_equal(aff_config_read_text(&config, (struct aff_text){"[http]\0", 7}, "f.conf", &error),
                     AFF_CONFIG);
    assert_string_equal(error.text, "f.conf: this is no text file (it holds a NUL byte)");
}

static void a_missing_file_a_folder_and_a_huge_file_are_refused(void **state)
{
    (void)state;
    struct aff_config config = defaults();
    struct aff_error error = {0};

    assert_int_equal(aff_config_read_file(&config, "/nowhere/a.conf", &error), AFF_CONFIG);
    assert_string_equal(error.text, "/nowhere/a.conf: cannot be read: No such file or directory");
    assert_int_equal(aff_config_read_file(&config, "/", &error), AFF_CONFIG);
    assert_string_equal(error.text, "/: is a folder, not a configuration file");
    assert_int_equal(aff_config_read_file(&config, "/dev/zero", &error), AFF_CONFIG);
    assert_string_equal(error.text, "/dev/zero: is longer than 262144 bytes");
}

static void a_file_on_disk_is_read(void **state)
{
    (void)state;
    char path[] = "/tmp/affinity-config-XXXXXX";
    static const char text[] = "[http]\nport = 99\n";
    struct aff_config config = defaults();
    int file = mkstemp(path);

    assert_true(file >= 0);
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    (void)close(file);
    aff_status status = aff_config_read_file(&config, path, NULL);
    (void)unlink(path);
    assert_int_equal(status, AFF_OK);
    assert_int_equal(config.http_port, 99);
}

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    struct aff_config config = defaults();

    assert_int_equal(setenv("AFFINITY_HTTP_PORT", "82", 1), 0);
    assert_int_equal(setenv("AFFINITY_CONFIG", "/some/file", 1), 0);
    assert_int_equal(setenv("AFFINITY_DATA", "/some/folder", 1), 0);
    assert_int_equal(setenv("AFFINITY_URL", "http://127.0.0.1:8080", 1), 0);
    assert_int_equal(setenv("DATABASE_URL", "postgresql://elsewhere", 1), 0);
    assert_int_equal(read_text(&config, "[http]\nport = 81\nworkers = 3\n", NULL), AFF_OK);
    assert_int_equal(aff_config_read_environment(&config, NULL), AFF_OK);
    assert_int_equal(config.http_port, 82);
    assert_int_equal(config.http_workers, 3);
    assert_string_equal(config.database_url, "");
}

static void a_wrong_name_in_the_environment_is_refused_with_the_nearest(void **state)
{
    (void)state;
    struct aff_config config = defaults(), before = config;
    struct aff_error error = {0};

    assert_int_equal(setenv("AFFINITY_HTTP_PROT", "82", 1), 0);
    assert_int_equal(aff_config_read_environment(&config, &error), AFF_CONFIG);
    assert_string_equal(
        error.text, "environment: AFFINITY_HTTP_PROT means nothing here; did you mean AFFINITY_HTTP_PORT?");
    assert_int_equal(unsetenv("AFFINITY_HTTP_PROT"), 0);
    assert_int_equal(setenv("AFFINITY_COLOUR", "hunter2", 1), 0);
    assert_int_equal(aff_config_read_environment(&config, &error), AFF_CONFIG);
    assert_non_null(strstr(error.text, "AFFINITY_COLOUR means nothing here"));
    assert_null(strstr(error.text, "hunter2"));
    assert_memory_equal(&config, &before, sizeof config);
}

static void a_wrong_value_in_the_environment_changes_nothing(void **state)
{
    (void)state;
    struct aff_config config = defaults(), before = config;
    struct aff_error error = {0};

    assert_int_equal(setenv("AFFINITY_HTTP_WORKERS", "3", 1), 0);
    assert_int_equal(setenv("AFFINITY_HTTP_PORT", "ssh", 1), 0);
    assert_int_equal(aff_config_read_environment(&config, &error), AFF_CONFIG);
    assert_string_equal(error.text,
                        "environment: http.port must be a whole number from 0 to 65535, not 'ssh'");
    assert_memory_equal(&config, &before, sizeof config);
}

static int with_clean_environment(void **state)
{
    (void)state;
    return clearenv();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_sets_what_it_names_and_leaves_the_rest),
        cmocka_unit_test(an_empty_file_changes_nothing),
        cmocka_unit_test(a_wrong_line_is_named_by_its_number),
        cmocka_unit_test(the_first_of_several_errors_is_reported),
        cmocka_unit_test(a_key_that_is_set_twice_is_refused_also_when_indented),
        cmocka_unit_test(a_line_too_long_for_the_reader_is_refused_and_not_cut),
        cmocka_unit_test(a_binary_file_is_refused),
        cmocka_unit_test(a_missing_file_a_folder_and_a_huge_file_are_refused),
        cmocka_unit_test(a_file_on_disk_is_read),
        cmocka_unit_test_setup(the_environment_wins_over_the_file, with_clean_environment),
        cmocka_unit_test_setup(a_wrong_name_in_the_environment_is_refused_with_the_nearest,
                               with_clean_environment),
        cmocka_unit_test_setup(a_wrong_value_in_the_environment_changes_nothing, with_clean_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
