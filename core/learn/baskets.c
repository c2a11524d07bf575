/* SPDX-License-Identifier: Apache-2.0 */
#include "core/learn/baskets.h"

#include "core/base/sort.h"
#include "core/learn/decay.h"

#include <stdlib.h>
#include <string.h>

#define MONEY_MAX (INT64_C(1) << 62)

/* What came in one after another of the same order. */
struct run {
    int64_t order_key, customer, at_us;
    uint32_t first, n; /* its lines */
};

/* Product keys are small numbers with gaps; pages are made for the ranges that occur. */
enum { PAGE_BITS = 12, PAGE_SIZE = 1 << PAGE_BITS, N_PAGES = 1 << (31 - PAGE_BITS) };

struct aff_baskets_builder {
    struct aff_basket_line *lines; /* `row` is the product's key until finish */
    uint32_t n_lines, line_capacity;
    struct run *runs;
    uint32_t n_runs, run_capacity;
    uint32_t *pages[N_PAGES]; /* product key to row; 1 marks a key that occurs, until finish */
    int first_page, end_page; /* of those that there are */
    int64_t revenue, margin;  /* sums, to keep them in bounds */
};

aff_status aff_baskets_builder_new(struct aff_baskets_builder **ret_builder)
{
    struct aff_baskets_builder *builder = calloc(1, sizeof *builder);

    if (builder == NULL)
        return AFF_NOMEM;
    builder->first_page = N_PAGES;
    *ret_builder = builder;
    return AFF_OK;
}

void aff_baskets_builder_free(struct aff_baskets_builder *builder)
{
    if (builder == NULL)
        return;
    for (int i = builder->first_page; i < builder->end_page; i++)
        free(builder->pages[i]);
    free(builder->lines);
    free(builder->runs);
    free(builder);
}

/* The array with room for one more element; NULL if memory is out, the array is then as it was. */
static void *grown(void *array, uint32_t n, uint32_t *capacity, size_t size)
{
    if (n < *capacity)
        return array;
    uint64_t wanted = *capacity == 0 ? 1024 : (uint64_t)*capacity + *capacity / 2;
    if (wanted > UINT32_MAX)
        wanted = UINT32_MAX;
    void *bigger = realloc(array, wanted * size);
    if (bigger != NULL)
        *capacity = (uint32_t)wanted;
    return bigger;
}

static bool mark_product(struct aff_baskets_builder *builder, int32_t product)
{
    int number = product >> PAGE_BITS;
    uint32_t **page = &builder->pages[number];

    if (*page == NULL) {
        *page = calloc(PAGE_SIZE, sizeof **page);
        if (*page == NULL)
            return false;
        if (number < builder->first_page)
            builder->first_page = number;
        if (number >= builder->end_page)
            builder->end_page = number + 1;
    }
    (*page)[product & (PAGE_SIZE - 1)] = 1;
    return true;
}

static bool add_money(int64_t *sum, int64_t value)
{
    return value >= 0 && !__builtin_add_overflow(*sum, value, sum) && *sum < MONEY_MAX;
}

aff_status aff_baskets_builder_add(struct aff_baskets_builder *builder, const struct aff_line *line)
{
    struct run *run = builder->n_runs == 0 ? NULL : &builder->runs[builder->n_runs - 1];

    if (line->product < 0)
        return AFF_DATA;
    if (builder->n_lines == UINT32_MAX - 1 || line->margin == INT64_MIN ||
        !add_money(&builder->revenue, line->revenue) ||
        !add_money(&builder->margin, line->margin < 0 ? -line->margin : line->margin))
        return AFF_LIMIT;
    struct aff_basket_line *lines =
        grown(builder->lines, builder->n_lines, &builder->line_capacity, sizeof *lines);
    if (lines == NULL)
        return AFF_NOMEM;
    builder->lines = lines;
    if (!mark_product(builder, line->product))
        return AFF_NOMEM;
    if (run == NULL || run->order_key != line->order_key || run->at_us != line->at_us ||
        run->customer != line->customer) {
        struct run *runs = grown(builder->runs, builder->n_runs, &builder->run_capacity, sizeof *runs);
        if (runs == NULL)
            return AFF_NOMEM;
        builder->runs = runs;
        run = &builder->runs[builder->n_runs++];
        *run = (struct run){.order_key = line->order_key,
                            .customer = line->customer,
                            .at_us = line->at_us,
                            .first = builder->n_lines};
    }
    run->n++;
    builder->lines[builder->n_lines++] = (struct aff_basket_line){.revenue = line->revenue,
                                                                  .margin = line->margin,
                                                                  .row = (uint32_t)line->product,
                                                                  .discounted = line->discounted ? 1 : 0};
    return AFF_OK;
}

