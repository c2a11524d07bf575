/* SPDX-License-Identifier: Apache-2.0 */
/* Readers look and recommend while a writer publishes batches of every kind without pause. Each record, row
 * and history carries the stamp of its batch in all its parts: one that is torn, freed, older than before or
 * led to before it is there shows. Another thread writes snapshot files all the time, and each has to open to
 * a sound model. Meant to run under AddressSanitizer and ThreadSanitizer, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/index/snapshot.h"
#include "core/index/update.h"
#include "core/recommend/recommend.h"
#include "random_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READERS = 3,
    SAVER = 2,
    FIRST = 40,
    PRODUCTS = 160,
    CUSTOMERS = 60,
    BATCHES = 1500,
    BATCH = 12,
    ROW = 8
};

struct reader {
    pthread_t thread;
    const struct aff_slot *slot;
    _Atomic bool *stop;
    struct aff_random random;
    uint64_t version;
    int64_t newest[PRODUCTS]; /* stamps seen */
    uint64_t checks;
    const char *mistake; /* NULL: none */
};

static struct aff_text text_of(char text[24], const char *prefix, uint64_t number)
{
    (void)snprintf(text, 24, "%s%llu", prefix, (unsigned long long)number);
    return aff_text_of(text);
}

static uint32_t below(struct aff_random *random, uint32_t bound)
{
    return (uint32_t)aff_random_below(random, bound);
}

/* The number of a product from its id; PRODUCTS if the id is none. */
static uint32_t number_of(struct aff_text id)
{
    char text[24] = "";

    if (id.size < 2 || id.size >= sizeof text || id.at[0] != 'P')
        return PRODUCTS;
    memcpy(text, id.at + 1, id.size - 1);
    unsigned long number = strtoul(text, NULL, 10);
    return number < PRODUCTS ? (uint32_t)number : PRODUCTS;
}

static const char *check_product(struct reader *reader, const struct aff_model *model, uint32_t row)
{
    const struct aff_product *product = aff_catalogue_product(model->catalogue, row);
    char name[24], value[24];

    if (product == NULL)
        return "a row leads to no product";
    uint32_t number = number_of(product->id);
    if (number == PRODUCTS || product->key != (int32_t)number)
        return "id and key of a product differ";
    if (product->cost != product->price ||
        !aff_text_equal(product->name, text_of(name, "n", (uint64_t)product->price)) ||
        product->n_attributes != 1 ||
        !aff_text_equal(product->attributes[0].value, text_of(value, "v", (uint64_t)product->price)))
        return "a record is torn or freed";
    if (product->price < reader->newest[number])
        return "a record went back in time";
    reader->newest[number] = product->price;
    if (product->weight != (int64_t)product->orders << 20 || product->revenue != product->margin)
        return "counts are torn";
    if (aff_catalogue_find(model->catalogue, product->id) != row ||
        aff_catalogue_find_key(model->catalogue, product->key) != row)
        return "a product that is shown cannot be found";
    return NULL;
}

static const char *check_found(struct reader *reader, const struct aff_model *model)
{
    char id[24];
    uint32_t number = below(&reader->random, PRODUCTS);
    uint32_t row = aff_catalogue_find(model->catalogue, text_of(id, "P", number));

    if (row == AFF_NO_ROW)
        return reader->newest[number] != 0 || number < FIRST ? "a product vanished" : NULL;
    if (number_of(aff_catalogue_product(model->catalogue, row)->id) != number)
        return "an id leads to another product";
    const char *mistake = check_product(reader, model, row);
    const struct aff_row *together = aff_neighbours_row(model->together, row);
    for (uint32_t i = 0; mistake == NULL && together != NULL && i < together->n; i++) {
        if (aff_row_counts(together)[i].orders != aff_row_counts(together)[0].orders ||
            together->entries[i].score != (float)aff_row_counts(together)[0].orders)
            return "a row is torn or freed";
        mistake = check_product(reader, model, together->entries[i].row);
    }
    return mistake;
}

static const char *check_customer(struct reader *reader, const struct aff_model *model)
{
    char id[24];
    struct aff_text wanted = text_of(id, "C", below(&reader->random, CUSTOMERS));
    const struct aff_history *history = aff_customers_find(model->customers, wanted);
    const char *mistake = NULL;

    if (history == NULL)
        return NULL;
    if (!aff_text_equal(aff_history_id(history), wanted))
        return "an id leads to another customer";
    for (uint32_t i = 0; mistake == NULL && i < history->n; i++) {
        if (history->purchases[i].orders != history->orders)
            return "a history is torn or freed";
        mistake = check_product(reader, model, history->purchases[i].row);
    }
    return mistake;
}

static const char *check_lists(struct reader *reader, const struct aff_model *model)
{
    uint32_t n, category = below(&reader->random, 2) == 0 ? AFF_NO_ROW : 0;
    const uint32_t *rows = aff_catalogue_popular(model->catalogue, category, &n);
    const float *popularity = aff_catalogue_popularity(model->catalogue);

    for (uint32_t i = 0; i < n; i++) {
        if (rows[i] >= aff_catalogue_capacity(model->catalogue) ||
            (i > 0 && popularity[rows[i]] > popularity[rows[i - 1]]))
            return "a list of popular products is not in order";
    }
    return n > 0 ? check_product(reader, model, rows[below(&reader->random, n)]) : NULL;
}

