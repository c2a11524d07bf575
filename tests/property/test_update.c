/* SPDX-License-Identifier: Apache-2.0 */
/* Random batches of every kind against a plain description of the shop: after each batch the changed model
 * must answer every look-up like a model that is built anew from that description, also when it went through
 * a snapshot file in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/index/snapshot.h"
#include "plain_shop.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST_PRODUCTS = 20, BATCHES = 60, SEEDS = 6 };

static void compare_texts(struct aff_text a, struct aff_text b)
{
    assert_true(aff_text_equal(a, b));
}

static void compare_records(const struct aff_catalogue *a, const struct aff_catalogue *b, uint32_t row)
{
    const struct aff_product *x = aff_catalogue_product(a, row), *y = aff_catalogue_product(b, row);

    assert_int_equal(x->key, y->key);
    compare_texts(x->id, y->id);
    compare_texts(x->name, y->name);
    compare_texts(x->category, y->category);
    compare_texts(x->brand, y->brand);
    assert_int_equal(x->price, y->price);
    assert_int_equal(x->cost, y->cost);
    assert_int_equal(x->stock, y->stock);
    assert_int_equal(x->available, y->available);
    assert_int_equal(x->n_attributes, y->n_attributes);
    for (uint32_t i = 0; i < x->n_attributes; i++) {
        compare_texts(x->attributes[i].name, y->attributes[i].name);
        compare_texts(x->attributes[i].value, y->attributes[i].value);
    }
    assert_int_equal(x->orders, y->orders);
    assert_int_equal(x->weight, y->weight);
    assert_int_equal(x->revenue, y->revenue);
    assert_int_equal(x->margin, y->margin);
    assert_int_equal(x->last_at_us, y->last_at_us);
    assert_int_equal(x->discounted, y->discounted);
    assert_int_equal(x->sessions, y->sessions);
    assert_int_equal(aff_catalogue_find(a, y->id), row);
    assert_int_equal(aff_catalogue_find_key(a, y->key), row);
    assert_int_equal(aff_catalogue_eligibility(a)[row], aff_catalogue_eligibility(b)[row]);
    assert_int_equal(aff_catalogue_durable(a)[row], aff_catalogue_durable(b)[row]);
}

static void compare_lists(const struct aff_catalogue *a, const struct aff_catalogue *b, uint32_t category_a,
                          uint32_t category_b)
{
    uint32_t n_a, n_b;
    const uint32_t *rows_a = aff_catalogue_popular(a, category_a, &n_a);
    const uint32_t *rows_b = aff_catalogue_popular(b, category_b, &n_b);

    assert_int_equal(n_a, n_b);
    assert_memory_equal(rows_a, rows_b, n_a * sizeof *rows_a);
}

/* The category `path` of a catalogue; AFF_NO_ROW also if no product is in it. */
static uint32_t used_category(const struct aff_catalogue *catalogue, uint32_t category)
{
    uint32_t n = 0;

    if (category != AFF_NO_ROW)
        (void)aff_catalogue_popular(catalogue, category, &n);
    return n == 0 ? AFF_NO_ROW : category;
}

static void compare_popularity(const struct aff_catalogue *a, const struct aff_catalogue *b)
{
    compare_lists(a, b, AFF_NO_ROW, AFF_NO_ROW);
    assert_int_equal(aff_catalogue_top_weight(a), aff_catalogue_top_weight(b));
    for (uint32_t row = 0; row < aff_catalogue_size(b); row++)
        assert_true(aff_catalogue_popularity(a)[row] == aff_catalogue_popularity(b)[row]);
    for (size_t i = 1; i < sizeof categories / sizeof categories[0]; i++) {
        uint32_t at_a = used_category(a, aff_catalogue_find_category(a, aff_text_of(categories[i])));
        uint32_t at_b = aff_catalogue_find_category(b, aff_text_of(categories[i]));
        assert_int_equal(at_a == AFF_NO_ROW, at_b == AFF_NO_ROW);
        if (at_b == AFF_NO_ROW)
            continue;
        compare_lists(a, b, at_a, at_b);
        uint32_t parent_a = used_category(a, aff_catalogue_category_parent(a, at_a));
        uint32_t parent_b = aff_catalogue_category_parent(b, at_b);
        assert_int_equal(parent_a == AFF_NO_ROW, parent_b == AFF_NO_ROW);
        if (parent_b != AFF_NO_ROW)
            compare_lists(a, b, parent_a, parent_b);
    }
}

