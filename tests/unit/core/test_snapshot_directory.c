/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/index/update.h"
#include "snapshot_place.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

enum { KILLS = 40 };

static void set_version(const struct place *place, uint64_t version)
{
    struct aff_update *update;

    assert_int_equal(aff_update_begin(place->slot, &update), AFF_OK);
    aff_update_totals(update, &aff_slot_model(place->slot)->totals, version);
    aff_update_publish(update);
}

struct refusals {
    int n;
    char paths[8][256];
    char texts[8][200];
};

static void note_refusal(void *context, const char *path, const struct aff_error *error)
{
    struct refusals *refusals = context;

    (void)snprintf(refusals->paths[refusals->n], sizeof refusals->paths[0], "%s", path);
    (void)snprintf(refusals->texts[refusals->n++], sizeof refusals->texts[0], "%.199s", error->text);
}

/* Damages or cuts the file whose refusal is to be seen. */
static void damage(const struct place *place, const char *version)
{
    DIR *stream = opendir(place->directory);

    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (strstr(entry->d_name, version) == NULL)
            continue;
        int fd = openat(dirfd(stream), entry->d_name, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, "??", 2, 5000), 2);
        (void)close(fd);
    }
    (void)closedir(stream);
}

static void the_newest_file_that_is_whole_is_opened(void **state)
{
    const struct place *place = *state;
    struct aff_snapshot_options options = plain;
    struct refusals refusals = {0};
    struct aff_snapshot_info info;
    struct aff_model *model;
    struct aff_error error;

    options.store = aff_text_of("shop");
    assert_int_equal(aff_snapshot_latest(place->directory, &options, NULL, NULL, &model, NULL, &error),
                     AFF_NOTFOUND);
    /* Versions that fall: a restored database. */
    for (uint64_t version = 95; version > 90; version--) {
        set_version(place, version);
        assert_int_equal(aff_snapshot_save(place->slot, place->directory, NULL, &info, &error), AFF_OK);
        assert_int_equal(info.version, version);
    }
    assert_int_equal(count_files(place->directory, false), AFF_SNAPSHOTS_KEPT);
    assert_int_equal(
        aff_snapshot_latest(place->directory, &options, note_refusal, &refusals, &model, &info, &error),
        AFF_OK);
    assert_int_equal(model->version, 91);
    assert_int_equal(refusals.n, 0);
    aff_model_free(model);
    damage(place, ".v91.");
    assert_int_equal(
        aff_snapshot_latest(place->directory, &options, note_refusal, &refusals, &model, &info, &error),
        AFF_OK);
    assert_int_equal(model->version, 92);
    assert_int_equal(info.version, 92);
    assert_int_equal(refusals.n, 1);
    assert_non_null(strstr(refusals.paths[0], ".v91."));
    assert_non_null(strstr(refusals.texts[0], "checksum"));
    aff_model_free(model);
    damage(place, ".v92.");
    damage(place, ".v93.");
    assert_int_equal(aff_snapshot_latest(place->directory, &options, NULL, NULL, &model, NULL, &error),
                     AFF_NOTFOUND);
    assert_non_null(strstr(error.text, "none of the 3"));
    assert_int_equal(aff_snapshot_latest("/nowhere", &options, NULL, NULL, &model, NULL, &error), AFF_IO);
}

/* Saves without end, until it is killed. */
static void save_for_ever(const struct place *place)
{
    struct aff_error error;

    for (;;)
        if (aff_snapshot_save(place->slot, place->directory, NULL, NULL, &error) != AFF_OK)
            _exit(1);
}

static void a_killed_writer_leaves_only_whole_files(void **state)
{
    const struct place *place = *state;
    struct aff_snapshot_options options = plain;
    struct aff_random random = {.state = 3};
    struct refusals refusals = {0};
    struct aff_model *model;
    struct aff_error error = {0};

    options.store = aff_text_of("shop");
    assert_int_equal(aff_snapshot_save(place->slot, place->directory, NULL, NULL, &error), AFF_OK);
    for (int round = 0; round < KILLS; round++) {
        int result;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            save_for_ever(place);
        (void)usleep((useconds_t)aff_random_below(&random, 15000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFSIGNALED(result)); /* it had not ended with a failure before */
        assert_int_equal(
            aff_snapshot_latest(place->directory, &options, note_refusal, &refusals, &model, NULL, &error),
            AFF_OK);
        assert_int_equal(refusals.n, 0);
        aff_model_free(model);
        /* At most one that was not pruned yet, and the draft. */
        assert_in_range(count_files(place->directory, false), 1, AFF_SNAPSHOTS_KEPT + 2);
    }
}

static void stores_with_like_names_keep_their_own_files(void **state)
{
    struct place *place = *state;
    static const char *const names[] = {"a/b", "a.b", "a-b", "../../x", "Grüße", "ab"};
    struct aff_snapshot_options options = plain;
    struct aff_model *model;
    struct aff_error error;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct aff_random random = {.state = i};
        model = store_model(&random, 10, 2);
        (void)snprintf(model->store, sizeof model->store, "%s", names[i]);
        aff_slot_publish(place->slot, model);
        assert_int_equal(aff_snapshot_save(place->slot, place->directory, NULL, NULL, &error), AFF_OK);
    }
    assert_int_equal(count_files(place->directory, false), sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        options.store = aff_text_of(names[i]);
        assert_int_equal(aff_snapshot_latest(place->directory, &options, NULL, NULL, &model, NULL, &error),
                         AFF_OK);
        assert_string_equal(model->store, names[i]);
        aff_model_free(model);
    }
}

int main(void)
{
#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(the_newest_file_that_is_whole_is_opened),
        IN_A_PLACE(a_killed_writer_leaves_only_whole_files),
        IN_A_PLACE(stores_with_like_names_keep_their_own_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
