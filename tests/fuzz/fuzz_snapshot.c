/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a snapshot of any bytes: it is refused, or gives a model that answers and can be changed. The
 * checksums would stop nearly every change at the door, so that most inputs are sealed anew and the checks
 * behind them have to hold.
 *
 * The first byte of an input says what the rest is: with bit 0 edits of a good file (two bytes of position,
 * one byte of value), else a file; with bit 1 it is sealed anew. */
#include "core/index/snapshot_format.h"
#include "core/index/update.h"
#include "core/recommend/recommend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PRODUCTS = 6, FILE_MAX = 32768 };

static void must(aff_status status)
{
    if (status != AFF_OK)
        abort();
}

static struct aff_catalogue *make_catalogue(void)
{
    static const char *const ids[PRODUCTS] = {"a", "b", "c", "d", "e", "f"};
    static const char *const categories[PRODUCTS] = {"X > Y", "X > Y", "X", "", "X > Y", "Z"};
    const struct aff_attribute attributes[] = {{aff_text_of("colour"), aff_text_of("red")},
                                               {aff_text_of("size"), aff_text_of("L")}};
    struct aff_catalogue_builder *builder;
    struct aff_catalogue *catalogue;

    must(aff_catalogue_builder_new(&builder));
    for (int32_t i = 0; i < PRODUCTS; i++) {
        struct aff_product product = {.key = i + 1,
                                      .id = aff_text_of(ids[i]),
                                      .name = aff_text_of("red cup"),
                                      .category = aff_text_of(categories[i]),
                                      .brand = aff_text_of("Aster"),
                                      .price = 100 + i,
                                      .stock = AFF_NO_STOCK,
                                      .available = true,
                                      .durable = i == 3,
                                      .attributes = attributes,
                                      .n_attributes = (uint32_t)i % 3,
                                      .orders = (uint32_t)i,
                                      .weight = (int64_t)i << 20};
        must(aff_catalogue_builder_add(builder, &product));
    }
    must(aff_catalogue_builder_finish(builder, &catalogue));
    aff_catalogue_builder_free(builder);
    return catalogue;
}

static struct aff_neighbours *make_rows(void)
{
    struct aff_neighbours *table;

    must(aff_neighbours_new(PRODUCTS, &table));
    for (uint32_t i = 0; i + 1 < PRODUCTS; i++) {
        struct aff_row *row;
        struct aff_neighbour *entries;
        struct aff_pair_counts *counts;
        must(aff_row_new(2, &row, &entries, &counts));
        for (uint32_t j = 0; j < 2; j++) {
            entries[j] =
                (struct aff_neighbour){.row = (i + j + 1) % PRODUCTS, .score = 1.0f / (float)(j + 1)};
            counts[j] = (struct aff_pair_counts){.orders = 3 + j, .weight = 1 << 20};
        }
        aff_neighbours_set(table, i, row);
    }
    return table;
}

static struct aff_sequences *make_sequences(void)
{
    static const uint32_t rows[] = {0, 2, 1, 0, 4, 5, 3};
    struct aff_sequences_builder *builder;
    struct aff_sequences *sequences;

    must(aff_sequences_builder_new(&builder));
    for (uint32_t s = 0; s < 6; s++)
        must(aff_sequences_builder_add(builder, rows + s % 4, 1 + s % 4, 1000 * s));
    must(aff_sequences_builder_finish(builder, PRODUCTS, 3, &sequences));
    aff_sequences_builder_free(builder);
    return sequences;
}

static struct aff_traces *make_traces(void)
{
    struct aff_sequences *sequences = make_sequences();
    struct aff_traces *traces = calloc(1, sizeof *traces);

    if (traces == NULL)
        abort();
    must(aff_traces_learn_views(traces, sequences));
    must(aff_traces_learn_baskets(traces, sequences, 9000));
    aff_sequences_free(sequences);
    return traces;
}

static struct aff_model *make_model(void)
{
    const struct aff_purchase purchases[] = {{2, 3, 100, 900}, {1, 1, 800, 800}};
    struct aff_model *model = calloc(1, sizeof *model);
    struct aff_customers_builder *builder;

    if (model == NULL)
        abort();
    (void)snprintf(model->store, sizeof model->store, "shop");
    model->totals.orders = 50;
    model->catalogue = make_catalogue();
    must(aff_customers_builder_new(&builder));
    must(aff_customers_builder_add(builder, aff_text_of("ann"), 4, purchases, 2));
    must(aff_customers_builder_add(builder, aff_text_of("bob"), 0, NULL, 0));
    must(aff_customers_builder_finish(builder, &model->customers));
    aff_customers_builder_free(builder);
    model->together = make_rows();
    model->next = make_rows();
    model->viewed = make_rows();
    model->traces = make_traces();
    model->fitted.given[AFF_SITUATION_CART] = true;
    model->fitted.of[AFF_SITUATION_CART].affinity = 1;
    return model;
}

