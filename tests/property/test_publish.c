/* SPDX-License-Identifier: Apache-2.0 */
/* Readers look and recommend while a writer publishes models and replaces rows without pause. Each row
 * carries the stamp of its making in every entry; a row that is torn, freed or of another model shows a wrong
 * one. Meant to run under AddressSanitizer and ThreadSanitizer, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/index/slot.h"
#include "core/recommend/recommend.h"
#include "random_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { READERS = 3, PRODUCTS = 64, PUBLISHES = 120, BATCHES = 20, BATCH = 16 };
#define STAMPS_A_MODEL 100000u /* a row's stamp is its model's version times this, and a serial number */

struct reader {
    pthread_t thread;
    const struct aff_slot *slot;
    _Atomic bool *stop;
    uint64_t seed;
    uint64_t checks;     /* rows looked at */
    const char *mistake; /* NULL: none */
};

static struct aff_row *stamped_row(struct aff_random *random, uint32_t stamp)
{
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    uint32_t n = 1 + (uint32_t)aff_random_below(random, 40);

    if (aff_row_new(n, &row, &entries, &counts) != AFF_OK)
        abort();
    for (uint32_t i = 0; i < n; i++) {
        entries[i] = (struct aff_neighbour){.row = i, .score = (float)stamp};
        counts[i] = (struct aff_pair_counts){.orders = stamp, .discounted = n};
    }
    return row;
}

static struct aff_model *stamped_model(struct aff_random *random, uint32_t version)
{
    struct aff_model *model = store_model(random, PRODUCTS, 4);

    model->version = version;
    for (uint32_t row = 0; row < PRODUCTS; row++)
        aff_neighbours_set(model->together, row, stamped_row(random, version * STAMPS_A_MODEL));
    return model;
}

static const char *check_row(const struct aff_model *model, uint32_t at, uint32_t *newest)
{
    const struct aff_row *row = aff_neighbours_row(model->together, at);

    if (row == NULL)
        return NULL; /* a batch may remove a row */
    uint32_t stamp = aff_row_counts(row)[0].orders;
    for (uint32_t i = 0; i < row->n; i++) {
        if (aff_row_counts(row)[i].orders != stamp || aff_row_counts(row)[i].discounted != row->n ||
            row->entries[i].score != (float)stamp || row->entries[i].row != i)
            return "a row is torn or freed";
    }
    if (stamp / STAMPS_A_MODEL != model->version)
        return "a row is of another model";
    if (stamp < newest[at])
        return "a row went back in time";
    newest[at] = stamp;
    return NULL;
}

static const char *check_answer(const struct aff_model *model, struct aff_workspace *workspace,
                                struct random_request *request, struct aff_answer *answer)
{
    const struct aff_blend blend = aff_blend_default();
    uint32_t sum = 0;

    if (aff_recommend(model, &blend, workspace, &request->request, answer) != AFF_OK)
        return "recommend failed";
    for (int drop = 0; drop < AFF_DROP_MAX; drop++)
        sum += answer->dropped[drop];
    if (answer->candidates != answer->n_items + sum)
        return "candidates do not add up";
    for (uint32_t i = 0; i < answer->n_items; i++)
        if (answer->items[i].evidence != NULL && answer->items[i].via_relation == AFF_RELATION_TOGETHER &&
            answer->items[i].evidence->orders / STAMPS_A_MODEL != model->version)
            return "evidence is of another model";
    return NULL;
}

static void *read_all_the_time(void *argument)
{
    struct reader *reader = argument;
    struct aff_random random = {.state = reader->seed};
    struct aff_answer *answer = malloc(sizeof *answer);
    struct random_request *request = malloc(sizeof *request);
    struct aff_workspace *workspace = NULL;
    uint32_t newest[PRODUCTS] = {0};
    uint64_t version = 0;

    if (answer == NULL || request == NULL || aff_workspace_new(&workspace) != AFF_OK)
        abort();
    aff_reader_enter();
    while (!atomic_load(reader->stop) && reader->mistake == NULL) {
        store_request(&random, PRODUCTS, 4, request);
        const struct aff_model *model = aff_slot_acquire(reader->slot);
        if (model->version < version)
            reader->mistake = "a version went back in time";
        version = model->version;
        for (uint32_t i = 0; i < 32 && reader->mistake == NULL; i++, reader->checks++)
            reader->mistake = check_row(model, (uint32_t)aff_random_below(&random, PRODUCTS), newest);
        if (reader->mistake == NULL)
            reader->mistake = check_answer(model, workspace, request, answer);
        aff_slot_release(reader->slot);
    }
    aff_reader_leave();
    aff_workspace_free(workspace);
    free(request);
    free(answer);
    return NULL;
}

static void replace_rows(struct aff_slot *slot, struct aff_random *random)
{
    struct aff_model *model = aff_slot_model(slot);

    for (uint32_t batch = 1; batch <= BATCHES; batch++) {
        struct aff_row_update updates[BATCH];
        for (uint32_t i = 0; i < BATCH; i++) {
            updates[i].at = (uint32_t)aff_random_below(random, PRODUCTS);
            updates[i].row = aff_random_below(random, 8) == 0
                                 ? NULL
                                 : stamped_row(random, (uint32_t)model->version * STAMPS_A_MODEL + batch);
        }
        aff_neighbours_replace(model->together, updates, BATCH);
    }
}

static void readers_never_see_a_torn_freed_or_older_row(void **state)
{
    struct aff_random random = {.state = 77};
    struct reader readers[READERS] = {0};
    _Atomic bool stop = false;
    struct aff_slot *slot;

    (void)state;
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    aff_slot_publish(slot, stamped_model(&random, 1));
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.slot = slot, .stop = &stop, .seed = i};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all_the_time, &readers[i]), 0);
    }
    for (uint32_t version = 2; version <= PUBLISHES; version++) {
        replace_rows(slot, &random);
        aff_slot_publish(slot, stamped_model(&random, version));
    }
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        if (readers[i].mistake != NULL)
            fail_msg("reader %u: %s", (unsigned)i, readers[i].mistake);
        assert_true(readers[i].checks > 0);
    }
    aff_slot_free(slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_never_see_a_torn_freed_or_older_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