/* ---- finish ---- */

/* An order: some runs that follow one another in `by_key`. */
struct order {
    uint32_t first, n;
    int64_t at_us, customer;
};

struct finish {
    const struct aff_baskets_settings *settings;
    struct aff_baskets_builder *builder;
    struct aff_baskets *baskets;
    struct aff_keyed *by_key;  /* runs by order key */
    struct aff_keyed *by_time; /* orders by time, then order key */
    struct aff_keyed *scratch;
    struct order *orders;
    uint32_t n_orders;
    int64_t *customer_of; /* of each basket */
    struct aff_basket_line *basket;
    uint32_t basket_capacity;
};

/* Numbers the products that occur, by ascending key. */
static aff_status number_products(struct finish *finish)
{
    struct aff_baskets_builder *builder = finish->builder;
    struct aff_baskets *baskets = finish->baskets;
    uint32_t n = 0;

    for (int i = builder->first_page; i < builder->end_page; i++)
        for (int j = 0; builder->pages[i] != NULL && j < PAGE_SIZE; j++)
            n += builder->pages[i][j];
    baskets->n_products = n;
    baskets->products = malloc(((size_t)n + 1) * sizeof *baskets->products);
    if (baskets->products == NULL)
        return AFF_NOMEM;
    n = 0;
    for (int i = builder->first_page; i < builder->end_page; i++)
        for (int j = 0; builder->pages[i] != NULL && j < PAGE_SIZE; j++)
            if (builder->pages[i][j] != 0) {
                baskets->products[n] = i * PAGE_SIZE + j;
                builder->pages[i][j] = n++;
            }
    return AFF_OK;
}

/* Brings the runs of one order together and sorts the orders by time; equal times stay in order of the key.
 */
static aff_status sort_orders(struct finish *finish)
{
    struct aff_baskets_builder *builder = finish->builder;
    size_t n_runs = builder->n_runs;

    if (n_runs > INT32_MAX)
        return AFF_LIMIT; /* the tables count baskets in 32 signed bits */
    finish->by_key = malloc((n_runs + 1) * sizeof *finish->by_key);
    finish->by_time = malloc((n_runs + 1) * sizeof *finish->by_time);
    finish->scratch = malloc((n_runs + 1) * sizeof *finish->scratch);
    finish->orders = calloc(n_runs + 1, sizeof *finish->orders);
    if (finish->by_key == NULL || finish->by_time == NULL || finish->scratch == NULL ||
        finish->orders == NULL)
        return AFF_NOMEM;
    for (uint32_t i = 0; i < n_runs; i++)
        finish->by_key[i] = (struct aff_keyed){aff_sort_signed(builder->runs[i].order_key), i};
    aff_sort_keyed(finish->by_key, n_runs, finish->scratch);
    for (uint32_t i = 0; i < n_runs; i++) {
        const struct run *run = &builder->runs[finish->by_key[i].value];
        struct order *order = &finish->orders[finish->n_orders];
        if (i == 0 || finish->by_key[i].key != finish->by_key[i - 1].key) {
            *order = (struct order){.first = i, .n = 1, .at_us = run->at_us, .customer = run->customer};
            finish->n_orders++;
            continue;
        }
        order--;
        order->n++;
        if (run->at_us < order->at_us)
            order->at_us = run->at_us;
        if (order->customer == AFF_NO_CUSTOMER ||
            (run->customer != AFF_NO_CUSTOMER && run->customer < order->customer))
            order->customer = run->customer;
    }
    for (uint32_t i = 0; i < finish->n_orders; i++)
        finish->by_time[i] = (struct aff_keyed){aff_sort_signed(finish->orders[i].at_us), i};
    aff_sort_keyed(finish->by_time, finish->n_orders, finish->scratch);
    return AFF_OK;
}

