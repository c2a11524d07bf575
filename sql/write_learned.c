/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/write_learned.h"

#include "core/intake/line.h"
#include "core/learn/gap.h"
#include "core/learn/history.h"

#include <stdlib.h>

/* Arrays of one neighbour row in the shape of its columns, one set a thread. */
struct columns {
    int32_t *others, *orders, *discounted;
    float *scores, *gap_days, *season_expected, *season_z;
    int64_t *weights, *revenues, *margins;
    struct aff_neighbour *neighbours; /* `next`: where its row is made */
    struct aff_pair_counts *counts;
    unsigned char *gaps; /* stored histogram of one pair */
    uint64_t rows, edges;
};

/* Months of one product as the column holds them. */
struct month_space {
    int32_t *months;
    uint32_t capacity;
};

struct sink {
    struct aff_write *write;
    const struct aff_pairs *pairs;
    const struct aff_next *next;
    struct columns *columns;
};

/* Has the server throw away what the lanes have written; what went wrong before is what is reported. */
static void drop(struct aff_lane *lanes, int n)
{
    aff_status ignored = aff_lanes_finish(lanes, n, true, NULL, NULL);
    (void)ignored;
}

static aff_status begin(struct aff_write *write, struct aff_lane *lanes, int n, const char *table)
{
    aff_status status = aff_lanes_begin(lanes, n, table, write->store, write->reterr);

    if (status != AFF_OK)
        drop(lanes, n);
    return status;
}

static bool is_lost(const struct aff_lane *lanes, int n)
{
    for (int i = 0; i < n; i++)
        if (lanes[i].writer.status != AFF_OK)
            return true;
    return false;
}

static uint64_t rows_of(const struct aff_lane *lanes, int n)
{
    uint64_t rows = 0;

    for (int i = 0; i < n; i++)
        rows += lanes[i].writer.rows;
    return rows;
}

/* Ends the lanes' writing after the work came to `status`. A lane that was lost makes the work fail with
 * AFF_BACKEND or AFF_NOMEM, and says more about it when it is ended than the status does. */
static aff_status end(struct aff_write *write, struct aff_lane *lanes, int n, aff_status status)
{
    if (status == AFF_OK || is_lost(lanes, n))
        return aff_lanes_finish(lanes, n, false, NULL, write->reterr);
    drop(lanes, n);
    return aff_error_set(write->reterr, status, "%s", aff_status_text(status));
}

static void drop_columns(struct columns *columns, int n)
{
    for (int i = 0; columns != NULL && i < n; i++) {
        free(columns[i].others);
        free(columns[i].orders);
        free(columns[i].discounted);
        free(columns[i].scores);
        free(columns[i].gap_days);
        free(columns[i].season_expected);
        free(columns[i].season_z);
        free(columns[i].weights);
        free(columns[i].revenues);
        free(columns[i].margins);
        free(columns[i].neighbours);
        free(columns[i].counts);
        free(columns[i].gaps);
    }
    free(columns);
}

static struct columns *make_columns(int n_threads, size_t n)
{
    struct columns *all = calloc((size_t)n_threads, sizeof *all);

    for (int i = 0; all != NULL && i < n_threads; i++) {
        struct columns *columns = &all[i];
        columns->others = malloc(n * sizeof *columns->others);
        columns->orders = malloc(n * sizeof *columns->orders);
        columns->discounted = malloc(n * sizeof *columns->discounted);
        columns->scores = malloc(n * sizeof *columns->scores);
        columns->gap_days = malloc(n * sizeof *columns->gap_days);
        columns->season_expected = malloc(n * sizeof *columns->season_expected);
        columns->season_z = malloc(n * sizeof *columns->season_z);
        columns->weights = malloc(n * sizeof *columns->weights);
        columns->revenues = malloc(n * sizeof *columns->revenues);
        columns->margins = malloc(n * sizeof *columns->margins);
        columns->neighbours = malloc(n * sizeof *columns->neighbours);
        columns->counts = malloc(n * sizeof *columns->counts);
        columns->gaps = malloc((size_t)AFF_GAP_BUCKETS * AFF_GAP_ENTRY_BYTES);
        if (columns->others == NULL || columns->orders == NULL || columns->discounted == NULL ||
            columns->scores == NULL || columns->gap_days == NULL || columns->season_expected == NULL ||
            columns->season_z == NULL || columns->weights == NULL || columns->revenues == NULL ||
            columns->margins == NULL || columns->neighbours == NULL || columns->counts == NULL ||
            columns->gaps == NULL) {
            drop_columns(all, n_threads);
            return NULL;
        }
    }
    return all;
}

