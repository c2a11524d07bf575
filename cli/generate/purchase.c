/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/purchase.h"

#include "cli/generate/pricing.h"

enum {
    CANCEL_OF_THOUSAND = 12,
    RETURN_AFTER_DAYS = 4,
    RETURN_WITHIN_DAYS = 18,
    PLAN_MAX = 8,
    OTHER_REPEAT_OF_THOUSAND = 400,
    HASH_RHYTHM = 6,
};

/* An order in the making. */
struct purchase {
    uint32_t customer;
    struct aff_demo_traits traits;
    struct aff_demo_basket basket;
    struct aff_demo_line lines[AFF_DEMO_BASKET_MAX];
    int32_t back[AFF_DEMO_BASKET_MAX]; /* units of each line that will be brought back */
    bool planned, exchange, cancelled;
    int32_t back_day;         /* when lines come back; 0: never */
    struct aff_demo_set left; /* watched products that stay */
};

/* The next order that follows from this one. */
struct plan {
    int32_t products[PLAN_MAX];
    uint32_t n;
    int32_t day;
    int rank; /* of what decided the day: smaller is stronger */
};

static bool stays(const struct purchase *purchase, uint32_t line)
{
    return !purchase->cancelled && purchase->lines[line].quantity > purchase->back[line];
}

/* Fashion comes back most, what is eaten least. */
static uint32_t return_chance(const struct aff_demo_type *type)
{
    if (type->department == AFF_DEPARTMENT_FASHION)
        return 70;
    return type->repeat_days > 0 ? 6 : 24;
}

static void decide_cancel(struct aff_demo_run *run, struct purchase *purchase)
{
    int32_t day = run->day + 1 + (int32_t)aff_random_below(&run->random, 2);

    if (purchase->planned || purchase->exchange || !aff_draw_chance(&run->random, CANCEL_OF_THOUSAND) ||
        day >= run->calendar->n_days || aff_demo_room(run) < purchase->basket.n)
        return;
    purchase->cancelled = true;
    purchase->back_day = day;
    for (uint32_t i = 0; i < purchase->basket.n; i++)
        purchase->back[i] = purchase->lines[i].quantity;
}

static void decide_returns(struct aff_demo_run *run, struct purchase *purchase)
{
    int32_t day = run->day + RETURN_AFTER_DAYS + (int32_t)aff_random_below(&run->random, RETURN_WITHIN_DAYS);
    uint64_t room = aff_demo_room(run);

    for (uint32_t i = 0; i < purchase->basket.n && room > 0; i++) {
        const struct aff_demo_product *product = &run->shop.catalogue->products[purchase->lines[i].product];
        if (purchase->basket.kept[i] ||
            !aff_draw_chance(&run->random, return_chance(&aff_demo_types[product->type])) ||
            day >= run->calendar->n_days)
            continue;
        int32_t quantity = purchase->lines[i].quantity;
        purchase->back[i] = 1 + (int32_t)aff_random_below(&run->random, (uint64_t)quantity);
        purchase->back_day = day;
        room--;
    }
}

static aff_status note_returns(struct aff_demo_run *run, const struct purchase *purchase)
{
    struct aff_demo_line back[AFF_DEMO_BASKET_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < purchase->basket.n; i++)
        if (purchase->back[i] > 0) {
            back[n] = purchase->lines[i];
            back[n++].quantity = -purchase->back[i];
        }
    if (n == 0)
        return AFF_OK;
    run->owed += n;
    run->customers[purchase->customer].open++;
    run->truth->cancelled_orders += purchase->cancelled;
    return aff_demo_agenda_add(run->agenda, purchase->back_day,
                               purchase->cancelled ? AFF_DEED_CANCEL : AFF_DEED_RETURN, purchase->customer,
                               back, n);
}

static void plan_product(struct plan *plan, int32_t product, int32_t day, int rank)
{
    for (uint32_t i = 0; i < plan->n; i++)
        if (plan->products[i] == product)
            return;
    if (plan->n == PLAN_MAX)
        return;
    plan->products[plan->n++] = product;
    if (plan->n == 1 || rank < plan->rank) {
        plan->day = day;
        plan->rank = rank;
    }
}

/* Draws what is planted to follow a watched product. All that follows from one order comes in one next order;
 * the first row of planted.def decides when. */
static void plan_planted(struct aff_demo_run *run, const struct purchase *purchase, struct plan *plan)
{
    const struct aff_demo_catalogue *catalogue = run->shop.catalogue;

    for (int i = 0; i < AFF_NEXTS; i++) {
        const struct aff_demo_next *next = &aff_demo_nexts[i];
        if (!aff_demo_set_has(&purchase->left, next->a) ||
            (next->kind != AFF_NEXT_REPEAT && aff_demo_set_has(&purchase->left, next->b)))
            continue;
        bool drawn = aff_draw_chance(&run->random, next->per_cent * 10);
        int32_t day = run->day + aff_draw_around(&run->random, next->gap_days, next->jitter_days);
        int32_t latest = run->day + next->gap_days + next->jitter_days;
        if (latest + RETURN_WITHIN_DAYS < run->calendar->n_days) {
            run->truth->nexts[i].trials++;
            run->truth->nexts[i].planned += drawn;
        }
        struct aff_demo_place place = aff_demo_places[next->b];
        if (drawn)
            plan_product(plan, (int32_t)aff_demo_catalogue_at(catalogue, place.type, place.rank), day, i);
    }
}

