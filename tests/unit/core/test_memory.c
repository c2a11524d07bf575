/* SPDX-License-Identifier: Apache-2.0 */
/* Memory running out at each single allocation: everything says AFF_NOMEM and frees what it had. The test
 * program's own malloc stands before the library's; sanitizers bring theirs, so that under them this test is
 * skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/index/snapshot.h"
#include "core/index/update.h"
#include "core/recommend/recommend.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static void memory_is_out_at_each_allocation(void **state)
{
    (void)state;
    skip();
}
#else
/* Allocations of this thread until one fails; negative: none fails. */
static _Thread_local long left = -1;
static _Thread_local long held; /* blocks that are not freed */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *at);

static bool fails(void)
{
    if (left < 0)
        return false;
    return left-- == 0;
}

void *malloc(size_t size)
{
    void *at = fails() ? NULL : __libc_malloc(size);

    held += at != NULL;
    return at;
}

void *calloc(size_t n, size_t size)
{
    void *at = fails() ? NULL : __libc_calloc(n, size);

    held += at != NULL;
    return at;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    void *at = fails() ? NULL : __libc_memalign(alignment, size);

    held += at != NULL;
    return at;
}

void *realloc(void *at, size_t size)
{
    void *moved = fails() ? NULL : __libc_realloc(at, size);

    held += at == NULL && moved != NULL;
    return moved;
}

void free(void *at)
{
    held -= at != NULL;
    __libc_free(at);
}

static aff_status build_catalogue(struct aff_catalogue **ret_catalogue)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    const struct aff_attribute attribute = {aff_text_of("colour"), aff_text_of("red")};
    struct aff_catalogue_builder *builder = NULL;
    aff_status status = aff_catalogue_builder_new(&builder);

    for (int32_t i = 0; status == AFF_OK && i < 12; i++) {
        struct aff_product product = {.key = i,
                                      .id = aff_text_of(ids[i]),
                                      .category = aff_text_of(ids[i]),
                                      .attributes = &attribute,
                                      .n_attributes = 1,
                                      .stock = AFF_NO_STOCK,
                                      .available = true,
                                      .orders = 1};
        status = aff_catalogue_builder_add(builder, &product);
    }
    if (status == AFF_OK)
        status = aff_catalogue_builder_finish(builder, ret_catalogue);
    aff_catalogue_builder_free(builder);
    return status;
}

static aff_status build_customers(struct aff_customers **ret_customers)
{
    const struct aff_purchase purchase = {.row = 3, .orders = 1, .last_s = 1};
    struct aff_customers_builder *builder = NULL;
    aff_status status = aff_customers_builder_new(&builder);

    if (status == AFF_OK)
        status = aff_customers_builder_add(builder, aff_text_of("ann"), 1, &purchase, 1);
    if (status == AFF_OK)
        status = aff_customers_builder_finish(builder, ret_customers);
    aff_customers_builder_free(builder);
    return status;
}

static aff_status build_rows(struct aff_neighbours **ret_neighbours)
{
    struct aff_row *row;
    struct aff_neighbour *entries;
    struct aff_pair_counts *counts;
    aff_status status = aff_neighbours_new(12, ret_neighbours);

    if (status == AFF_OK)
        status = aff_row_new(1, &row, &entries, &counts);
    if (status != AFF_OK)
        return status;
    entries[0] = (struct aff_neighbour){.row = 1, .score = 1};
    counts[0] = (struct aff_pair_counts){.orders = 1};
    aff_neighbours_set(*ret_neighbours, 0, row);
    return AFF_OK;
}

static aff_status answer_once(const struct aff_model *model, struct aff_answer *answer)
{
    const struct aff_cart_line line = {.product = aff_text_of("a"), .quantity = 1};
    const struct aff_request request = {
        .cart = &line, .n_cart = 1, .limit = 5, .price_min = AFF_NO_MONEY, .price_max = AFF_NO_MONEY};
    const struct aff_blend blend = aff_blend_default();
    struct aff_workspace *workspace = NULL;
    aff_status status = aff_workspace_new(&workspace);

    if (status == AFF_OK)
        status = aff_recommend(model, &blend, workspace, &request, answer);
    /* What failed for want of memory works as soon as there is some. */
    if (status == AFF_NOMEM && workspace != NULL) {
        left = -1;
        if (aff_recommend(model, &blend, workspace, &request, answer) != AFF_OK)
            status = AFF_DATA;
    }
    aff_workspace_free(workspace);
    return status;
}

