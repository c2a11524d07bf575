/* SPDX-License-Identifier: Apache-2.0 */
/* The spool after random crashes and damage: what was synced comes back whole and in order, or damage is
 * reported; nothing comes back wrong. */
#include "core/base/random.h"
#include "core/spool/format.h"
#include "core/spool/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUNDS = 400, CONTENT_MAX = 300 };

static char folder[64], path[80];
static struct aff_error error;
static struct aff_random random_of_test = {20261121};

static int make(void **state)
{
    (void)state;
    /* Thousands of syncs: in memory where that can be had. */
    (void)snprintf(folder, sizeof folder, "%s/aff_spool.XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int clear(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static uint64_t below(uint64_t bound)
{
    return aff_random_below(&random_of_test, bound);
}

/* The content of a record follows from its number, so that a wrong one is seen at once. */
static size_t content_of(uint64_t number, unsigned char *ret_bytes)
{
    struct aff_random random = {number * 77};
    size_t size = (size_t)aff_random_below(&random, CONTENT_MAX);

    for (size_t i = 0; i < size; i++)
        ret_bytes[i] = (unsigned char)aff_random_next(&random);
    return size;
}

static struct aff_spool *open_it(struct aff_spool_found *ret_found)
{
    struct aff_spool_plan plan = {path, 1 << 24, 4096};
    struct aff_spool *spool = NULL;

    if (aff_spool_open(&plan, &spool, ret_found, &error) != AFF_OK)
        fail_msg("%s", error.text);
    return spool;
}

static void append(struct aff_spool *spool, uint64_t number)
{
    unsigned char bytes[CONTENT_MAX];
    size_t size = content_of(number, bytes);

    assert_int_equal(aff_spool_append(spool, bytes, size, &error), AFF_OK);
}

/* The newest segment. */
static void newest(char *ret_file, size_t size)
{
    char best[256] = "";
    DIR *directory = opendir(path);

    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (strstr(entry->d_name, ".spool") != NULL && strcmp(entry->d_name, best) > 0)
            (void)snprintf(best, sizeof best, "%s", entry->d_name);
    (void)closedir(directory);
    (void)snprintf(ret_file, size, "%s/%s", path, best);
}

/* Reads everything and holds each record to its content; up to `synced` none may be missing. Returns the
 * number of the last one. */
static uint64_t read_all(struct aff_spool *spool, uint64_t synced, uint64_t *ret_records)
{
    struct aff_spool_record record;
    unsigned char bytes[CONTENT_MAX];
    uint64_t last = 0, n = 0;
    aff_status status;

    while ((status = aff_spool_next(spool, &record, &error)) == AFF_OK) {
        assert_true(record.number > last);
        if (record.number <= synced)
            assert_int_equal(record.number, last + 1);
        last = record.number;
        n++;
        assert_int_equal(record.size, content_of(record.number, bytes));
        assert_memory_equal(record.content, bytes, record.size);
    }
    assert_int_equal(status, AFF_NOTFOUND);
    *ret_records = n;
    return last;
}

/* Some synced records, then some that are not, as a crash finds them. */
static uint64_t fill(uint64_t *ret_appended)
{
    struct aff_spool_found found;
    struct aff_spool *spool = open_it(&found);
    uint64_t number = 0, synced = 0, batches = 1 + below(20);

    for (uint64_t i = 0; i < batches; i++) {
        for (uint64_t j = 1 + below(5); j > 0; j--)
            append(spool, ++number);
        assert_int_equal(aff_spool_sync(spool, &error), AFF_OK);
        synced = number;
    }
    for (uint64_t j = below(4); j > 0; j--)
        append(spool, ++number);
    aff_spool_close(spool);
    *ret_appended = number;
    return synced;
}

static void next_path(void)
{
    static unsigned n;

    (void)snprintf(path, sizeof path, "%s/%u", folder, n++);
}

/* What a crash can leave of bytes that were not synced: any length of them, with anything in them. */
static void after_a_crash_all_that_was_synced_is_there(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct aff_spool_found found;
        uint64_t appended, records;
        char file[512];
        struct stat about;
        next_path();
        uint64_t synced = fill(&appended);
        newest(file, sizeof file);
        int descriptor = open(file, O_RDWR);
        assert_true(descriptor >= 0 && fstat(descriptor, &about) == 0);
        /* Where the synced bytes end in this segment is found by going over its records. */
        unsigned char *bytes = malloc((size_t)about.st_size + 1);
        assert_int_equal(pread(descriptor, bytes, (size_t)about.st_size, 0), about.st_size);
        size_t safe = AFF_SEGMENT_HEAD;
        struct aff_record record;
        while (aff_record_read(bytes + safe, (size_t)about.st_size - safe, &record) &&
               record.number <= synced)
            safe += AFF_RECORD_HEAD + record.size;
        free(bytes);
        uint64_t loose = (uint64_t)about.st_size - safe;
        if (loose > 0) {
            unsigned char junk = (unsigned char)below(256);
            assert_int_equal(ftruncate(descriptor, (off_t)(safe + below(loose + 1))), 0);
            assert_int_equal(fstat(descriptor, &about), 0);
            if ((uint64_t)about.st_size > safe)
                assert_int_equal(
                    pwrite(descriptor, &junk, 1, (off_t)(safe + below((uint64_t)about.st_size - safe))), 1);
        }
        (void)close(descriptor);
        struct aff_spool *spool = open_it(&found);
        uint64_t last = read_all(spool, synced, &records);
        assert_true(last >= synced && last <= appended);
        /* Of those that were not synced one may be damaged and a later one whole. */
        assert_true(records >= synced && records <= last);
        append(spool, last + 1);
        assert_int_equal(aff_spool_sync(spool, &error), AFF_OK);
        assert_int_equal(read_all(spool, 0, &records), last + 1);
        assert_int_equal(records, 1);
        aff_spool_close(spool);
    }
}

/* Damage anywhere, also to what was synced: each record that comes is right, and each that does not is told.
 */
static void damage_is_reported_and_never_read(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct aff_spool_found found;
        struct aff_spool_view view;
        uint64_t appended, records;
        char file[512];
        struct stat about;
        next_path();
        uint64_t synced = fill(&appended);
        char first[512];
        newest(file, sizeof file);
        (void)snprintf(first, sizeof first, "%s/0000000000000001.spool", path);
        /* A cut between two records of the newest segment is no different from records that never were. */
        bool may_cut = strcmp(first, file) != 0 && below(2) == 0;
        if (may_cut)
            memcpy(file, first, sizeof file);
        int descriptor = open(file, O_RDWR);
        assert_true(descriptor >= 0 && fstat(descriptor, &about) == 0);
        uint64_t at = below((uint64_t)about.st_size);
        if (!may_cut || below(2) == 0) {
            unsigned char byte;
            assert_int_equal(pread(descriptor, &byte, 1, (off_t)at), 1);
            byte ^= (unsigned char)(1u << below(8));
            assert_int_equal(pwrite(descriptor, &byte, 1, (off_t)at), 1);
        } else {
            assert_int_equal(ftruncate(descriptor, (off_t)at), 0);
        }
        (void)close(descriptor);
        struct aff_spool *spool = open_it(&found);
        (void)read_all(spool, 0, &records);
        aff_spool_read_view(spool, &view);
        assert_true(records >= synced || view.lost_records > 0 || found.cut_bytes > 0);
        assert_true(records <= appended);
        aff_spool_close(spool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_a_crash_all_that_was_synced_is_there, make, clear),
        cmocka_unit_test_setup_teardown(damage_is_reported_and_never_read, make, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