aff_status aff_write_stats(struct aff_write *write, const struct aff_pairs *pairs)
{
    struct aff_copy_writer *writer = &write->lanes[0].writer;
    aff_status status = begin(write, write->lanes, 1, "product_stat");

    if (status != AFF_OK)
        return status;
    for (uint32_t row = 0; row < pairs->n_products; row++) {
        const struct aff_product_stat *stat = &pairs->stats[row];
        if (stat->orders == 0)
            continue; /* only in baskets before the window, or always cut off by the cap */
        aff_copy_row(writer, 9);
        aff_copy_put_int32(writer, write->store);
        aff_copy_put_int32(writer, stat->product);
        aff_copy_put_int32(writer, (int32_t)stat->orders);
        aff_copy_put_int64(writer, stat->weight);
        aff_copy_put_int64(writer, stat->revenue);
        aff_copy_put_int64(writer, stat->margin);
        aff_copy_put_int32(writer, (int32_t)stat->discounted);
        aff_copy_put_time(writer, stat->last_at_us);
        if (write->costs[row] == AFF_COST_UNKNOWN)
            aff_copy_put_null(writer);
        else
            aff_copy_put_int64(writer, write->costs[row]);
    }
    write->counts.products = rows_of(write->lanes, 1);
    return end(write, write->lanes, 1, AFF_OK);
}

/* One row of affinity.product_month; nothing for a product without baskets. */
static aff_status put_months(struct aff_write *write, int32_t product, struct aff_month_row row,
                             struct month_space *space)
{
    struct aff_copy_writer *writer = &write->lanes[0].writer;

    if (row.n == 0)
        return writer->status;
    if (row.n > space->capacity) {
        int32_t *months = realloc(space->months, row.n * 2 * sizeof *months);
        if (months == NULL)
            return AFF_NOMEM;
        space->months = months;
        space->capacity = row.n * 2;
    }
    for (uint32_t i = 0; i < row.n; i++)
        space->months[i] = row.months[i];
    aff_copy_row(writer, 4);
    aff_copy_put_int32(writer, write->store);
    aff_copy_put_int32(writer, product);
    aff_copy_put_int32s(writer, space->months, row.n);
    aff_copy_put_int32s(writer, row.orders, row.n);
    return writer->status;
}

aff_status aff_write_months(struct aff_write *write, const struct aff_pairs *pairs)
{
    struct month_space space = {0};
    aff_status status = begin(write, write->lanes, 1, "product_month");

    if (status != AFF_OK)
        return status;
    status = put_months(write, AFF_EVERY_PRODUCT, aff_months_all(pairs->months), &space);
    for (uint32_t row = 0; row < pairs->n_products && status == AFF_OK; row++)
        status = put_months(write, pairs->stats[row].product, aff_months_row(pairs->months, row), &space);
    free(space.months);
    return end(write, write->lanes, 1, status);
}

static aff_status write_pairs(void *context, int thread, uint32_t from, uint32_t to)
{
    const struct sink *sink = context;
    struct aff_copy_writer *writer = &sink->write->lanes[thread].writer;
    const struct aff_pairs *pairs = sink->pairs;

    for (uint32_t a = from; a < to; a++)
        for (uint32_t i = 0; i < pairs->rows[a].n; i++) {
            const struct aff_pair *pair = &pairs->rows[a].pairs[i];
            aff_copy_row(writer, 10);
            aff_copy_put_int32(writer, sink->write->store);
            aff_copy_put_int32(writer, pairs->stats[a].product);
            aff_copy_put_int32(writer, pairs->stats[pairs->rows[a].others[i]].product);
            aff_copy_put_int32(writer, (int32_t)pair->orders);
            aff_copy_put_int64(writer, pair->weight);
            aff_copy_put_int64(writer, pair->revenue_a);
            aff_copy_put_int64(writer, pair->revenue_b);
            aff_copy_put_int64(writer, pair->margin_a);
            aff_copy_put_int64(writer, pair->margin_b);
            aff_copy_put_int32(writer, (int32_t)pair->discounted);
        }
    return writer->status;
}