/* A batch with something of each kind. */
static aff_status change(struct aff_slot *slot)
{
    const struct aff_product added = {
        .key = 77, .id = aff_text_of("new"), .category = aff_text_of("new category"), .price = 1};
    const struct aff_product_counts counts = {.orders = 3, .weight = 3 << 20};
    const struct aff_update_neighbour neighbours[] = {{.product = 77, .score = 2},
                                                      {.product = 1, .score = 1}};
    const struct aff_update_purchase purchase = {77, 1, 1, 1};
    struct aff_update *update = NULL;
    aff_status status = aff_update_begin(slot, &update);

    if (status == AFF_OK)
        status = aff_update_product(update, &added);
    for (int32_t key = 0; status == AFF_OK && key < 12; key++)
        status = aff_update_product_counts(update, key, &counts);
    if (status == AFF_OK)
        status = aff_update_row(update, AFF_RELATION_TOGETHER, 0, neighbours, 2);
    if (status == AFF_OK)
        status = aff_update_customer(update, aff_text_of("bob"), 1, &purchase, 1);
    if (status == AFF_OK)
        status = aff_update_popularity(update);
    if (status == AFF_OK)
        aff_update_publish(update);
    else
        aff_update_drop(update);
    return status;
}

/* Puts the model that comes back from a file into the slot. */
static aff_status go_through_a_file(struct aff_slot *slot)
{
    const struct aff_snapshot_options options = {.n_threads = 1};
    struct aff_model *model = NULL;
    char path[64];

    (void)snprintf(path, sizeof path, "/tmp/aff_memory_%ld.snapshot", (long)getpid());
    aff_reader_enter();
    aff_status status = aff_snapshot_write(slot, path, NULL, NULL, NULL);
    aff_reader_leave();
    if (status != AFF_OK)
        return status;
    status = aff_snapshot_open(path, &options, &model, NULL, NULL);
    (void)unlink(path);
    if (status == AFF_OK)
        aff_slot_publish(slot, model);
    return status;
}

/* From an empty process to an answer through a slot, a file and a batch. */
static aff_status do_everything(struct aff_answer *answer)
{
    struct aff_slot *slot = NULL;
    struct aff_model *model = calloc(1, sizeof *model);
    aff_status status = model == NULL ? AFF_NOMEM : build_catalogue(&model->catalogue);

    if (status == AFF_OK)
        status = build_customers(&model->customers);
    if (status == AFF_OK)
        status = build_rows(&model->together);
    if (status == AFF_OK)
        status = build_rows(&model->next);
    if (status == AFF_OK)
        status = aff_slot_new(&slot);
    if (status == AFF_OK) {
        aff_slot_publish(slot, model);
        model = NULL; /* now the slot's */
        status = go_through_a_file(slot);
    }
    if (status == AFF_OK)
        status = change(slot);
    if (status == AFF_OK)
        status = answer_once(aff_slot_model(slot), answer);
    aff_model_free(model);
    aff_slot_free(slot);
    return status;
}

static void memory_is_out_at_each_allocation(void **state)
{
    struct aff_answer *answer = malloc(sizeof *answer);
    long allocations = 0;
    aff_status status;

    (void)state;
    assert_non_null(answer);
    do {
        long before = held;
        left = allocations;
        status = do_everything(answer);
        left = -1;
        assert_int_equal(held, before);
        assert_true(status == AFF_OK || status == AFF_NOMEM);
        allocations++;
    } while (status != AFF_OK);
    assert_true(allocations > 80);
    assert_int_equal(answer->n_items, 5);
    free(answer);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_out_at_each_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
