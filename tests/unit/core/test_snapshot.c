/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/index/update.h"
#include "core/recommend/recommend.h"
#include "snapshot_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { DAMAGES = 1500 };
#else
enum { DAMAGES = 10000 };
#endif

static void write_one(const struct place *place, struct aff_snapshot_info *ret_info)
{
    struct aff_error error = {0};

    if (aff_snapshot_write(place->slot, place->path, NULL, ret_info, &error) != AFF_OK)
        fail_msg("%s", error.text);
}

static struct aff_model *open_one(const char *path)
{
    struct aff_model *model = NULL;
    struct aff_error error = {0};

    if (aff_snapshot_open(path, &plain, &model, NULL, &error) != AFF_OK)
        fail_msg("%s", error.text);
    return model;
}

/* Both models must answer a few hundred requests alike, evidence included. */
static void compare_viewed(const struct aff_model *a, const struct aff_model *b)
{
    for (uint32_t i = 0; i < aff_catalogue_size(a->catalogue); i++) {
        const struct aff_row *x = aff_neighbours_row(a->viewed, i), *y = aff_neighbours_row(b->viewed, i);
        assert_int_equal(x == NULL ? 0 : x->n, y == NULL ? 0 : y->n); /* a file has no empty rows */
        if (y != NULL)
            assert_memory_equal(x, y, aff_row_bytes(x->n));
        assert_int_equal(aff_catalogue_product(a->catalogue, i)->sessions,
                         aff_catalogue_product(b->catalogue, i)->sessions);
    }
    assert_int_equal(a->totals.sessions, b->totals.sessions);
}

static void compare_answers(const struct aff_model *a, const struct aff_model *b)
{
    struct aff_weights weights = {.affinity = 1, .sequence = 0.5, .personal = 0.3, .popularity = 0.1};
    struct aff_blend blend = {.personal_half_life_days = 90, .fitted = true};
    struct aff_random random = {.state = 9};
    struct random_request *request = malloc(sizeof *request);
    struct aff_answer *x = malloc(sizeof *x), *y = malloc(sizeof *y);
    struct aff_workspace *space_a, *space_b;

    for (int trace = 0; trace < AFF_TRACE_MAX; trace++)
        weights.traces[trace] = 0.2;
    for (int i = 0; i < AFF_SITUATION_MAX; i++)
        blend.of[i] = weights;

    assert_true(request != NULL && x != NULL && y != NULL);
    assert_int_equal(aff_workspace_new(&space_a), AFF_OK);
    assert_int_equal(aff_workspace_new(&space_b), AFF_OK);
    for (int i = 0; i < 300; i++) {
        store_request(&random, PRODUCTS, CUSTOMERS, request);
        store_request_of_session(&random, PRODUCTS, request);
        assert_int_equal(aff_recommend(a, &blend, space_a, &request->request, x), AFF_OK);
        assert_int_equal(aff_recommend(b, &blend, space_b, &request->request, y), AFF_OK);
        assert_int_equal(x->n_items, y->n_items);
        assert_int_equal(x->candidates, y->candidates);
        assert_int_equal(x->n_unknown, y->n_unknown);
        for (uint32_t j = 0; j < x->n_items; j++) {
            assert_int_equal(x->items[j].row, y->items[j].row);
            assert_true(x->items[j].score == y->items[j].score);
            assert_int_equal(x->items[j].evidence == NULL, y->items[j].evidence == NULL);
            if (x->items[j].evidence != NULL)
                assert_memory_equal(x->items[j].evidence, y->items[j].evidence, sizeof *x->items[j].evidence);
        }
    }
    aff_workspace_free(space_a);
    aff_workspace_free(space_b);
    free(request);
    free(x);
    free(y);
}