aff_status aff_write_pairs(struct aff_write *write, const struct aff_pairs *pairs)
{
    enum { CHUNK = 64 };
    struct sink sink = {.write = write, .pairs = pairs};
    aff_status status = begin(write, write->lanes, write->n_threads, "pair_together");

    if (status != AFF_OK)
        return status;
    status = aff_parallel_run(write->n_threads, pairs->n_products, CHUNK, write_pairs, &sink, write->watch);
    write->counts.pairs = rows_of(write->lanes, write->n_threads);
    return end(write, write->lanes, write->n_threads, status);
}

/* One row of affinity.neighbour. `next` rows have gaps, the others what the season explains. */
static aff_status put_row(const struct sink *sink, int thread, enum aff_relation relation, uint32_t a,
                          float residual, const struct aff_neighbour *neighbours,
                          const struct aff_pair_counts *counts, uint32_t n)
{
    struct aff_copy_writer *writer = &sink->write->row_lanes[thread].writer;
    const int32_t *products = sink->write->baskets->products;
    struct columns *columns = &sink->columns[thread];
    bool is_next = relation == AFF_RELATION_NEXT;

    for (uint32_t i = 0; i < n; i++) {
        columns->others[i] = products[neighbours[i].row];
        columns->scores[i] = neighbours[i].score;
        columns->orders[i] = (int32_t)counts[i].orders;
        columns->weights[i] = counts[i].weight;
        columns->revenues[i] = counts[i].revenue;
        columns->margins[i] = counts[i].margin;
        columns->discounted[i] = (int32_t)counts[i].discounted;
        columns->gap_days[i] = is_next ? counts[i].gap_days : 0;
        columns->season_expected[i] = counts[i].season_expected;
        columns->season_z[i] = is_next ? 0 : counts[i].season_z;
    }
    aff_copy_row(writer, 14);
    aff_copy_put_int32(writer, sink->write->store);
    aff_copy_put_int16(writer, (int16_t)relation);
    aff_copy_put_int32(writer, products[a]);
    aff_copy_put_int32s(writer, columns->others, n);
    aff_copy_put_floats(writer, columns->scores, n);
    aff_copy_put_int32s(writer, columns->orders, n);
    aff_copy_put_int64s(writer, columns->weights, n);
    aff_copy_put_int64s(writer, columns->revenues, n);
    aff_copy_put_int64s(writer, columns->margins, n);
    aff_copy_put_int32s(writer, columns->discounted, n);
    aff_copy_put_floats(writer, columns->gap_days, is_next ? n : 0);
    aff_copy_put_float(writer, residual);
    aff_copy_put_floats(writer, columns->season_expected, is_next ? 0 : n);
    aff_copy_put_floats(writer, columns->season_z, is_next ? 0 : n);
    columns->rows++;
    columns->edges += n;
    return writer->status;
}

static void add_counts(struct aff_write *write, const struct columns *columns)
{
    for (int i = 0; i < write->n_threads; i++) {
        write->counts.rows += columns[i].rows;
        write->counts.neighbours += columns[i].edges;
    }
}

static aff_status take_together(void *context, int thread, uint32_t a, float residual,
                                const struct aff_neighbour *neighbours, const struct aff_pair_counts *counts,
                                uint32_t n)
{
    if (n == 0)
        return AFF_OK;
    return put_row(context, thread, AFF_RELATION_TOGETHER, a, residual, neighbours, counts, n);
}

