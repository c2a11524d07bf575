/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spool/spool.h"

#include "core/spool/format.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[80];
static struct aff_error error;

static int make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/aff_spool.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/spool", folder);
    return 0;
}

static int clear(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct aff_spool *open_with(uint64_t limit, uint64_t segment, struct aff_spool_found *ret_found)
{
    struct aff_spool_plan plan = {path, limit, segment};
    struct aff_spool *spool = NULL;

    if (aff_spool_open(&plan, &spool, ret_found, &error) != AFF_OK)
        fail_msg("%s", error.text);
    return spool;
}

static struct aff_spool *open_it(void)
{
    struct aff_spool_found found;

    return open_with(1 << 20, 256, &found);
}

static void append(struct aff_spool *spool, const char *text)
{
    assert_int_equal(aff_spool_append(spool, text, strlen(text), &error), AFF_OK);
}

static void sync_it(struct aff_spool *spool)
{
    assert_int_equal(aff_spool_sync(spool, &error), AFF_OK);
}

static void next_is(struct aff_spool *spool, uint64_t number, const char *text)
{
    struct aff_spool_record record;

    assert_int_equal(aff_spool_next(spool, &record, &error), AFF_OK);
    assert_int_equal(record.number, number);
    assert_int_equal(record.size, strlen(text));
    assert_memory_equal(record.content, text, record.size);
}

static void nothing_is_left(struct aff_spool *spool)
{
    struct aff_spool_record record;

    assert_int_equal(aff_spool_next(spool, &record, &error), AFF_NOTFOUND);
}

static unsigned count_segments(void)
{
    DIR *directory = opendir(path);
    unsigned n = 0;

    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        n += strstr(entry->d_name, ".spool") != NULL;
    (void)closedir(directory);
    return n;
}

static void what_is_synced_is_read_in_its_order(void **state)
{
    struct aff_spool *spool = open_it();

    (void)state;
    append(spool, "one");
    append(spool, "");
    nothing_is_left(spool);
    sync_it(spool);
    next_is(spool, 1, "one");
    next_is(spool, 2, "");
    nothing_is_left(spool);
    append(spool, "three");
    sync_it(spool);
    next_is(spool, 3, "three");
    nothing_is_left(spool);
    aff_spool_close(spool);
}

static void what_is_synced_is_there_after_a_restart_over_several_segments(void **state)
{
    struct aff_spool *spool = open_it();
    struct aff_spool_found found;
    char text[64];

    (void)state;
    for (int i = 1; i <= 50; i++) {
        (void)snprintf(text, sizeof text, "record %d that has some length to it", i);
        append(spool, text);
        sync_it(spool);
    }
    unsigned char id[16];
    memcpy(id, aff_spool_id(spool), sizeof id);
    aff_spool_close(spool);
    assert_true(count_segments() > 5);
    spool = open_with(1 << 20, 256, &found);
    assert_int_equal(found.records, 50);
    assert_int_equal(found.cut_bytes, 0);
    assert_memory_equal(id, aff_spool_id(spool), sizeof id);
    append(spool, "record 51");
    sync_it(spool);
    for (int i = 1; i <= 50; i++) {
        (void)snprintf(text, sizeof text, "record %d that has some length to it", i);
        next_is(spool, (uint64_t)i, text);
    }
    next_is(spool, 51, "record 51");
    nothing_is_left(spool);
    aff_spool_close(spool);
}

static void what_is_given_free_is_removed_and_numbers_never_come_again(void **state)
{
    struct aff_spool *spool = open_it();
    struct aff_spool_view view;
    struct aff_spool_found found;

    (void)state;
    for (int i = 0; i < 40; i++) {
        append(spool, "a record that has some length to it");
        sync_it(spool);
    }
    for (int i = 0; i < 30; i++) {
        struct aff_spool_record record;
        assert_int_equal(aff_spool_next(spool, &record, &error), AFF_OK);
    }
    unsigned before = count_segments();
    aff_spool_free(spool, 30);
    assert_true(count_segments() < before);
    aff_spool_read_view(spool, &view);
    assert_int_equal(view.waiting, 10);
    aff_spool_rewind(spool, 0);
    next_is(spool, 31, "a record that has some length to it");
    aff_spool_free(spool, 40);
    assert_int_equal(count_segments(), 1);
    aff_spool_close(spool);
    spool = open_with(1 << 20, 256, &found);
    append(spool, "later");
    sync_it(spool);
    aff_spool_rewind(spool, 40);
    next_is(spool, 41, "later");
    aff_spool_free(spool, 41);
    aff_spool_read_view(spool, &view);
    assert_int_equal(view.waiting, 0);
    aff_spool_close(spool);
}

static void a_full_spool_refuses_and_takes_again_once_records_are_free(void **state)
{
    struct aff_spool_found found;
    struct aff_spool *spool = open_with(600, 150, &found);
    unsigned n = 0;

    (void)state;
    while (aff_spool_append(spool, "some text of a record", 21, &error) == AFF_OK) {
        sync_it(spool);
        n++;
    }
    assert_int_equal(error.status, AFF_LIMIT);
    assert_in_range(n, 4, 12);
    aff_spool_free(spool, n);
    append(spool, "some text of a record");
    sync_it(spool);
    aff_spool_rewind(spool, n);
    next_is(spool, n + 1, "some text of a record");
    aff_spool_close(spool);
}

static void what_was_not_synced_may_be_cut_but_not_in_part(void **state)
{
    struct aff_spool *spool = open_it();
    struct aff_spool_found found;
    char file[128];

    (void)state;
    append(spool, "safe");
    sync_it(spool);
    append(spool, "torn away");
    aff_spool_close(spool);
    (void)snprintf(file, sizeof file, "%s/0000000000000001.spool", path);
    assert_int_equal(truncate(file, AFF_SEGMENT_HEAD + AFF_RECORD_HEAD + 4 + AFF_RECORD_HEAD + 3), 0);
    spool = open_with(1 << 20, 256, &found);
    assert_int_equal(found.records, 1);
    assert_int_equal(found.cut_bytes, AFF_RECORD_HEAD + 3);
    append(spool, "next");
    sync_it(spool);
    next_is(spool, 1, "safe");
    next_is(spool, 2, "next");
    nothing_is_left(spool);
    aff_spool_close(spool);
}

static void a_second_process_cannot_have_the_spool(void **state)
{
    struct aff_spool *spool = open_it(), *other;
    struct aff_spool_plan plan = {path, 1 << 20, 256};
    struct aff_spool_found found;

    (void)state;
    assert_int_equal(aff_spool_open(&plan, &other, &found, &error), AFF_BUSY);
    assert_non_null(strstr(error.text, "another process has the spool"));
    aff_spool_close(spool);
    aff_spool_close(open_it());
}

static void a_directory_that_cannot_be_made_is_said(void **state)
{
    struct aff_spool_plan plan = {"/proc/no/such", 1 << 20, 256};
    struct aff_spool_found found;
    struct aff_spool *spool;

    (void)state;
    assert_int_equal(aff_spool_open(&plan, &spool, &found, &error), AFF_IO);
    assert_non_null(strstr(error.text, "/proc/no/such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_synced_is_read_in_its_order, make, clear),
        cmocka_unit_test_setup_teardown(what_is_synced_is_there_after_a_restart_over_several_segments, make,
                                        clear),
        cmocka_unit_test_setup_teardown(what_is_given_free_is_removed_and_numbers_never_come_again, make,
                                        clear),
        cmocka_unit_test_setup_teardown(a_full_spool_refuses_and_takes_again_once_records_are_free, make,
                                        clear),
        cmocka_unit_test_setup_teardown(what_was_not_synced_may_be_cut_but_not_in_part, make, clear),
        cmocka_unit_test_setup_teardown(a_second_process_cannot_have_the_spool, make, clear),
        cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_made_is_said, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