static bool is_planted_repeat(unsigned watch)
{
    for (int i = 0; i < AFF_NEXTS; i++)
        if (watch != AFF_WATCH_NONE && aff_demo_nexts[i].kind == AFF_NEXT_REPEAT &&
            aff_demo_nexts[i].a == watch)
            return true;
    return false;
}

/* All other consumables are bought again, too, each in its own rhythm. */
static void plan_repeats(struct aff_demo_run *run, const struct purchase *purchase, struct plan *plan)
{
    for (uint32_t i = 0; i < purchase->basket.n; i++) {
        int32_t number = purchase->lines[i].product;
        const struct aff_demo_product *product = &run->shop.catalogue->products[number];
        int32_t days = aff_demo_types[product->type].repeat_days;
        if (days == 0 || !stays(purchase, i) || is_planted_repeat(product->watch) ||
            !aff_draw_chance(&run->random, OTHER_REPEAT_OF_THOUSAND))
            continue;
        days =
            days * (int32_t)(80 + aff_draw_hash(run->scale->seed, HASH_RHYTHM, (uint64_t)number) % 41) / 100;
        plan_product(plan, number, run->day + aff_draw_around(&run->random, days, days / 5), AFF_NEXTS);
    }
}

static aff_status note_plan(struct aff_demo_run *run, const struct purchase *purchase)
{
    struct plan plan = {.n = 0};
    struct aff_demo_line lines[PLAN_MAX];

    plan_planted(run, purchase, &plan);
    plan_repeats(run, purchase, &plan);
    if (plan.n == 0)
        return AFF_OK;
    run->customers[purchase->customer].open++;
    if (plan.day <= purchase->back_day)
        plan.day = purchase->back_day + 1;
    if (plan.day >= run->calendar->n_days)
        return AFF_OK; /* Waits for an order after the time that is written. */
    for (uint32_t i = 0; i < plan.n; i++)
        lines[i] = (struct aff_demo_line){.product = plan.products[i], .quantity = 1};
    return aff_demo_agenda_add(run->agenda, plan.day, AFF_DEED_ORDER, purchase->customer, lines, plan.n);
}

/* Counts the order as it will be when all returns are in. */
static void count(struct aff_demo_run *run, struct purchase *purchase)
{
    bool guest = purchase->customer == AFF_DEMO_GUEST, any = false;

    for (uint32_t i = 0; i < purchase->basket.n; i++) {
        unsigned watch = run->shop.catalogue->products[purchase->lines[i].product].watch;
        if (!stays(purchase, i))
            continue;
        any = true;
        if (watch != AFF_WATCH_NONE)
            aff_demo_set_add(&purchase->left, watch);
    }
    if (!any)
        return;
    aff_demo_truth_count(run->truth, &purchase->left, guest);
    if (guest)
        return;
    struct aff_demo_customer *customer = &run->customers[purchase->customer];
    if (customer->previous_day >= 0)
        aff_demo_truth_count_next(run->truth, customer->previous, purchase->left.bits[0],
                                  run->day - customer->previous_day);
    customer->previous = purchase->left.bits[0];
    customer->previous_day = run->day;
}

static aff_status write_lines(struct aff_demo_run *run, struct purchase *purchase)
{
    uint64_t room = aff_demo_room(run);

    if (purchase->basket.n > room)
        purchase->basket.n = (uint32_t)room; /* the last order of all */
    for (uint32_t i = 0; i < purchase->basket.n; i++) {
        int32_t product = purchase->basket.products[i];
        int32_t cut = run->cuts[run->shop.catalogue->products[product].type];
        purchase->lines[i] = aff_demo_buy(run->shop.catalogue, &purchase->traits, &run->random, product, cut);
        run->truth->discounted_lines += purchase->lines[i].discounted;
        aff_status status = aff_demo_day_add_line(&run->orders, &purchase->lines[i]);
        if (status != AFF_OK)
            return status;
    }
    run->written += purchase->basket.n;
    return AFF_OK;
}

aff_status aff_demo_purchase(struct aff_demo_run *run, uint32_t customer, const struct aff_demo_line *planned,
                             uint32_t n_planned, const int32_t *avoid, uint32_t n_avoid)
{
    struct purchase purchase = {.customer = customer, .planned = n_planned > 0, .exchange = n_avoid > 0};
    uint32_t size = aff_demo_basket_size(&run->random, run->scale->basket_mean_thousandths);

    purchase.traits = aff_demo_traits_of(run->scale->seed, customer, run->n_orders);
    for (uint32_t i = 0; i < n_planned; i++)
        (void)aff_demo_basket_add(&purchase.basket, run->shop.catalogue, &run->random, planned[i].product,
                                  true);
    aff_demo_basket_fill(&purchase.basket, &run->shop, &purchase.traits, &run->random, size, avoid, n_avoid);
    aff_status status = write_lines(run, &purchase);
    if (status == AFF_OK && customer != AFF_DEMO_GUEST) {
        decide_cancel(run, &purchase);
        if (!purchase.cancelled)
            decide_returns(run, &purchase);
        status = note_returns(run, &purchase);
    }
    count(run, &purchase);
    if (status == AFF_OK && customer != AFF_DEMO_GUEST && !purchase.cancelled)
        status = note_plan(run, &purchase);
    return status;
}