aff_status aff_write_together_rows(struct aff_write *write, const struct aff_pairs *pairs)
{
    struct sink sink = {.write = write,
                        .pairs = pairs,
                        .columns = make_columns(write->n_threads, write->settings->neighbours)};

    if (sink.columns == NULL)
        return aff_error_set(write->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_status status = begin(write, write->row_lanes, write->n_threads, "neighbour");
    if (status == AFF_OK) {
        status = aff_rows_build(pairs, write->settings, write->n_threads, write->watch, take_together, &sink);
        status = end(write, write->row_lanes, write->n_threads, status);
    }
    add_counts(write, sink.columns);
    drop_columns(sink.columns, write->n_threads);
    return status;
}

static aff_status take_next(void *context, int thread, uint32_t a, const struct aff_next_pair *pairs,
                            uint32_t n)
{
    const struct sink *sink = context;
    struct columns *columns = &sink->columns[thread];
    struct aff_copy_writer *writer = &sink->write->lanes[thread].writer;
    const int32_t *products = sink->write->baskets->products;
    struct aff_next_row_settings settings = {sink->write->settings->neighbours,
                                             sink->write->settings->floors};
    uint32_t kept;

    for (uint32_t i = 0; i < n; i++) {
        size_t size = aff_gap_write(pairs[i].gaps, pairs[i].orders, columns->gaps);
        aff_copy_row(writer, 6);
        aff_copy_put_int32(writer, sink->write->store);
        aff_copy_put_int32(writer, products[a]);
        aff_copy_put_int32(writer, products[pairs[i].b]);
        aff_copy_put_int32(writer, (int32_t)pairs[i].orders);
        aff_copy_put_int64(writer, pairs[i].weight);
        aff_copy_put_bytes(writer, columns->gaps, size);
    }
    if (writer->status != AFF_OK)
        return writer->status;
    aff_status status =
        aff_next_row(sink->next, a, pairs, n, &settings, columns->neighbours, columns->counts, &kept);
    if (status != AFF_OK || kept == 0)
        return status;
    return put_row(sink, thread, AFF_RELATION_NEXT, a, 0, columns->neighbours, columns->counts, kept);
}

/* With pair_next begun. */
static aff_status write_next(struct aff_write *write, const struct aff_next *next, struct sink *sink)
{
    int n = write->n_threads;
    aff_status status = begin(write, write->row_lanes, n, "neighbour");

    if (status == AFF_OK) {
        status = aff_next_count(next, n, write->watch, take_next, sink);
        write->counts.next_pairs = rows_of(write->lanes, n);
        status = end(write, write->row_lanes, n, status);
    }
    if (status == AFF_OK || is_lost(write->lanes, n))
        return end(write, write->lanes, n, status);
    drop(write->lanes, n);
    return status;
}

aff_status aff_write_next(struct aff_write *write, const struct aff_next *next)
{
    struct sink sink = {
        .write = write, .next = next, .columns = make_columns(write->n_threads, write->settings->neighbours)};

    if (sink.columns == NULL)
        return aff_error_set(write->reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_status status = begin(write, write->lanes, write->n_threads, "pair_next");
    if (status == AFF_OK)
        status = write_next(write, next, &sink);
    add_counts(write, sink.columns);
    drop_columns(sink.columns, write->n_threads);
    return status;
}

aff_status aff_write_next_stats(struct aff_write *write, const struct aff_next *next)
{
    struct aff_copy_writer *writer = &write->lanes[0].writer;
    aff_status status = begin(write, write->lanes, 1, "next_stat");

    if (status != AFF_OK)
        return status;
    for (uint32_t row = 0; row < write->baskets->n_products; row++) {
        const struct aff_next_stat *stat = &next->stats[row];
        if (stat->firsts == 0 && stat->seconds == 0)
            continue;
        aff_copy_row(writer, 5);
        aff_copy_put_int32(writer, write->store);
        aff_copy_put_int32(writer, write->baskets->products[row]);
        aff_copy_put_int32(writer, (int32_t)stat->firsts);
        aff_copy_put_int32(writer, (int32_t)stat->seconds);
        aff_copy_put_int64(writer, stat->firsts_weight);
    }
    return end(write, write->lanes, 1, AFF_OK);
}

static aff_status take_history(void *context, int thread, const struct aff_customer_history *history)
{
    const struct sink *sink = context;
    struct aff_copy_writer *writer = &sink->write->lanes[thread].writer;
    uint32_t n = history->orders > AFF_HISTORY_ORDERS ? 0 : history->n;

    aff_copy_row(writer, 8);
    aff_copy_put_int32(writer, sink->write->store);
    aff_copy_put_int64(writer, history->customer);
    aff_copy_put_int32(writer, (int32_t)history->orders);
    aff_copy_put_time(writer, history->last_at_us);
    aff_copy_put_int32s(writer, history->products, n);
    aff_copy_put_int32s(writer, history->counts, n);
    aff_copy_put_times(writer, history->first_at_us, n);
    aff_copy_put_times(writer, history->last_at_us_of, n);
    return writer->status;
}

aff_status aff_write_histories(struct aff_write *write)
{
    struct sink sink = {.write = write};
    aff_status status = begin(write, write->lanes, write->n_threads, "customer_history");

    if (status != AFF_OK)
        return status;
    status = aff_history_build(write->baskets, AFF_HISTORY_LIMIT, write->n_threads, write->watch,
                               take_history, &sink);
    write->counts.customers = rows_of(write->lanes, write->n_threads);
    return end(write, write->lanes, write->n_threads, status);
}
