/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/clock.h"
#include "core/catalogue/frozen.h"
#include "core/customer/frozen.h"
#include "core/index/mapping.h"
#include "core/index/snapshot_items.h"
#include "core/index/snapshot_traces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Work that several threads take on, one piece after the other: first the three longest that cannot be split,
 * then the blocks of the file. */
enum { TASK_CATALOGUE, TASK_CUSTOMERS, TASK_TRACES, TASK_BLOCKS };

/* Blocks that are read into memory at once. */
enum { BLOCKS_A_LOAD = 8 };

struct opening {
    const char *path;
    const struct aff_snapshot_options *options;
    struct aff_mapping *mapping;
    struct aff_snapshot_file file;
    struct aff_model *model;
    pthread_mutex_t lock;   /* of error */
    struct aff_error error; /* the first */
};

/* Notes what is wrong, if it is the first that is found, and gives `status`. */
static AFF_PRINTF(3, 4) aff_status fail(struct opening *opening, aff_status status, const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)pthread_mutex_lock(&opening->lock);
    if (opening->error.status == AFF_OK)
        (void)aff_error_set(&opening->error, status, "snapshot '%s': %s", opening->path, text);
    (void)pthread_mutex_unlock(&opening->lock);
    return status;
}

static const struct aff_snapshot_place *part_of(const struct opening *opening, enum aff_snapshot_part part)
{
    return &opening->file.head.parts[part];
}

static aff_status read_categories(struct opening *opening, struct aff_text *paths)
{
    for (uint32_t i = 0; i < part_of(opening, AFF_SNAPSHOT_CATEGORIES)->n; i++)
        if (aff_snapshot_read_category(&opening->file, i, &paths[i]) != AFF_OK)
            return fail(opening, AFF_DATA, "category %" PRIu32 " is damaged", i);
    return AFF_OK;
}

static aff_status read_products(struct opening *opening, struct aff_product *records,
                                struct aff_attribute *attributes)
{
    for (uint32_t i = 0; i < part_of(opening, AFF_SNAPSHOT_PRODUCTS)->n; i++)
        if (aff_snapshot_read_product(&opening->file, i, attributes, &records[i]) != AFF_OK)
            return fail(opening, AFF_DATA, "product %" PRIu32 " is damaged", i);
    return AFF_OK;
}

static aff_status open_catalogue(struct opening *opening)
{
    const struct aff_snapshot_place *products = part_of(opening, AFF_SNAPSHOT_PRODUCTS);
    const uint32_t n_categories = (uint32_t)part_of(opening, AFF_SNAPSHOT_CATEGORIES)->n;
    /* One more of each, so that no allocation has 0 bytes. */
    const size_t bytes =
        (products->n + 1) * sizeof(struct aff_product) + products->n_entries * sizeof(struct aff_attribute);
    struct aff_product *records = malloc(bytes);
    struct aff_text *paths = malloc(((size_t)n_categories + 1) * sizeof *paths);
    aff_status status = records == NULL || paths == NULL ? AFF_NOMEM : read_categories(opening, paths);

    if (status == AFF_OK)
        status = read_products(opening, records, (void *)(records + products->n + 1));
    if (status == AFF_OK) {
        const struct aff_frozen_products frozen = {.records = records,
                                                   .n = (uint32_t)products->n,
                                                   .n_categories = n_categories,
                                                   .bytes = bytes,
                                                   .categories = paths,
                                                   .borrowed = opening->mapping->at,
                                                   .borrowed_bytes = opening->mapping->size};
        records = NULL;
        status = aff_catalogue_freeze(&frozen, &opening->model->catalogue);
        if (status == AFF_DATA)
            (void)fail(opening, status, "an id, a key or a category of its products is wrong or comes twice");
    }
    free(records);
    free(paths);
    return status;
}