static void an_opened_file_answers_like_the_model(void **state)
{
    const struct place *place = *state;
    const struct aff_model *model = aff_slot_model(place->slot);
    struct aff_snapshot_info info, inspected;
    struct aff_error error;
    struct stat about;

    write_one(place, &info);
    assert_int_equal(aff_snapshot_inspect(place->path, &inspected, &error), AFF_OK);
    assert_memory_equal(&info, &inspected, sizeof info);
    assert_string_equal(info.store, "shop");
    assert_int_equal(info.version, 7);
    assert_int_equal(info.generation, 3);
    assert_int_equal(info.catalogue_version, 11);
    assert_int_equal(info.products, PRODUCTS);
    assert_int_equal(info.customers, CUSTOMERS);
    assert_int_equal(stat(place->path, &about), 0);
    assert_int_equal(info.file_bytes, about.st_size);
    assert_int_equal(about.st_mode & 0777, 0600);
    struct aff_model *opened = open_one(place->path);
    assert_string_equal(opened->store, "shop");
    assert_string_equal(opened->currency, "EUR");
    assert_int_equal(opened->version, 7);
    assert_int_equal(opened->generation, 3);
    assert_int_equal(opened->catalogue_version, 11);
    assert_int_equal(opened->built_at_us, 1234);
    assert_int_equal(opened->snapshot_at_us, info.written_at_us);
    assert_memory_equal(&opened->totals, &model->totals, sizeof model->totals);
    assert_true(aff_model_bytes(opened) <= info.memory_bytes);
    assert_true(aff_model_bytes(opened) > info.file_bytes);
    compare_answers(model, opened);
    compare_viewed(model, opened);
    aff_model_free(opened);
    assert_int_equal(count_files(place->directory, false), 1);
}

static void sessions_rules_and_weights_come_with_the_file(void **state)
{
    const struct place *place = *state;
    const struct aff_model *model = aff_slot_model(place->slot);
    const struct aff_traces *traces = model->traces;

    write_one(place, NULL);
    struct aff_model *opened = open_one(place->path);
    assert_non_null(opened->traces);
    const struct aff_traces_sizes here = aff_traces_sizes(traces), there = aff_traces_sizes(opened->traces);
    assert_memory_equal(&here, &there, sizeof here);
    assert_int_equal(opened->traces->n_sessions, traces->n_sessions);
    const struct aff_successors *alike = opened->traces->alike;
    assert_memory_equal(alike->starts, traces->alike->starts,
                        ((size_t)alike->n_products + 1) * sizeof *alike->starts);
    assert_memory_equal(alike->entries, traces->alike->entries,
                        alike->starts[alike->n_products] * sizeof *alike->entries);
    assert_memory_equal(&opened->fitted, &model->fitted, sizeof model->fitted);
    assert_true(opened->traces->revisits == traces->revisits);
    /* What is switched off goes, and the file stays where the rest is. */
    aff_traces_restrict(opened->traces, &(struct aff_traces_bounds){.sessions = 5, .lines = 5});
    assert_null(opened->traces->alike);
    assert_non_null(opened->traces->viewed);
    assert_non_null(opened->traces->added);
    aff_traces_restrict(opened->traces, &(struct aff_traces_bounds){.holders = 5});
    assert_null(opened->traces->viewed);
    assert_null(opened->traces->added);
    assert_null(opened->traces->recent_of);
    aff_model_free(opened);
}

static void a_model_without_sessions_has_a_file_without(void **state)
{
    const struct place *place = *state;
    struct aff_model *model = aff_slot_model(place->slot);

    aff_traces_free(model->traces);
    model->traces = NULL;
    model->fitted = (struct aff_fitted){0};
    write_one(place, NULL);
    struct aff_model *opened = open_one(place->path);
    assert_null(opened->traces);
    compare_answers(model, opened);
    aff_model_free(opened);
}

static void a_file_of_a_file_is_the_same(void **state)
{
    struct place *place = *state;
    struct aff_snapshot_info first, second;

    write_one(place, &first);
    aff_slot_publish(place->slot, open_one(place->path));
    write_one(place, &second); /* over the file that is mapped */
    assert_memory_equal(&first, &second, sizeof first);
    struct aff_model *opened = open_one(place->path);
    compare_answers(aff_slot_model(place->slot), opened);
    aff_model_free(opened);
}