/* A good file, made once. */
static size_t good_file(unsigned char ret_file[FILE_MAX])
{
    static unsigned char file[FILE_MAX];
    static size_t size;
    char path[64];
    struct aff_error error;
    struct aff_slot *slot;

    if (size == 0) {
        (void)snprintf(path, sizeof path, "/tmp/aff_fuzz_%ld.snapshot", (long)getpid());
        must(aff_slot_new(&slot));
        aff_slot_publish(slot, make_model());
        aff_reader_enter();
        must(aff_snapshot_write(slot, path, NULL, NULL, &error));
        aff_reader_leave();
        aff_slot_free(slot);
        FILE *stream = fopen(path, "rb");
        if (stream == NULL)
            abort();
        size = fread(file, 1, sizeof file, stream);
        (void)fclose(stream);
        (void)unlink(path);
    }
    memcpy(ret_file, file, size);
    return size;
}

/* Makes all checksums right, where the head says that there are as many as the file has room for. */
static void seal(unsigned char *file, size_t size)
{
    struct aff_snapshot_head head;

    if (size < AFF_SNAPSHOT_HEAD)
        return;
    memcpy(&head, file, sizeof head);
    if (head.checksums >= AFF_SNAPSHOT_HEAD && head.checksums <= size && head.n_blocks == 1 &&
        size - head.checksums >= sizeof(struct aff_checksum)) {
        struct aff_checksum sum =
            aff_checksum_of(file + AFF_SNAPSHOT_HEAD, head.checksums - AFF_SNAPSHOT_HEAD);
        memcpy(file + head.checksums, &sum, sizeof sum);
        head.blocks = aff_checksum_of(&sum, sizeof sum);
    }
    aff_snapshot_seal(&head, (char *)file);
}

static size_t make_file(const uint8_t *data, size_t size, unsigned char file[FILE_MAX])
{
    const bool edits = (data[0] & 1) != 0, sealed = (data[0] & 2) != 0;
    size_t n = size - 1 < FILE_MAX ? size - 1 : FILE_MAX;

    if (edits) {
        n = good_file(file);
        for (size_t i = 1; i + 2 < size; i += 3)
            file[(data[i] | (size_t)data[i + 1] << 8) % n] = data[i + 2];
    } else {
        memcpy(file, data + 1, n);
    }
    if (sealed)
        seal(file, n);
    return n;
}

/* With every source on, so that all that the file holds is looked at. */
static struct aff_blend all_on(void)
{
    struct aff_blend blend = aff_blend_default();

    for (int situation = 0; situation < AFF_SITUATION_MAX; situation++)
        for (int weight = 0; weight < AFF_WEIGHT_MAX; weight++)
            *aff_weights_at(&blend.of[situation], weight) = 0.5;
    return blend;
}

static void answer(const struct aff_model *model, enum aff_as as)
{
    const struct aff_cart_line lines[] = {{aff_text_of("a"), 1, AFF_NO_MONEY},
                                          {aff_text_of("c"), 1, AFF_NO_MONEY}};
    const struct aff_blend blend = all_on();
    struct aff_request request = {.cart = lines,
                                  .as = as,
                                  .n_cart = 2,
                                  .customer = aff_text_of("ann"),
                                  .limit = 10,
                                  .kinds = 7,
                                  .explain = AFF_EXPLAIN_FULL,
                                  .diversity = 0.5,
                                  .price_min = AFF_NO_MONEY,
                                  .price_max = AFF_NO_MONEY};
    struct aff_workspace *workspace;
    struct aff_answer *answer = malloc(sizeof *answer);

    if (answer == NULL)
        abort();
    must(aff_workspace_new(&workspace));
    must(aff_recommend(model, &blend, workspace, &request, answer));
    for (uint32_t i = 0; i < answer->n_items; i++)
        assert(aff_catalogue_product(model->catalogue, answer->items[i].row)->id.size > 0);
    aff_workspace_free(workspace);
    free(answer);
}

static void change(struct aff_slot *slot)
{
    const struct aff_update_neighbour neighbour = {.product = 2, .score = 1};
    const struct aff_product product = {
        .key = 99, .id = aff_text_of("new"), .category = aff_text_of("X > N")};
    struct aff_update *update;

    must(aff_update_begin(slot, &update));
    (void)!aff_update_product(update, &product);
    (void)!aff_update_row(update, AFF_RELATION_TOGETHER, 1, &neighbour, 1);
    (void)!aff_update_customer(update, aff_text_of("ann"), 1, NULL, 0);
    must(aff_update_popularity(update));
    aff_update_publish(update);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char file[FILE_MAX];
    const struct aff_snapshot_options options = {.n_threads = 1};
    struct aff_model *model;
    struct aff_slot *slot;
    struct aff_error error = {0};
    char path[64];

    if (size == 0)
        return 0;
    size_t n = make_file(data, size, file);
    int fd = memfd_create("snapshot", MFD_CLOEXEC);
    if (fd < 0 || write(fd, file, n) != (ssize_t)n)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    aff_status status = aff_snapshot_open(path, &options, &model, NULL, &error);
    (void)close(fd);
    if (status != AFF_OK) {
        assert(error.text[0] != '\0' && (status == AFF_DATA || status == AFF_NOMEM));
        return 0;
    }
    must(aff_slot_new(&slot));
    aff_slot_publish(slot, model);
    answer(model, AFF_AS_ADDED);
    change(slot);
    answer(aff_slot_model(slot), AFF_AS_VIEWS);
    aff_slot_free(slot);
    return 0;
}