static aff_status open_customers(struct opening *opening)
{
    const struct aff_snapshot_place *part = part_of(opening, AFF_SNAPSHOT_CUSTOMERS);

    for (uint32_t i = 0; i < part->n; i++)
        if (aff_snapshot_check_customer(&opening->file, i) != AFF_OK)
            return fail(opening, AFF_DATA, "customer %" PRIu32 " is damaged", i);
    aff_status status =
        aff_customers_freeze(opening->mapping->at, opening->mapping->size,
                             (const uint64_t *)(const void *)(opening->mapping->at + part->positions),
                             (uint32_t)part->n, &opening->model->customers);
    return status == AFF_DATA ? fail(opening, status, "an id of a customer is wrong or comes twice") : status;
}

static aff_status open_traces(struct opening *opening)
{
    aff_status status = aff_snapshot_read_traces(&opening->file, opening->model);

    return status == AFF_DATA ? fail(opening, status, "its sessions and baskets are damaged") : status;
}

static aff_status open_rows(struct opening *opening, enum aff_snapshot_part part,
                            struct aff_neighbours *table, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        struct aff_row *row;
        if (aff_snapshot_read_row(&opening->file, part, (uint32_t)i, &row) != AFF_OK)
            return fail(opening, AFF_DATA, "the neighbours of product %" PRIu64 " are damaged", i);
        aff_neighbours_place(table, (uint32_t)i, row);
    }
    return AFF_OK;
}

/* Opens a share of a table's rows with each block that the table begins in or goes on in. The rows are about
 * those that are in the block, so that they come from the cache. */
static aff_status open_rows_of_block(struct opening *opening, enum aff_snapshot_part number,
                                     struct aff_neighbours *table, uint64_t block)
{
    const struct aff_snapshot_place *part = part_of(opening, number);
    const uint64_t first = (part->at - AFF_SNAPSHOT_HEAD) / AFF_SNAPSHOT_BLOCK;
    const uint64_t last = (part->at + part->bytes - AFF_SNAPSHOT_HEAD) / AFF_SNAPSHOT_BLOCK;
    const uint64_t n = last - first + 1;

    if (block < first || block > last)
        return AFF_OK;
    return open_rows(opening, number, table, part->n * (block - first) / n,
                     part->n * (block - first + 1) / n);
}

static aff_status check_block(struct opening *opening, uint64_t number)
{
    const struct aff_snapshot_head *head = &opening->file.head;
    const uint64_t from = AFF_SNAPSHOT_HEAD + number * AFF_SNAPSHOT_BLOCK;
    const uint64_t size =
        head->checksums - from < AFF_SNAPSHOT_BLOCK ? head->checksums - from : AFF_SNAPSHOT_BLOCK;
    const char *expected = opening->mapping->at + head->checksums + number * sizeof(struct aff_checksum);
    struct aff_checksum sum = aff_checksum_of(opening->mapping->at + from, size);

    return memcmp(&sum, expected, sizeof sum) == 0
               ? AFF_OK
               : fail(opening, AFF_DATA, "block %" PRIu64 " does not match its checksum", number);
}

/* There is one turn more than there are blocks: a table may end where the last block does. */
static aff_status open_block(struct opening *opening, uint64_t number)
{
    aff_status status = number < opening->file.head.n_blocks ? check_block(opening, number) : AFF_OK;

    if (status == AFF_OK)
        status = open_rows_of_block(opening, AFF_SNAPSHOT_TOGETHER, opening->model->together, number);
    if (status == AFF_OK)
        status = open_rows_of_block(opening, AFF_SNAPSHOT_NEXT, opening->model->next, number);
    if (status == AFF_OK)
        status = open_rows_of_block(opening, AFF_SNAPSHOT_VIEWED, opening->model->viewed, number);
    return status;
}

