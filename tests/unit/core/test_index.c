/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/room.h"
#include "core/index/model.h"
#include "core/index/slot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static struct aff_row *row_of(uint32_t n, uint32_t first)
{
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;

    assert_int_equal(aff_row_new(n, &row, &entries, &counts), AFF_OK);
    for (uint32_t i = 0; i < n; i++) {
        entries[i] = (struct aff_neighbour){.row = first + i, .score = 1};
        counts[i] = (struct aff_pair_counts){.orders = first + i, .gap_days = 2};
    }
    return row;
}

static void a_row_holds_entries_and_counts(void **state)
{
    struct aff_row *row = row_of(3, 10);

    (void)state;
    assert_int_equal(row->n, 3);
    assert_int_equal(row->entries[2].row, 12);
    assert_int_equal(aff_row_counts(row)[0].orders, 10);
    assert_int_equal(aff_row_counts(row)[2].orders, 12);
    free(row);
    row = row_of(0, 0);
    assert_int_equal(row->n, 0);
    free(row);
}

static void a_table_costs_at_most_ten_bytes_an_edge(void **state)
{
    struct aff_neighbours *neighbours;
    size_t count_bytes;
    uint64_t edges;

    (void)state;
    assert_int_equal(aff_neighbours_new(1000, &neighbours), AFF_OK);
    for (uint32_t i = 0; i < 1000; i++)
        aff_neighbours_set(neighbours, i, row_of(100, i));
    size_t bytes = aff_neighbours_bytes(neighbours, &count_bytes, &edges);
    assert_int_equal(edges, 100000);
    assert_true(bytes <= 10 * edges);
    assert_int_equal(count_bytes, edges * sizeof(struct aff_pair_counts));
    aff_neighbours_free(neighbours);
}

static void set_and_replace_change_rows_and_totals(void **state)
{
    struct aff_neighbours *neighbours;
    size_t count_bytes;
    uint64_t edges;

    (void)state;
    assert_int_equal(aff_neighbours_new(300, &neighbours), AFF_OK);
    assert_int_equal(aff_neighbours_capacity(neighbours), aff_room_for(300));
    size_t empty_bytes = aff_neighbours_bytes(neighbours, &count_bytes, &edges);
    assert_null(aff_neighbours_row(neighbours, 1));
    aff_neighbours_set(neighbours, 1, row_of(4, 0));
    aff_neighbours_set(neighbours, 1, row_of(6, 0));
    assert_int_equal(aff_neighbours_row(neighbours, 1)->n, 6);
    struct aff_row_update updates[] = {{0, row_of(5, 7)}, {1, NULL}, {2, row_of(1, 9)}, {2, row_of(2, 9)}};
    aff_neighbours_replace(neighbours, updates, 4);
    assert_int_equal(aff_neighbours_row(neighbours, 0)->entries[0].row, 7);
    assert_null(aff_neighbours_row(neighbours, 1));
    assert_int_equal(aff_neighbours_row(neighbours, 2)->n, 2);
    (void)aff_neighbours_bytes(neighbours, &count_bytes, &edges);
    assert_int_equal(edges, 7);
    struct aff_row_update all[300];
    for (uint32_t i = 0; i < 300; i++)
        all[i] = (struct aff_row_update){i, NULL};
    aff_neighbours_replace(neighbours, all, 300);
    aff_neighbours_replace(neighbours, NULL, 0);
    assert_int_equal(aff_neighbours_bytes(neighbours, &count_bytes, &edges), empty_bytes);
    assert_int_equal(edges, 0);
    aff_neighbours_free(neighbours);
    aff_neighbours_free(NULL);
}

static struct aff_model *model_of(uint64_t version)
{
    struct aff_model *model = calloc(1, sizeof *model);

    assert_non_null(model);
    model->version = version;
    return model;
}

static void a_slot_gives_the_newest_model(void **state)
{
    struct aff_slot *slot;

    (void)state;
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    aff_reader_enter();
    assert_null(aff_slot_acquire(slot));
    aff_slot_release(slot);
    aff_slot_publish(slot, model_of(1));
    assert_int_equal(aff_slot_acquire(slot)->version, 1);
    assert_int_equal(aff_slot_acquire(slot)->version, 1); /* calls nest */
    aff_slot_release(slot);
    aff_slot_release(slot);
    aff_slot_publish(slot, model_of(2));
    assert_int_equal(aff_slot_acquire(slot)->version, 2);
    aff_slot_release(slot);
    assert_int_equal(aff_slot_model(slot)->version, 2);
    aff_reader_leave();
    aff_slot_free(slot);
    aff_slot_free(NULL);
}

struct publisher {
    struct aff_slot *slot;
    _Atomic bool done;
};

static void *publish_second(void *argument)
{
    struct publisher *publisher = argument;

    aff_slot_publish(publisher->slot, model_of(2));
    atomic_store(&publisher->done, true);
    return NULL;
}

static void publish_keeps_the_old_model_until_the_last_reader_releases(void **state)
{
    struct publisher publisher = {.done = false};
    pthread_t thread;

    (void)state;
    assert_int_equal(aff_slot_new(&publisher.slot), AFF_OK);
    aff_slot_publish(publisher.slot, model_of(1));
    aff_reader_enter();
    const struct aff_model *model = aff_slot_acquire(publisher.slot);
    assert_int_equal(pthread_create(&thread, NULL, publish_second, &publisher), 0);
    for (bool published = false; !published;) {
        published = aff_slot_acquire(publisher.slot)->version == 2;
        aff_slot_release(publisher.slot);
    }
    (void)usleep(20000);
    assert_false(atomic_load(&publisher.done));
    assert_int_equal(model->version, 1);
    aff_slot_release(publisher.slot);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(atomic_load(&publisher.done));
    aff_reader_leave();
    aff_slot_free(publisher.slot);
}

static void a_half_built_model_can_be_measured_and_freed(void **state)
{
    struct aff_model *model = model_of(1);

    (void)state;
    assert_int_equal(aff_model_bytes(model), sizeof *model);
    assert_int_equal(aff_neighbours_new(5, &model->next), AFF_OK);
    assert_true(aff_model_bytes(model) > sizeof *model);
    aff_model_free(model);
    aff_model_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_holds_entries_and_counts),
        cmocka_unit_test(a_table_costs_at_most_ten_bytes_an_edge),
        cmocka_unit_test(set_and_replace_change_rows_and_totals),
        cmocka_unit_test(a_slot_gives_the_newest_model),
        cmocka_unit_test(publish_keeps_the_old_model_until_the_last_reader_releases),
        cmocka_unit_test(a_half_built_model_can_be_measured_and_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
