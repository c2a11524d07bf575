/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recommend/recommend.h"

#include "core/recommend/run.h"

struct aff_blend aff_blend_default(void)
{
    const struct aff_weights cart = {.affinity = 1, .personal = 0.35, .popularity = 0.02};
    struct aff_weights known = cart, added = cart;

    known.traces[AFF_TRACE_ADDED] = 0.15;
    added.traces[AFF_TRACE_ADDED] = 0.5;
    return (struct aff_blend){
        .of[AFF_SITUATION_CART] = cart,
        .of[AFF_SITUATION_CART_KNOWN] = known,
        .of[AFF_SITUATION_ADDED] = added,
        .of[AFF_SITUATION_ADDED_KNOWN] = added,
        .of[AFF_SITUATION_NEXT_BASKET] =
            {
                .affinity = 1,
                .personal = 1,
                .popularity = 0.02,
                .traces[AFF_TRACE_HISTORY] = 0.15,
                .traces[AFF_TRACE_RECENT] = 0.5,
            },
        .of[AFF_SITUATION_VIEWS] =
            {
                .affinity = 0.1,
                .personal = 0.05,
                .popularity = 0.01,
                .traces[AFF_TRACE_ALIKE] = 1,
                .traces[AFF_TRACE_VIEWED] = 0.3,
                .traces[AFF_TRACE_SEEN] = 0.3,
            },
        .personal_half_life_days = 120,
        .impressions = 0.2,
        .content = 0.5,
        .content_below_orders = 5,
        .fitted = true,
    };
}

static void begin(struct aff_answer *answer)
{
    answer->n_items = 0;
    answer->candidates = 0;
    memset(answer->dropped, 0, sizeof answer->dropped);
    answer->n_unknown = 0;
    answer->customer_known = false;
    answer->short_reason = AFF_SHORT_NONE;
    answer->why_not = AFF_FATE_NOT_ASKED;
    answer->why_not_drop = AFF_DROP_LIMIT;
}

static enum aff_situation find_situation(const struct aff_run *run)
{
    const bool known = run->history != NULL;

    if (run->request->as == AFF_AS_VIEWS)
        return AFF_SITUATION_VIEWS;
    if (run->n_bases == 0)
        return known ? AFF_SITUATION_NEXT_BASKET : AFF_SITUATION_CART;
    if (run->request->as == AFF_AS_ADDED)
        return known ? AFF_SITUATION_ADDED_KNOWN : AFF_SITUATION_ADDED;
    return known ? AFF_SITUATION_CART_KNOWN : AFF_SITUATION_CART;
}

/* Settles what the request asks for once its ids are resolved. */
static void settle(struct aff_run *run)
{
    const struct aff_request *request = run->request;
    const unsigned cross_sell = 1u << AFF_KIND_CROSS_SELL, replenish = 1u << AFF_KIND_REPLENISH;

    run->kinds = request->kinds;
    if (run->kinds == 0)
        run->kinds = run->history == NULL ? cross_sell : cross_sell | replenish;
    run->floors =
        run->n_bases > 0 && (request->min_lift > 0 || request->min_confidence > 0 || request->min_orders > 0);
    run->weights = aff_run_weights(run, find_situation(run));
    run->half_life_days =
        run->weights->half_life_days > 0 ? run->weights->half_life_days : run->blend->personal_half_life_days;
}

/* True if every candidate must be looked at by itself, beyond marks, eligibility and affinity. Without this a
 * candidate that the customer has not bought is a cross-sell that nothing else can drop. */
static bool needs_each(const struct aff_run *run)
{
    const struct aff_request *request = run->request;
    const unsigned kinds = run->kinds & ~(1u << AFF_KIND_REPLENISH);

    return kinds != 1u << AFF_KIND_CROSS_SELL || run->floors || run->weights->sequence > 0 ||
           aff_traces_of_each(run) || request->n_filters > 0 || request->price_min != AFF_NO_MONEY ||
           request->price_max != AFF_NO_MONEY || request->why_not.size > 0;
}

static void name_candidates(struct aff_run *run)
{
    aff_lookalikes_add(run);
    aff_candidates_from_rows(run);
    if (needs_each(run))
        aff_side_give_all(run);
    if (run->weights->sequence > 0)
        aff_candidates_from_sequence(run);
    if (run->history != NULL)
        aff_candidates_from_history(run);
    if (run->kinds >> AFF_KIND_SUBSTITUTE & 1)
        aff_candidates_from_content(run);
    aff_candidates_from_traces(run);
    if (run->n_shown > 0)
        aff_impressions_discount(run);
}

static void choose_items(struct aff_run *run)
{
    const uint32_t limit = run->request->limit;
    const bool diverse = run->request->diversity > 0;
    const uint32_t most = diverse ? 4 * limit : limit;

    aff_rank(run, most);
    aff_newcomers_offer(run, most);
    if (diverse)
        aff_diversify(run);
    aff_explain_items(run);
    run->answer->dropped[AFF_DROP_LIMIT] =
        run->n_live - run->answer->n_items - run->answer->dropped[AFF_DROP_DIVERSITY];
}

static enum aff_short find_short_reason(const struct aff_run *run)
{
    const struct aff_request *request = run->request;
    const struct aff_answer *answer = run->answer;

    if (answer->n_items == request->limit)
        return AFF_SHORT_NONE;
    if (request->strict && request->n_cart == 0 && request->product.size == 0 && !answer->customer_known)
        return AFF_SHORT_NO_INPUT;
    if (answer->candidates == 0)
        return AFF_SHORT_NO_DATA;
    return answer->n_items == 0 || answer->candidates >= request->limit ? AFF_SHORT_ALL_DROPPED
                                                                        : AFF_SHORT_FEW_CANDIDATES;
}

aff_status aff_recommend(const struct aff_model *model, const struct aff_blend *blend,
                         struct aff_workspace *workspace, const struct aff_request *request,
                         struct aff_answer *ret_answer)
{
    aff_status status = aff_request_check(request);

    if (status == AFF_OK)
        status = aff_workspace_fit(workspace, aff_catalogue_capacity(model->catalogue));
    if (status != AFF_OK)
        return status;
    struct aff_run run = {
        .model = model,
        .catalogue = model->catalogue,
        .blend = blend,
        .request = request,
        .space = workspace,
        .answer = ret_answer,
    };
    begin(ret_answer);
    aff_resolve(&run);
    aff_impressions_resolve(&run);
    settle(&run);
    name_candidates(&run);
    aff_sieve(&run);
    choose_items(&run);
    /* Popular products are cross-sell without evidence: where either rules them out they are not looked at.
     */
    if (!request->strict && !run.floors && run.kinds >> AFF_KIND_CROSS_SELL & 1 &&
        ret_answer->n_items < request->limit)
        aff_fallback(&run);
    ret_answer->candidates = run.n_candidates;
    ret_answer->short_reason = find_short_reason(&run);
    aff_explain_why_not(&run);
    aff_resolve_clear(&run);
    return AFF_OK;
}