static aff_status run_tasks(void *context, int thread, uint32_t from, uint32_t to)
{
    aff_status status = AFF_OK;

    (void)thread;
    for (uint32_t task = from; status == AFF_OK && task < to; task++) {
        if (task == TASK_CATALOGUE)
            status = open_catalogue(context);
        else if (task == TASK_CUSTOMERS)
            status = open_customers(context);
        else if (task == TASK_TRACES)
            status = open_traces(context);
        else
            status = open_block(context, task - TASK_BLOCKS);
    }
    return status;
}

/* Reads pieces of the file into memory. */
static aff_status load_pieces(void *context, int thread, uint32_t from, uint32_t to)
{
    struct opening *opening = context;
    const uint64_t piece = BLOCKS_A_LOAD * AFF_SNAPSHOT_BLOCK, size = opening->mapping->size;

    (void)thread;
    for (uint64_t at = from * piece; at < to * piece && at < size; at += piece) {
        aff_status status = aff_mapping_load(opening->mapping, at, size - at < piece ? size - at : piece);
        if (status != AFF_OK)
            return fail(opening, status, "it cannot be read from byte %" PRIu64 " on", at);
    }
    return AFF_OK;
}

static aff_status make_table(const struct opening *opening, enum aff_snapshot_part number,
                             struct aff_neighbours **ret_table)
{
    const struct aff_snapshot_place *part = part_of(opening, number);
    aff_status status = aff_neighbours_new((uint32_t)part->n, ret_table);

    if (status == AFF_OK)
        aff_neighbours_borrow(*ret_table, opening->mapping->at, opening->mapping->size, part->n_items,
                              part->n_entries);
    return status;
}

/* Bytes of the file that are neither rows and their counts nor sessions and baskets, which are counted where
 * they belong. */
static size_t other_bytes(const struct aff_snapshot_head *head)
{
    uint64_t rows = head->parts[AFF_SNAPSHOT_TRACES].bytes;

    for (int part = AFF_SNAPSHOT_TOGETHER; part <= AFF_SNAPSHOT_VIEWED; part++)
        rows += head->parts[part].bytes;
    return (size_t)(rows < head->file_bytes ? head->file_bytes - rows : 0);
}

static struct aff_model *make_shell(const struct aff_snapshot_head *head)
{
    struct aff_model *model = calloc(1, sizeof *model);

    if (model == NULL)
        return NULL;
    memcpy(model->store, head->store, sizeof model->store);
    memcpy(model->currency, head->currency, sizeof model->currency);
    model->version = head->version;
    model->generation = head->generation;
    model->catalogue_version = head->catalogue_version;
    model->built_at_us = head->built_at_us;
    model->loaded_at_us = aff_clock_now_us();
    model->snapshot_at_us = head->written_at_us;
    model->totals = head->totals;
    return model;
}

/* Makes the parts of the model in the mapping and verifies everything. All of the file is in memory before
 * the first look, so that a disk that cannot read it is a failure of this call and not the end of the
 * process. */
static aff_status make_parts(struct opening *opening)
{
    const struct aff_snapshot_head *head = &opening->file.head;
    const int n_threads = aff_parallel_threads(opening->options->n_threads);
    struct aff_checksum blocks;
    aff_status status = aff_parallel_run(n_threads, (uint32_t)(head->n_blocks / BLOCKS_A_LOAD + 1), 1,
                                         load_pieces, opening, NULL);

    if (status != AFF_OK)
        return status;
    blocks = aff_checksum_of(opening->mapping->at + head->checksums, head->n_blocks * sizeof blocks);
    if (!aff_checksum_equal(&blocks, &head->blocks))
        return fail(opening, AFF_DATA, "its list of checksums is damaged");
    status = make_table(opening, AFF_SNAPSHOT_TOGETHER, &opening->model->together);
    if (status == AFF_OK)
        status = make_table(opening, AFF_SNAPSHOT_NEXT, &opening->model->next);
    if (status == AFF_OK)
        status = make_table(opening, AFF_SNAPSHOT_VIEWED, &opening->model->viewed);
    if (status != AFF_OK)
        return status;
    return aff_parallel_run(n_threads, TASK_BLOCKS + (uint32_t)head->n_blocks + 1, 1, run_tasks, opening,
                            &opening->options->watch);
}