static void an_empty_store_has_a_file(void **state)
{
    struct place *place = *state;
    struct aff_model *model = calloc(1, sizeof *model);
    struct aff_catalogue_builder *products;
    struct aff_customers_builder *customers;
    struct aff_update *update;

    assert_non_null(model);
    assert_int_equal(aff_catalogue_builder_new(&products), AFF_OK);
    assert_int_equal(aff_catalogue_builder_finish(products, &model->catalogue), AFF_OK);
    aff_catalogue_builder_free(products);
    assert_int_equal(aff_customers_builder_new(&customers), AFF_OK);
    assert_int_equal(aff_customers_builder_finish(customers, &model->customers), AFF_OK);
    aff_customers_builder_free(customers);
    assert_int_equal(aff_neighbours_new(0, &model->together), AFF_OK);
    assert_int_equal(aff_neighbours_new(0, &model->next), AFF_OK);
    aff_slot_publish(place->slot, model);
    write_one(place, NULL);
    aff_slot_publish(place->slot, open_one(place->path));
    /* And it can be filled. */
    assert_int_equal(aff_update_begin(place->slot, &update), AFF_OK);
    const struct aff_product product = {.key = 5, .id = aff_text_of("a"), .category = aff_text_of("X > Y")};
    assert_int_equal(aff_update_product(update, &product), AFF_OK);
    aff_update_publish(update);
    assert_int_equal(aff_catalogue_find(aff_slot_model(place->slot)->catalogue, aff_text_of("a")), 0);
    write_one(place, NULL);
    struct aff_model *opened = open_one(place->path);
    assert_int_equal(aff_catalogue_find_key(opened->catalogue, 5), 0);
    aff_model_free(opened);
}

static void every_damage_is_found(void **state)
{
    const struct place *place = *state;
    struct aff_random random = {.state = 17};
    struct aff_snapshot_info info;

    write_one(place, &info);
    int fd = open(place->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    unsigned char *whole = malloc(info.file_bytes);
    assert_non_null(whole);
    assert_int_equal(pread(fd, whole, info.file_bytes, 0), info.file_bytes);
    for (int i = 0; i < DAMAGES; i++) {
        struct aff_model *model;
        struct aff_error error = {0};
        const uint64_t at = aff_random_below(&random, info.file_bytes);
        const bool cut = i % 10 == 9;
        unsigned char byte = (unsigned char)(whole[at] ^ 1u << aff_random_below(&random, 8));
        if (cut)
            assert_int_equal(ftruncate(fd, (off_t)at), 0);
        else
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        if (aff_snapshot_open(place->path, &plain, &model, NULL, &error) != AFF_DATA)
            fail_msg("damage %d at byte %llu was not found", i, (unsigned long long)at);
        assert_true(error.text[0] != '\0');
        if (cut)
            assert_int_equal(pwrite(fd, whole + at, info.file_bytes - at, (off_t)at), info.file_bytes - at);
        else
            assert_int_equal(pwrite(fd, whole + at, 1, (off_t)at), 1);
    }
    aff_model_free(open_one(place->path));
    free(whole);
    (void)close(fd);
}

static void what_is_no_snapshot_or_not_there_is_refused(void **state)
{
    const struct place *place = *state;
    struct aff_model *model;
    struct aff_snapshot_info info;
    struct aff_error error;

    assert_int_equal(aff_snapshot_open(place->path, &plain, &model, NULL, &error), AFF_IO);
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 3000; i++)
        (void)fprintf(file, "no snapshot ");
    (void)fclose(file);
    assert_int_equal(aff_snapshot_inspect(place->path, &info, &error), AFF_DATA);
    assert_non_null(strstr(error.text, "no snapshot file"));
    assert_int_equal(truncate(place->path, 0), 0);
    assert_int_equal(aff_snapshot_open(place->path, &plain, &model, NULL, &error), AFF_DATA);
    assert_int_equal(aff_snapshot_inspect(place->directory, &info, &error), AFF_IO);
}

