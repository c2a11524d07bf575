/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/simulate.h"

#include "cli/generate/pricing.h"
#include "cli/generate/purchase.h"

#include <stdlib.h>

enum {
    FIRST_ORDER_NUMBER = 100001,
    GUEST_OF_THOUSAND = 150,
    EXCHANGE_OF_THOUSAND = 200, /* returns that come with a new order */
    CUSTOMER_TRIES = 8,
    FIRST_CUSTOMERS_OF_HUNDRED =
        30, /* customers that the store has on its first day; the others come evenly */
};

/* In a small store what is planted must be seen often enough; in a large one it would crowd out everything
 * else. */
static uint32_t planted_share(uint64_t lines)
{
    if (lines <= 200000)
        return 220;
    return lines <= 2000000 ? 120 : 60;
}

static void begin_day(struct aff_demo_run *run, int32_t day)
{
    struct aff_demo_date date = aff_demo_calendar_date(run->calendar, day);

    run->day = day;
    if (day == 0 || date.day == 1) {
        aff_demo_market_set(&run->market, date.month);
        aff_demo_truth_begin_month(run->truth, date);
    }
    for (uint32_t type = 0; type < AFF_DEMO_TYPES; type++)
        run->cuts[type] = aff_demo_promotion(run->scale->seed, type, run->calendar, day);
}

static aff_status begin_order(struct aff_demo_run *run, uint32_t customer, bool cancels)
{
    run->n_orders++;
    if (customer != AFF_DEMO_GUEST)
        run->customers[customer].last_day = run->day;
    return aff_demo_day_add_order(&run->orders, aff_demo_second(&run->random), customer, cancels);
}

/* Lines come back, now and then together with a new order. */
static aff_status bring_back(struct aff_demo_run *run, const struct aff_demo_task *task)
{
    struct aff_demo_customer *customer = &run->customers[task->customer];
    aff_status status = begin_order(run, task->customer, task->deed == AFF_DEED_CANCEL);
    int32_t avoid[AFF_DEMO_BASKET_MAX];

    for (uint32_t i = 0; i < task->n && status == AFF_OK; i++) {
        status = aff_demo_day_add_line(&run->orders, &task->lines[i]);
        avoid[i] = task->lines[i].product;
    }
    run->written += task->n;
    run->owed -= task->n;
    run->truth->return_lines += task->n;
    customer->open--;
    if (status != AFF_OK || task->deed == AFF_DEED_CANCEL || customer->open > 0 || aff_demo_room(run) == 0 ||
        !aff_draw_chance(&run->random, EXCHANGE_OF_THOUSAND))
        return status;
    return aff_demo_purchase(run, task->customer, NULL, 0, avoid, task->n);
}

static aff_status do_planned(struct aff_demo_run *run)
{
    struct aff_demo_task task;
    aff_status status = AFF_OK;

    while (status == AFF_OK && aff_demo_agenda_take(run->agenda, run->day, &task)) {
        if (task.deed != AFF_DEED_ORDER) {
            status = bring_back(run, &task);
            continue;
        }
        run->customers[task.customer].open--;
        if (aff_demo_room(run) == 0)
            continue;
        status = begin_order(run, task.customer, false);
        if (status == AFF_OK)
            status = aff_demo_purchase(run, task.customer, task.lines, task.n, NULL, 0);
    }
    return status;
}

/* Someone who comes by: a guest, or a customer who is free today. Older customers come more often. */
static uint32_t choose_customer(struct aff_demo_run *run)
{
    uint64_t known = (uint64_t)run->scale->customers *
                     (FIRST_CUSTOMERS_OF_HUNDRED * (uint64_t)run->calendar->n_days +
                      (100 - FIRST_CUSTOMERS_OF_HUNDRED) * (uint64_t)(run->day + 1)) /
                     (100 * (uint64_t)run->calendar->n_days);

    if (aff_draw_chance(&run->random, GUEST_OF_THOUSAND))
        return AFF_DEMO_GUEST;
    for (int i = 0; i < CUSTOMER_TRIES; i++) {
        uint64_t number = aff_random_below(&run->random, known == 0 ? 1 : known);
        if (aff_draw_chance(&run->random, 500))
            number = aff_random_below(&run->random, number + 1);
        const struct aff_demo_customer *customer = &run->customers[number];
        if (customer->open == 0 && customer->last_day != run->day)
            return (uint32_t)number;
    }
    return AFF_DEMO_GUEST;
}

static aff_status live_through(struct aff_demo_run *run, int32_t day)
{
    uint64_t due = aff_demo_calendar_due(run->calendar, day, run->scale->lines);

    begin_day(run, day);
    aff_status status = do_planned(run);
    while (status == AFF_OK && run->written < due && aff_demo_room(run) > 0) {
        uint32_t customer = choose_customer(run);
        status = begin_order(run, customer, false);
        if (status == AFF_OK)
            status = aff_demo_purchase(run, customer, NULL, 0, NULL, 0);
    }
    return status;
}

static aff_status start(struct aff_demo_run *run)
{
    run->customers = malloc(run->scale->customers * sizeof *run->customers);
    if (run->customers == NULL)
        return AFF_NOMEM;
    for (uint32_t i = 0; i < run->scale->customers; i++)
        run->customers[i] = (struct aff_demo_customer){.previous_day = -1, .last_day = -1};
    return aff_demo_agenda_new(run->calendar->n_days, &run->agenda);
}

aff_status aff_demo_simulate(const struct aff_demo_scale *scale, const struct aff_demo_calendar *calendar,
                             const struct aff_demo_catalogue *catalogue, struct aff_output *output,
                             struct aff_demo_truth *truth, struct aff_progress *progress)
{
    struct aff_demo_run *run = calloc(1, sizeof *run);
    uint64_t number = FIRST_ORDER_NUMBER;

    if (run == NULL)
        return AFF_NOMEM;
    run->scale = scale;
    run->calendar = calendar;
    run->truth = truth;
    run->random.state = scale->seed;
    run->shop = (struct aff_demo_shop){catalogue, &run->market, planted_share(scale->lines)};
    aff_output_write(output, aff_demo_orders_header, strlen(aff_demo_orders_header));
    aff_status status = start(run);
    for (int32_t day = 0; day < calendar->n_days && status == AFF_OK && !aff_output_failed(output); day++) {
        status = live_through(run, day);
        aff_demo_day_write(&run->orders, catalogue, aff_demo_calendar_date(calendar, day), &number, output);
        aff_progress_show(progress, run->written);
    }
    truth->lines = run->written;
    aff_demo_day_done(&run->orders);
    aff_demo_agenda_free(run->agenda);
    free(run->customers);
    free(run);
    return status;
}