static void compare_rows(const struct aff_neighbours *a, const struct aff_neighbours *b, uint32_t n)
{
    size_t bytes;
    uint64_t edges_a, edges_b;

    for (uint32_t i = 0; i < n; i++) {
        const struct aff_row *x = aff_neighbours_row(a, i), *y = aff_neighbours_row(b, i);
        assert_int_equal(x == NULL, y == NULL);
        if (x == NULL)
            continue;
        assert_int_equal(x->n, y->n);
        assert_memory_equal(x, y, aff_row_bytes(x->n));
    }
    (void)aff_neighbours_bytes(a, &bytes, &edges_a);
    (void)aff_neighbours_bytes(b, &bytes, &edges_b);
    assert_int_equal(edges_a, edges_b);
}

static void compare_customers(const struct aff_customers *a, const struct aff_customers *b)
{
    assert_int_equal(aff_customers_size(a), aff_customers_size(b));
    for (uint32_t i = 0; i < CUSTOMERS; i++) {
        char id[24];
        const struct aff_history *x = aff_customers_find(a, aff_text_of(text_of(id, "C", i)));
        const struct aff_history *y = aff_customers_find(b, aff_text_of(id));
        assert_int_equal(x == NULL, y == NULL);
        if (x == NULL)
            continue;
        assert_memory_equal(x, y, aff_history_bytes(y));
        compare_texts(aff_history_id(x), aff_text_of(id));
    }
}

static void compare_models(const struct shop *shop, const struct aff_model *model, bool with_popularity)
{
    struct aff_model *fresh = build_model(shop);

    assert_int_equal(aff_catalogue_size(model->catalogue), aff_catalogue_size(fresh->catalogue));
    for (uint32_t row = 0; row < shop->n_products; row++)
        compare_records(model->catalogue, fresh->catalogue, row);
    if (with_popularity)
        compare_popularity(model->catalogue, fresh->catalogue);
    compare_rows(model->together, fresh->together, shop->n_products);
    compare_rows(model->next, fresh->next, shop->n_products);
    compare_rows(model->viewed, fresh->viewed, shop->n_products);
    compare_customers(model->customers, fresh->customers);
    assert_memory_equal(&model->totals, &fresh->totals, sizeof model->totals);
    assert_int_equal(model->version, fresh->version);
    aff_model_free(fresh);
}

/* A batch that is filled and then dropped must leave no trace. */
static void drop_a_batch(const struct shop *shop, struct aff_slot *slot)
{
    struct shop *copy = malloc(sizeof *copy);
    struct aff_update *update;

    assert_non_null(copy);
    *copy = *shop;
    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    for (uint32_t i = 0; i < 40; i++)
        put_something(copy, update);
    assert_int_equal(aff_update_popularity(update), AFF_OK);
    aff_update_totals(update, &(struct aff_totals){.orders = 999999}, 999999);
    aff_update_drop(update);
    free(copy);
}

/* Puts a model in the slot that was read from a file of the one in it. */
static void go_through_a_file(struct aff_slot *slot)
{
    char path[64];
    struct aff_snapshot_options options = {.n_threads = 2};
    struct aff_error error = {0};
    struct aff_model *model;

    (void)snprintf(path, sizeof path, "/tmp/aff_update_%ld.snapshot", (long)getpid());
    aff_reader_enter();
    aff_status status = aff_snapshot_write(slot, path, NULL, NULL, &error);
    if (status == AFF_OK)
        status = aff_snapshot_open(path, &options, &model, NULL, &error);
    (void)unlink(path);
    if (status != AFF_OK)
        fail_msg("%s", error.text);
    aff_slot_publish(slot, model);
    aff_reader_leave();
}

static void run_batches(uint64_t seed)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct aff_slot *slot;
    struct aff_update *update;

    assert_non_null(shop);
    shop->random.state = seed;
    for (uint32_t i = 0; i < FIRST_PRODUCTS; i++) {
        shop->products[i * 2] = (struct plain_product){.there = true, .row = shop->n_products++};
        change_product(shop, &shop->products[i * 2]);
    }
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    assert_int_equal(aff_update_begin(slot, &update), AFF_NOTFOUND);
    aff_slot_publish(slot, build_model(shop));
    for (uint64_t batch = 1; batch <= BATCHES; batch++) {
        const bool with_popularity = below(shop, 2) == 0;
        uint32_t n = below(shop, 40);
        assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
        for (uint32_t i = 0; i < n; i++)
            put_something(shop, update);
        if (with_popularity)
            assert_int_equal(aff_update_popularity(update), AFF_OK);
        shop->version = batch;
        shop->totals = (struct aff_totals){.orders = batch * 10, .weight = (int64_t)batch};
        aff_update_totals(update, &shop->totals, shop->version);
        aff_update_publish(update);
        drop_a_batch(shop, slot);
        compare_models(shop, aff_slot_model(slot), with_popularity);
        if (below(shop, 8) == 0) {
            go_through_a_file(slot);
            compare_models(shop, aff_slot_model(slot), true); /* its lists are made anew */
        }
    }
    aff_slot_free(slot);
    free(shop);
}