static aff_status check_options(const struct opening *opening, const struct aff_snapshot_info *info,
                                struct aff_error *reterr)
{
    const struct aff_snapshot_options *options = opening->options;

    if (options->store.size > 0 && !aff_text_equal(options->store, aff_text_of(info->store)))
        return aff_error_set(reterr, AFF_DATA, "snapshot '%s': it is of store '%s', not of '%.*s'",
                             opening->path, info->store, (int)options->store.size, options->store.at);
    if (options->memory_limit_bytes > 0 && info->memory_bytes > options->memory_limit_bytes)
        return aff_error_set(
            reterr, AFF_LIMIT,
            "snapshot '%s': it takes %llu MB of memory, and %llu MB are left of what is allowed",
            opening->path, (unsigned long long)(info->memory_bytes >> 20),
            (unsigned long long)(options->memory_limit_bytes >> 20));
    return AFF_OK;
}

static aff_status open_head(const char *path, int *ret_fd, struct aff_snapshot_head *ret_head,
                            struct aff_error *reterr)
{
    char page[AFF_SNAPSHOT_HEAD];
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return aff_error_set(reterr, AFF_IO, "cannot read snapshot '%s': %s", path, strerror(errno));
    ssize_t n = fstat(fd, &about) == 0 ? pread(fd, page, sizeof page, 0) : -1;
    aff_status status;
    if (n < 0)
        status = aff_error_set(reterr, AFF_IO, "cannot read snapshot '%s': %s", path, strerror(errno));
    else if ((size_t)n < sizeof page)
        status = aff_error_set(reterr, AFF_DATA, "snapshot '%s': it is cut or no snapshot file", path);
    else
        status = aff_snapshot_unseal(page, (uint64_t)about.st_size, path, ret_head, reterr);
    if (status == AFF_OK)
        *ret_fd = fd;
    else
        (void)close(fd);
    return status;
}

aff_status aff_snapshot_inspect(const char *path, struct aff_snapshot_info *ret_info,
                                struct aff_error *reterr)
{
    struct aff_snapshot_head head;
    int fd = -1;
    aff_status status = open_head(path, &fd, &head, reterr);

    if (status != AFF_OK)
        return status;
    (void)close(fd);
    *ret_info = aff_snapshot_info_of(&head);
    return AFF_OK;
}

aff_status aff_snapshot_open(const char *path, const struct aff_snapshot_options *options,
                             struct aff_model **ret_model, struct aff_snapshot_info *ret_info,
                             struct aff_error *reterr)
{
    struct opening opening = {.path = path, .options = options, .lock = PTHREAD_MUTEX_INITIALIZER};
    int fd = -1;
    aff_status status = open_head(path, &fd, &opening.file.head, reterr);

    if (status != AFF_OK)
        return status;
    const struct aff_snapshot_info info = aff_snapshot_info_of(&opening.file.head);
    status = check_options(&opening, &info, reterr);
    if (status == AFF_OK)
        status = aff_mapping_new(fd, path, (size_t)info.file_bytes, &opening.mapping, reterr);
    (void)close(fd);
    if (status != AFF_OK)
        return status;
    opening.file.at = opening.mapping->at;
    opening.mapping->other_bytes = other_bytes(&opening.file.head);
    opening.model = make_shell(&opening.file.head);
    if (opening.model == NULL) {
        aff_mapping_free(opening.mapping);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    opening.model->mapping = opening.mapping;
    status = make_parts(&opening);
    if (status != AFF_OK) {
        aff_model_free(opening.model);
        const char *text = opening.error.status != AFF_OK ? opening.error.text : aff_status_text(status);
        return aff_error_set(reterr, status, "%s", text);
    }
    *ret_model = opening.model;
    if (ret_info != NULL)
        *ret_info = info;
    return AFF_OK;
}