static int by_row(const void *a, const void *b)
{
    const struct aff_basket_line *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_revenue(const void *a, const void *b)
{
    const struct aff_basket_line *x = a, *y = b;
    if (x->revenue != y->revenue)
        return x->revenue > y->revenue ? -1 : 1;
    return by_row(a, b);
}

static void sort_lines(struct aff_basket_line *lines, uint32_t n)
{
    if (n > 32) {
        qsort(lines, n, sizeof *lines, by_row);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        struct aff_basket_line line = lines[i];
        uint32_t at = i;
        for (; at > 0 && lines[at - 1].row > line.row; at--)
            lines[at] = lines[at - 1];
        lines[at] = line;
    }
}

/* Gathers an order's lines in finish->basket, one a product, sorted and capped. */
static aff_status gather(struct finish *finish, const struct order *order, uint32_t *ret_n)
{
    struct aff_baskets_builder *builder = finish->builder;
    uint32_t n = 0, distinct = 0;

    for (uint32_t i = order->first; i < order->first + order->n; i++) {
        const struct run *run = &builder->runs[finish->by_key[i].value];
        for (uint32_t j = run->first; j < run->first + run->n; j++) {
            struct aff_basket_line *basket =
                grown(finish->basket, n, &finish->basket_capacity, sizeof *basket);
            if (basket == NULL)
                return AFF_NOMEM;
            finish->basket = basket;
            finish->basket[n] = builder->lines[j];
            uint32_t key = builder->lines[j].row;
            finish->basket[n++].row = builder->pages[key >> PAGE_BITS][key & (PAGE_SIZE - 1)];
        }
    }
    sort_lines(finish->basket, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct aff_basket_line *line = &finish->basket[i];
        if (distinct == 0 || finish->basket[distinct - 1].row != line->row) {
            finish->basket[distinct++] = *line;
            continue;
        }
        finish->basket[distinct - 1].revenue += line->revenue;
        finish->basket[distinct - 1].margin += line->margin;
        finish->basket[distinct - 1].discounted |= line->discounted;
    }
    if (distinct > finish->settings->cap) {
        finish->baskets->truncated_orders++;
        finish->baskets->truncated_lines += distinct - finish->settings->cap;
        qsort(finish->basket, distinct, sizeof *finish->basket, by_revenue);
        distinct = finish->settings->cap;
        sort_lines(finish->basket, distinct);
    }
    *ret_n = distinct;
    return AFF_OK;
}

static aff_status fill(struct finish *finish)
{
    struct aff_baskets *baskets = finish->baskets;
    size_t n_lines = finish->builder->n_lines;
    uint32_t first = 0, lines = 0;
    int64_t newest_us =
        finish->n_orders == 0 ? 0 : finish->orders[finish->by_time[finish->n_orders - 1].value].at_us;
    const struct aff_baskets_frame newest = {newest_us, newest_us - finish->settings->window_us};
    const struct aff_baskets_frame *frame =
        finish->settings->frame == NULL ? &newest : finish->settings->frame;
    struct aff_decay decay = {frame->landmark_us, finish->settings->half_life_s};

    while (first < finish->n_orders &&
           finish->orders[finish->by_time[first].value].at_us < frame->counted_from_us)
        first++;
    size_t n = finish->n_orders - first;
    baskets->old_orders = first;
    baskets->n_baskets = (uint32_t)n;
    baskets->landmark_us = frame->landmark_us;
    baskets->to_us = newest_us;
    baskets->half_life_s = finish->settings->half_life_s;
    baskets->at_us = malloc((n + 1) * sizeof *baskets->at_us);
    baskets->weights = malloc((n + 1) * sizeof *baskets->weights);
    baskets->starts = malloc((n + 1) * sizeof *baskets->starts);
    finish->customer_of = calloc(n + 1, sizeof *finish->customer_of);
    baskets->lines = malloc((n_lines + 1) * sizeof *baskets->lines);
    baskets->basket_of = malloc((n_lines + 1) * sizeof *baskets->basket_of);
    if (baskets->at_us == NULL || baskets->weights == NULL || baskets->starts == NULL ||
        finish->customer_of == NULL || baskets->lines == NULL || baskets->basket_of == NULL)
        return AFF_NOMEM;
    for (uint32_t o = 0; o < n; o++) {
        const struct order *order = &finish->orders[finish->by_time[first + o].value];
        uint32_t size;
        aff_status status = gather(finish, order, &size);
        if (status != AFF_OK)
            return status;
        baskets->at_us[o] = order->at_us;
        baskets->weights[o] = aff_decay_weight(&decay, order->at_us, size);
        baskets->weight += baskets->weights[o];
        baskets->starts[o] = lines;
        finish->customer_of[o] = order->customer;
        memcpy(baskets->lines + lines, finish->basket, size * sizeof *finish->basket);
        for (uint32_t i = 0; i < size; i++)
            baskets->basket_of[lines++] = o;
    }
    baskets->starts[n] = baskets->n_lines = lines;
    if (n > 0)
        baskets->from_us = baskets->at_us[0];
    return AFF_OK;
}

/* Makes the lists of lines by product: counting sort, so each list is by time. */
static aff_status invert(struct aff_baskets *baskets)
{
    size_t n = baskets->n_products;

    baskets->product_starts = calloc(n + 2, sizeof *baskets->product_starts);
    baskets->positions = malloc(((size_t)baskets->n_lines + 1) * sizeof *baskets->positions);
    if (baskets->product_starts == NULL || baskets->positions == NULL)
        return AFF_NOMEM;
    /* starts[p + 2] counts p; after the sums starts[p + 1] is where p begins, and moves to its end as p is
     * filled */
    for (uint32_t i = 0; i < baskets->n_lines; i++)
        baskets->product_starts[baskets->lines[i].row + 2]++;
    for (size_t p = 0; p < n; p++)
        baskets->product_starts[p + 2] += baskets->product_starts[p + 1];
    for (uint32_t i = 0; i < baskets->n_lines; i++)
        baskets->positions[baskets->product_starts[baskets->lines[i].row + 1]++] = i;
    return AFF_OK;
}

/* Makes the lists of baskets by customer, each by time. */
static aff_status group_customers(struct finish *finish)
{
    struct aff_baskets *baskets = finish->baskets;
    size_t n = 0, n_baskets = baskets->n_baskets;

    baskets->customers = malloc((n_baskets + 1) * sizeof *baskets->customers);
    baskets->customer_starts = malloc((n_baskets + 1) * sizeof *baskets->customer_starts);
    baskets->customer_baskets = malloc((n_baskets + 1) * sizeof *baskets->customer_baskets);
    if (baskets->customers == NULL || baskets->customer_starts == NULL || baskets->customer_baskets == NULL)
        return AFF_NOMEM;
    for (uint32_t o = 0; o < n_baskets; o++)
        if (finish->customer_of[o] != AFF_NO_CUSTOMER)
            finish->by_time[n++] = (struct aff_keyed){aff_sort_signed(finish->customer_of[o]), o};
    aff_sort_keyed(finish->by_time, n, finish->scratch);
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || finish->by_time[i].key != finish->by_time[i - 1].key) {
            baskets->customers[baskets->n_customers] = finish->customer_of[finish->by_time[i].value];
            baskets->customer_starts[baskets->n_customers++] = i;
        }
        baskets->customer_baskets[i] = finish->by_time[i].value;
    }
    baskets->customer_starts[baskets->n_customers] = (uint32_t)n;
    return AFF_OK;
}