static void a_changed_model_equals_one_that_is_built_anew(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_batches(seed);
}

/* A batch that says again what is known. */
static void say_again(const struct shop *shop, struct aff_slot *slot)
{
    struct aff_update *update;
    struct texts texts;
    char id[24];

    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    for (uint32_t i = 0; i < PRODUCTS; i++) {
        const struct plain_product *product = &shop->products[i];
        if (!product->there)
            continue;
        struct aff_product record = record_of(product, i, &texts);
        assert_int_equal(aff_update_product(update, &record), AFF_OK);
        assert_int_equal(aff_update_product_counts(update, key_of(i), &product->counts), AFF_OK);
        for (int relation = 0; relation < 2; relation++)
            assert_int_equal(aff_update_row(update, (enum aff_relation)(relation + 1), key_of(i),
                                            product->rows[relation], product->n_row[relation]),
                             AFF_OK);
    }
    for (uint32_t i = 0; i < CUSTOMERS; i++)
        if (shop->customers[i].there)
            assert_int_equal(aff_update_customer(update, aff_text_of(text_of(id, "C", i)),
                                                 shop->customers[i].orders, shop->customers[i].purchases,
                                                 shop->customers[i].n),
                             AFF_OK);
    assert_int_equal(aff_update_popularity(update), AFF_OK);
    aff_update_publish(update);
}

static void saying_the_same_again_and_again_takes_no_memory(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct aff_slot *slot;
    struct aff_update *update;

    (void)state;
    assert_non_null(shop);
    shop->random.state = 99;
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    aff_slot_publish(slot, build_model(shop));
    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    for (int i = 0; i < 500; i++)
        put_something(shop, update);
    aff_update_publish(update);
    say_again(shop, slot);
    size_t bytes = aff_model_bytes(aff_slot_model(slot)), heap = mallinfo2().uordblks;
    for (int i = 0; i < 200; i++)
        say_again(shop, slot);
    assert_int_equal(aff_model_bytes(aff_slot_model(slot)), bytes);
    /* malloc keeps a few freed blocks of each size for itself. */
    assert_in_range(mallinfo2().uordblks, 0, heap + 65536);
    aff_slot_free(slot);
    free(shop);
}

static void a_model_without_room_says_so_and_stays_as_it_is(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct aff_slot *slot;
    struct aff_update *update;
    char id[24];
    uint32_t n = 0;
    aff_status status = AFF_OK;

    (void)state;
    assert_non_null(shop);
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    aff_slot_publish(slot, build_model(shop));
    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    for (; status == AFF_OK; n += status == AFF_OK) {
        struct aff_product product = {.key = (int32_t)n, .id = aff_text_of(text_of(id, "P", n))};
        status = aff_update_product(update, &product);
    }
    assert_int_equal(status, AFF_LIMIT);
    assert_int_equal(n, aff_catalogue_capacity(aff_slot_model(slot)->catalogue));
    status = AFF_OK;
    for (uint32_t i = 0; status == AFF_OK; i++)
        status = aff_update_customer(update, aff_text_of(text_of(id, "C", i)), 1, NULL, 0);
    assert_int_equal(status, AFF_LIMIT);
    struct aff_product product = {.key = 1, .id = aff_text_of("P1")};
    status = AFF_OK;
    for (uint32_t i = 0; status == AFF_OK; i++) {
        product.category = aff_text_of(text_of(id, "category ", i));
        status = aff_update_product(update, &product);
    }
    assert_int_equal(status, AFF_LIMIT);
    aff_update_publish(update);
    assert_int_equal(aff_catalogue_size(aff_slot_model(slot)->catalogue), n);
    assert_int_equal(aff_catalogue_find(aff_slot_model(slot)->catalogue, aff_text_of("P7")), 7);
    aff_slot_free(slot);
    free(shop);
}

