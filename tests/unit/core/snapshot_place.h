/* SPDX-License-Identifier: Apache-2.0 */
/* A directory and a slot with a small store's model, for tests of snapshot files. */
#pragma once

#include "core/index/snapshot.h"
#include "random_store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PRODUCTS = 120, CUSTOMERS = 40 };

/* One thread is enough for small files, and keeps thousands of openings fast. */
static const struct aff_snapshot_options plain = {.n_threads = 1};

struct place {
    char directory[64], path[128];
    struct aff_slot *slot;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct aff_random random = {.state = 5};

    assert_non_null(place);
    (void)snprintf(place->directory, sizeof place->directory, "/tmp/aff_snapshot_XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof place->path, "%s/one.snapshot", place->directory);
    struct aff_model *model = store_model(&random, PRODUCTS, CUSTOMERS);
    while (model->traces == NULL || model->traces->alike == NULL || model->traces->added == NULL) {
        aff_traces_free(model->traces);
        store_traces(&random, model);
    }
    model->fitted.given[AFF_SITUATION_VIEWS] = true;
    for (int weight = 0; weight < AFF_FITTED_MAX; weight++)
        *aff_weights_at(&model->fitted.of[AFF_SITUATION_VIEWS], weight) = 0.1 * weight;
    (void)snprintf(model->store, sizeof model->store, "shop");
    (void)snprintf(model->currency, sizeof model->currency, "EUR");
    model->version = 7;
    model->generation = 3;
    model->catalogue_version = 11;
    model->built_at_us = 1234;
    assert_int_equal(aff_slot_new(&place->slot), AFF_OK);
    aff_slot_publish(place->slot, model);
    aff_reader_enter();
    *state = place;
    return 0;
}

static int count_files(const char *directory, bool and_remove)
{
    DIR *stream = opendir(directory);
    int n = 0;

    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
        if (and_remove)
            (void)unlinkat(dirfd(stream), entry->d_name, 0);
    }
    (void)closedir(stream);
    return n;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    aff_reader_leave();
    aff_slot_free(place->slot);
    (void)count_files(place->directory, true);
    (void)rmdir(place->directory);
    free(place);
    return 0;
}