aff_status aff_baskets_builder_finish(struct aff_baskets_builder *builder,
                                      const struct aff_baskets_settings *settings,
                                      struct aff_baskets **ret_baskets)
{
    struct finish finish = {.settings = settings, .builder = builder};

    finish.baskets = calloc(1, sizeof *finish.baskets);
    aff_status status = finish.baskets == NULL ? AFF_NOMEM : number_products(&finish);
    if (status == AFF_OK)
        status = sort_orders(&finish);
    if (status == AFF_OK)
        status = fill(&finish);
    free(builder->lines);
    builder->lines = NULL;
    if (status == AFF_OK)
        status = invert(finish.baskets);
    if (status == AFF_OK)
        status = group_customers(&finish);
    free(finish.by_key);
    free(finish.by_time);
    free(finish.scratch);
    free(finish.orders);
    free(finish.customer_of);
    free(finish.basket);
    if (status != AFF_OK) {
        aff_baskets_free(finish.baskets);
        return status;
    }
    *ret_baskets = finish.baskets;
    return AFF_OK;
}

void aff_baskets_free(struct aff_baskets *baskets)
{
    if (baskets == NULL)
        return;
    free(baskets->products);
    free(baskets->at_us);
    free(baskets->weights);
    free(baskets->starts);
    free(baskets->lines);
    free(baskets->basket_of);
    free(baskets->product_starts);
    free(baskets->positions);
    free(baskets->customers);
    free(baskets->customer_starts);
    free(baskets->customer_baskets);
    free(baskets);
}