static void store_and_memory_are_looked_at_before_the_content(void **state)
{
    const struct place *place = *state;
    struct aff_snapshot_options options = plain;
    struct aff_snapshot_info info;
    struct aff_model *model;
    struct aff_error error;

    write_one(place, &info);
    options.store = aff_text_of("other");
    assert_int_equal(aff_snapshot_open(place->path, &options, &model, NULL, &error), AFF_DATA);
    assert_non_null(strstr(error.text, "other"));
    options.store = aff_text_of("shop");
    options.memory_limit_bytes = info.memory_bytes - 1;
    assert_int_equal(aff_snapshot_open(place->path, &options, &model, NULL, &error), AFF_LIMIT);
    options.memory_limit_bytes = info.memory_bytes;
    assert_int_equal(aff_snapshot_open(place->path, &options, &model, &info, &error), AFF_OK);
    aff_model_free(model);
}

static bool say_no(void *context, uint64_t done, uint64_t total)
{
    int *calls = context;

    assert_true(done <= total);
    return ++*calls < 2;
}

static void a_cancelled_write_leaves_the_file_before(void **state)
{
    const struct place *place = *state;
    struct aff_snapshot_info first, after;
    struct aff_error error;
    int calls = 0;
    const struct aff_watch watch = {say_no, &calls};

    write_one(place, &first);
    assert_int_equal(aff_snapshot_write(place->slot, place->path, &watch, NULL, &error), AFF_CANCELLED);
    assert_int_equal(calls, 2);
    assert_int_equal(aff_snapshot_inspect(place->path, &after, &error), AFF_OK);
    assert_memory_equal(&first, &after, sizeof first);
    assert_int_equal(count_files(place->directory, false), 1);
    struct aff_snapshot_options options = plain;
    struct aff_model *model;
    options.watch = watch;
    calls = 1;
    assert_int_equal(aff_snapshot_open(place->path, &options, &model, NULL, &error), AFF_CANCELLED);
}

/* Adds a product and what leads to it each time that the writer pauses. */
static bool add_products(void *context, uint64_t done, uint64_t total)
{
    const struct place *place = context;
    struct aff_catalogue *catalogue = aff_slot_model(place->slot)->catalogue;
    const uint32_t number = aff_catalogue_size(catalogue);
    const int32_t key = 100000 + (int32_t)number, old_key = aff_catalogue_product(catalogue, 0)->key;
    const struct aff_update_neighbour neighbours[] = {{.product = key, .score = 2},
                                                      {.product = old_key, .score = 1, .counts.orders = 5}};
    const struct aff_update_purchase purchases[] = {{key, 1, 1, 2}, {old_key, 1, 1, 1}};
    struct aff_update *update;
    char id[24], category[32];

    (void)done;
    (void)total;
    store_product_id(100000 + number, id);
    (void)snprintf(category, sizeof category, "New %u", (unsigned)number);
    const struct aff_product added = {
        .key = key, .id = aff_text_of(id), .category = aff_text_of(category), .price = 1};
    struct aff_product moved = *aff_catalogue_product(catalogue, 1);
    moved.category = added.category;
    assert_int_equal(aff_update_begin(place->slot, &update), AFF_OK);
    assert_int_equal(aff_update_product(update, &added), AFF_OK);
    assert_int_equal(aff_update_product(update, &moved), AFF_OK);
    for (int relation = AFF_RELATION_TOGETHER; relation <= AFF_RELATION_VIEWED; relation++) {
        assert_int_equal(aff_update_row(update, (enum aff_relation)relation, old_key, neighbours, 2), AFF_OK);
        assert_int_equal(aff_update_row(update, (enum aff_relation)relation, moved.key, neighbours, 1),
                         AFF_OK);
    }
    store_customer_id(0, id);
    assert_int_equal(aff_update_customer(update, aff_text_of(id), 9, purchases, 2), AFF_OK);
    aff_update_totals(update, &aff_slot_model(place->slot)->totals, aff_slot_model(place->slot)->version + 1);
    aff_update_publish(update);
    return true;
}