static void what_contradicts_itself_is_refused(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct aff_slot *slot;
    struct aff_update *update;

    (void)state;
    assert_non_null(shop);
    shop->products[0] = (struct plain_product){.there = true, .row = 0};
    shop->products[1] = (struct plain_product){.there = true, .row = 1};
    shop->n_products = 2;
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    aff_slot_publish(slot, build_model(shop));
    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    const struct aff_product refused[] = {{.key = key_of(0), .id = aff_text_of("P1")},
                                          {.key = key_of(0), .id = aff_text_of("new")},
                                          {.key = key_of(30), .id = aff_text_of("P1")},
                                          {.key = key_of(30), .id = aff_text_of("")},
                                          {.key = key_of(30), .id = aff_text_of("a\n")}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(aff_update_product(update, &refused[i]), AFF_INVALID);
    const struct aff_product added = {.key = key_of(40), .id = aff_text_of("added")},
                             same_key = {.key = key_of(40), .id = aff_text_of("P0")},
                             same_id = {.key = key_of(41), .id = aff_text_of("added")};
    assert_int_equal(aff_update_product(update, &added), AFF_OK);
    assert_int_equal(aff_update_product(update, &same_key), AFF_INVALID);
    assert_int_equal(aff_update_product(update, &same_id), AFF_INVALID);
    assert_int_equal(aff_update_product(update, &added), AFF_OK);
    assert_int_equal(aff_update_customer(update, aff_text_of(""), 1, NULL, 0), AFF_INVALID);
    assert_int_equal(aff_update_row(update, (enum aff_relation)4, key_of(0), NULL, 0), AFF_INVALID);
    aff_update_publish(update);
    assert_int_equal(aff_catalogue_size(aff_slot_model(slot)->catalogue), 3);
    aff_slot_free(slot);
    free(shop);
}

/* What `n` sessions of the rows 0 and 1 say. */
static struct aff_traces of_sessions(uint32_t n)
{
    const uint32_t rows[] = {0, 1};
    struct aff_traces traces = {0};
    struct aff_sequences_builder *builder;
    struct aff_sequences *sessions;

    assert_int_equal(aff_sequences_builder_new(&builder), AFF_OK);
    for (uint32_t s = 0; s < n; s++)
        assert_int_equal(aff_sequences_builder_add(builder, rows, 2, s), AFF_OK);
    assert_int_equal(aff_sequences_builder_finish(builder, 2, 5, &sessions), AFF_OK);
    aff_sequences_builder_free(builder);
    assert_int_equal(aff_traces_learn_views(&traces, sessions), AFF_OK);
    aff_sequences_free(sessions);
    return traces;
}

static void sessions_are_replaced_and_the_other_traces_stay(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    struct aff_slot *slot;
    struct aff_update *update;

    (void)state;
    assert_non_null(shop);
    shop->products[0] = (struct plain_product){.there = true, .row = 0};
    shop->products[1] = (struct plain_product){.there = true, .row = 1};
    shop->n_products = 2;
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    struct aff_model *model = build_model(shop);
    aff_slot_publish(slot, model);
    assert_null(model->traces);
    for (uint32_t n = 1; n <= 3; n++) {
        struct aff_traces made = of_sessions(n);
        assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
        assert_int_equal(aff_update_sessions(update, &made), AFF_OK);
        assert_true(made.alike == NULL && made.viewed == NULL);
        aff_update_publish(update);
        struct aff_traces *traces = aff_slot_model(slot)->traces;
        assert_int_equal(traces->n_sessions, n);
        assert_non_null(traces->alike);
        assert_int_equal(traces->n_recent, n == 1 ? 0 : 2);
        if (n == 1) {
            float *weights = calloc(2, sizeof *weights);
            assert_non_null(weights);
            weights[0] = 3;
            weights[1] = 1;
            assert_int_equal(aff_traces_set_recent(traces, weights, 2, 2), AFF_OK);
        }
    }
    struct aff_traces dropped = of_sessions(9);
    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    assert_int_equal(aff_update_sessions(update, &dropped), AFF_OK);
    aff_update_drop(update);
    assert_int_equal(aff_slot_model(slot)->traces->n_sessions, 3);
    assert_int_equal(aff_slot_model(slot)->traces->n_recent, 2);
    aff_slot_free(slot);
    free(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(a_model_without_room_says_so_and_stays_as_it_is),
        cmocka_unit_test(saying_the_same_again_and_again_takes_no_memory),
        cmocka_unit_test(sessions_are_replaced_and_the_other_traces_stay),
        cmocka_unit_test(a_changed_model_equals_one_that_is_built_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