static const char *check_answer(struct reader *reader, const struct aff_model *model,
                                struct aff_workspace *workspace, struct random_request *request,
                                struct aff_answer *answer)
{
    const struct aff_blend blend = aff_blend_default();
    const char *mistake = NULL;
    uint32_t sum = 0;

    if (aff_recommend(model, &blend, workspace, &request->request, answer) != AFF_OK)
        return "recommend failed";
    for (int drop = 0; drop < AFF_DROP_MAX; drop++)
        sum += answer->dropped[drop];
    if (answer->candidates != answer->n_items + sum)
        return "candidates do not add up";
    for (uint32_t i = 0; mistake == NULL && i < answer->n_items; i++)
        mistake = check_product(reader, model, answer->items[i].row);
    return mistake;
}

static const char *check_shell(struct reader *reader, const struct aff_model *model)
{
    if (model->version < reader->version)
        return "a version went back in time";
    reader->version = model->version;
    return model->totals.orders != model->version * 10 || model->totals.weight != (int64_t)model->version * 7
               ? "totals and version are not of one batch"
               : NULL;
}

static void *read_all_the_time(void *argument)
{
    struct reader *reader = argument;
    struct aff_answer *answer = malloc(sizeof *answer);
    struct random_request *request = malloc(sizeof *request);
    struct aff_workspace *workspace = NULL;

    if (answer == NULL || request == NULL || aff_workspace_new(&workspace) != AFF_OK)
        abort();
    aff_reader_enter();
    while (!atomic_load(reader->stop) && reader->mistake == NULL) {
        store_request(&reader->random, PRODUCTS, CUSTOMERS, request);
        const struct aff_model *model = aff_slot_acquire(reader->slot);
        const char *mistake = check_shell(reader, model);
        for (uint32_t i = 0; i < 8 && mistake == NULL; i++, reader->checks++)
            mistake = check_found(reader, model);
        if (mistake == NULL)
            mistake = check_customer(reader, model);
        if (mistake == NULL)
            mistake = check_lists(reader, model);
        if (mistake == NULL)
            mistake = check_answer(reader, model, workspace, request, answer);
        aff_slot_release(reader->slot);
        reader->mistake = mistake;
    }
    aff_reader_leave();
    aff_workspace_free(workspace);
    free(request);
    free(answer);
    return NULL;
}

/* Looks at everything in a model that was read from a file. Parts of it may be newer than its version. */
static const char *check_all(struct reader *reader, const struct aff_model *model)
{
    const char *mistake = check_shell(reader, model);

    for (uint32_t i = 0; mistake == NULL && i < 4 * PRODUCTS; i++) {
        mistake = check_found(reader, model);
        if (mistake == NULL)
            mistake = check_customer(reader, model);
    }
    return mistake != NULL ? mistake : check_lists(reader, model);
}

static void *save_all_the_time(void *argument)
{
    struct reader *reader = argument;
    const struct aff_snapshot_options options = {.n_threads = 1};
    struct aff_error error;
    char path[64];

    (void)snprintf(path, sizeof path, "/tmp/aff_live_%ld.snapshot", (long)getpid());
    aff_reader_enter();
    while (!atomic_load(reader->stop) && reader->mistake == NULL) {
        struct aff_model *model = NULL;
        if (aff_snapshot_write(reader->slot, path, NULL, NULL, &error) != AFF_OK ||
            aff_snapshot_open(path, &options, &model, NULL, &error) != AFF_OK) {
            (void)fprintf(stderr, "%s\n", error.text);
            reader->mistake = "a file cannot be written or opened";
        } else {
            reader->mistake = check_all(reader, model);
            reader->checks++;
        }
        aff_model_free(model);
    }
    (void)unlink(path);
    aff_reader_leave();
    return NULL;
}

/* A record of which every part shows the stamp. */
static struct aff_product stamped(uint32_t number, int64_t stamp, char texts[4][24],
                                  struct aff_attribute *attribute)
{
    *attribute = (struct aff_attribute){aff_text_of("stamp"), text_of(texts[0], "v", (uint64_t)stamp)};
    return (struct aff_product){
        .key = (int32_t)number,
        .id = text_of(texts[1], "P", number),
        .name = text_of(texts[2], "n", (uint64_t)stamp),
        .category = text_of(texts[3], "category ", number % 5 + (uint64_t)stamp % 3),
        .price = stamp,
        .compare_at = AFF_NO_MONEY,
        .cost = stamp,
        .stock = stamp % 4 == 0 ? (int32_t)(stamp % 3) : AFF_NO_STOCK,
        .available = stamp % 7 != 0,
        .durable = stamp % 5 == 0,
        .attributes = attribute,
        .n_attributes = 1,
    };
}

static struct aff_model *first_model(void)
{
    struct aff_model *model = calloc(1, sizeof *model);
    struct aff_catalogue_builder *builder;
    struct aff_customers_builder *customers;
    struct aff_attribute attribute;
    char texts[4][24];