static void what_comes_while_it_is_written_is_there_in_part_but_sound(void **state)
{
    struct place *place = *state;
    const struct aff_watch watch = {add_products, place};
    struct aff_snapshot_info info;
    struct aff_error error = {0};
    char id[24];

    if (aff_snapshot_write(place->slot, place->path, &watch, &info, &error) != AFF_OK)
        fail_msg("%s", error.text);
    assert_int_equal(info.version, 7); /* of before all of them */
    assert_true(aff_slot_model(place->slot)->version > 7);
    assert_int_equal(info.products, PRODUCTS);
    struct aff_model *opened = open_one(place->path);
    assert_int_equal(aff_catalogue_size(opened->catalogue), PRODUCTS);
    /* Of the row only what is in the file, and a row of which nothing is left is none. */
    const struct aff_row *row = aff_neighbours_row(opened->together, 0);
    assert_int_equal(row->n, 1);
    assert_int_equal(row->entries[0].row, 0);
    assert_int_equal(aff_row_counts(row)[0].orders, 5);
    assert_null(aff_neighbours_row(opened->next, 1));
    store_customer_id(0, id);
    /* The customers were written after the first change. */
    const struct aff_history *history = aff_customers_find(opened->customers, aff_text_of(id));
    assert_int_equal(history->orders, 9);
    assert_int_equal(history->n, 1);
    assert_int_equal(history->purchases[0].row, 0);
    compare_answers(opened, opened);
    aff_model_free(opened);
}

static bool publish_another(void *context, uint64_t done, uint64_t total)
{
    const struct place *place = context;
    struct aff_random random = {.state = 6};
    struct aff_model *model = store_model(&random, PRODUCTS + 1, CUSTOMERS);

    (void)done;
    (void)total;
    model->loaded_at_us = 77;
    aff_slot_publish(place->slot, model);
    return true;
}

static void another_model_in_the_slot_ends_the_write(void **state)
{
    struct place *place = *state;
    const struct aff_watch watch = {publish_another, place};
    struct aff_error error;

    assert_int_equal(aff_snapshot_write(place->slot, place->path, &watch, NULL, &error), AFF_BUSY);
    assert_int_equal(count_files(place->directory, false), 0);
}

static void failures_of_the_disk_are_told(void **state)
{
    const struct place *place = *state;
    char path[160];
    struct aff_error error;
    struct aff_slot *empty;

    (void)snprintf(path, sizeof path, "%s/missing/one.snapshot", place->directory);
    assert_int_equal(aff_snapshot_write(place->slot, path, NULL, NULL, &error), AFF_IO);
    assert_non_null(strstr(error.text, "No such file"));
    assert_int_equal(aff_snapshot_save(place->slot, path, NULL, NULL, &error), AFF_IO);
    assert_int_equal(aff_slot_new(&empty), AFF_OK);
    assert_int_equal(aff_snapshot_write(empty, place->path, NULL, NULL, &error), AFF_NOTREADY);
    assert_int_equal(aff_snapshot_save(empty, place->directory, NULL, NULL, &error), AFF_NOTREADY);
    aff_slot_free(empty);
    assert_int_equal(count_files(place->directory, false), 0);
}

/* What a writer that was killed leaves is taken over. */
static void a_draft_that_was_left_is_used_again(void **state)
{
    const struct place *place = *state;
    char draft[160];

    (void)snprintf(draft, sizeof draft, "%s.part", place->path);
    FILE *file = fopen(draft, "w");
    assert_non_null(file);
    for (int i = 0; i < 100000; i++)
        (void)fprintf(file, "left behind ");
    (void)fclose(file);
    write_one(place, NULL);
    assert_int_equal(count_files(place->directory, false), 1);
    aff_model_free(open_one(place->path));
}

int main(void)
{
#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(an_opened_file_answers_like_the_model),
        IN_A_PLACE(sessions_rules_and_weights_come_with_the_file),
        IN_A_PLACE(a_model_without_sessions_has_a_file_without),
        IN_A_PLACE(a_file_of_a_file_is_the_same),
        IN_A_PLACE(an_empty_store_has_a_file),
        IN_A_PLACE(every_damage_is_found),
        IN_A_PLACE(what_is_no_snapshot_or_not_there_is_refused),
        IN_A_PLACE(store_and_memory_are_looked_at_before_the_content),
        IN_A_PLACE(a_cancelled_write_leaves_the_file_before),
        IN_A_PLACE(another_model_in_the_slot_ends_the_write),
        IN_A_PLACE(what_comes_while_it_is_written_is_there_in_part_but_sound),
        IN_A_PLACE(failures_of_the_disk_are_told),
        IN_A_PLACE(a_draft_that_was_left_is_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