    assert_non_null(model);
    assert_int_equal(aff_catalogue_builder_new(&builder), AFF_OK);
    for (uint32_t i = 0; i < FIRST; i++) {
        struct aff_product product = stamped(i, 1, texts, &attribute);
        assert_int_equal(aff_catalogue_builder_add(builder, &product), AFF_OK);
    }
    assert_int_equal(aff_catalogue_builder_finish(builder, &model->catalogue), AFF_OK);
    aff_catalogue_builder_free(builder);
    assert_int_equal(aff_customers_builder_new(&customers), AFF_OK);
    assert_int_equal(aff_customers_builder_finish(customers, &model->customers), AFF_OK);
    aff_customers_builder_free(customers);
    assert_int_equal(aff_neighbours_new(FIRST, &model->together), AFF_OK);
    assert_int_equal(aff_neighbours_new(FIRST, &model->next), AFF_OK);
    return model;
}

static void change_row(struct aff_update *update, struct aff_random *random, uint32_t stamp)
{
    struct aff_update_neighbour neighbours[ROW];
    uint32_t n = below(random, ROW + 1);

    for (uint32_t i = 0; i < n; i++)
        neighbours[i] = (struct aff_update_neighbour){
            (int32_t)below(random, PRODUCTS), (float)stamp, {.orders = stamp, .discounted = n}};
    aff_status status =
        aff_update_row(update, below(random, 3) == 0 ? AFF_RELATION_NEXT : AFF_RELATION_TOGETHER,
                       (int32_t)below(random, PRODUCTS), neighbours, n);
    assert_true(status == AFF_OK || status == AFF_NOTFOUND);
}

static void change_customer(struct aff_update *update, struct aff_random *random, uint32_t stamp)
{
    struct aff_update_purchase purchases[ROW];
    char id[24];
    uint32_t n = below(random, ROW + 1);

    for (uint32_t i = 0; i < n; i++)
        purchases[i] = (struct aff_update_purchase){(int32_t)below(random, PRODUCTS), stamp, 100, 1000 - i};
    assert_int_equal(
        aff_update_customer(update, text_of(id, "C", below(random, CUSTOMERS)), stamp, purchases, n), AFF_OK);
}

static void change_product(struct aff_update *update, struct aff_random *random, uint32_t stamp,
                           uint32_t n_products)
{
    struct aff_product_counts counts = {
        stamp % 50, (int64_t)(stamp % 50) << 20, stamp, stamp, stamp, stamp % 50, stamp % 50};
    struct aff_attribute attribute;
    char texts[4][24];
    uint32_t number = below(random, n_products);
    struct aff_product product = stamped(number, stamp, texts, &attribute);

    assert_int_equal(aff_update_product(update, &product), AFF_OK);
    assert_int_equal(aff_update_product_counts(update, (int32_t)number, &counts), AFF_OK);
}

static void publish_batch(struct aff_slot *slot, struct aff_random *random, uint32_t stamp)
{
    /* Later batches add products, whose numbers come into reach one by one. */
    uint32_t n_products = FIRST + stamp * (PRODUCTS - FIRST) / BATCHES;
    struct aff_update *update;

    assert_int_equal(aff_update_begin(slot, &update), AFF_OK);
    for (uint32_t i = 0; i < BATCH; i++) {
        change_product(update, random, stamp, n_products);
        change_row(update, random, stamp);
        change_customer(update, random, stamp);
    }
    if (stamp % 3 == 0)
        assert_int_equal(aff_update_popularity(update), AFF_OK);
    aff_update_totals(
        update, &(struct aff_totals){.orders = (uint64_t)stamp * 10, .weight = (int64_t)stamp * 7}, stamp);
    if (stamp % 10 == 9)
        aff_update_drop(update);
    else
        aff_update_publish(update);
}

static void readers_see_each_part_whole_and_never_older(void **state)
{
    struct aff_random random = {.state = 78};
    struct reader *readers = calloc(READERS, sizeof *readers);
    _Atomic bool stop = false;
    struct aff_slot *slot;

    (void)state;
    assert_non_null(readers);
    assert_int_equal(aff_slot_new(&slot), AFF_OK);
    aff_slot_publish(slot, first_model());
    for (uint32_t i = 0; i < READERS; i++) {
        readers[i].slot = slot;
        readers[i].stop = &stop;
        readers[i].random.state = i;
        assert_int_equal(pthread_create(&readers[i].thread, NULL,
                                        i == SAVER ? save_all_the_time : read_all_the_time, &readers[i]),
                         0);
    }
    for (uint32_t stamp = 2; stamp <= BATCHES; stamp++)
        publish_batch(slot, &random, stamp);
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        if (readers[i].mistake != NULL)
            fail_msg("reader %u: %s", (unsigned)i, readers[i].mistake);
        assert_true(readers[i].checks > 5);
    }
    assert_true(aff_catalogue_size(aff_slot_model(slot)->catalogue) > FIRST + 50);
    aff_slot_free(slot);
    free(readers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_each_part_whole_and_never_older),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
