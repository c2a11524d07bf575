/* SPDX-License-Identifier: Apache-2.0 */
#include "sql/fold/learning.h"

enum { SLICE = 500, CYCLES = 2 };

static aff_status go_on(const struct aff_watch *watch, uint64_t done, struct aff_error *reterr)
{
    if (watch == NULL || watch->call == NULL || watch->call(watch->context, done, 0))
        return AFF_OK;
    return aff_error_set(reterr, AFF_CANCELLED, "interrupted; what is folded stays folded");
}

aff_status aff_learning_fold_all(struct aff_learning *learning, const struct aff_watch *watch,
                                 uint64_t *ret_orders, uint64_t *ret_rows, struct aff_error *reterr)
{
    struct aff_learning_report report = {.state = AFF_LEARNING_BUSY};
    aff_status status = AFF_OK;

    *ret_orders = *ret_rows = 0;
    while (status == AFF_OK && report.state == AFF_LEARNING_BUSY) {
        status = aff_learning_step(learning, &report, reterr);
        *ret_orders += report.folded;
        *ret_rows += report.rows;
        if (status == AFF_OK)
            status = go_on(watch, *ret_orders, reterr);
    }
    if (status != AFF_OK)
        return status;
    if (report.state == AFF_LEARNING_FOLLOWS)
        return aff_error_set(
            reterr, AFF_BUSY,
            "another session leads the store and folds by itself; affinity.state.leader names it");
    if (report.state == AFF_LEARNING_REBUILD)
        return aff_error_set(
            reterr, AFF_NOTREADY,
            "the store was never counted, or more orders wait than are worth folding one by one;"
            " run 'affinityctl rebuild'");
    return AFF_OK;
}

aff_status aff_learning_sweep_all(struct aff_learning *learning, const struct aff_watch *watch,
                                  uint64_t *ret_changed, struct aff_error *reterr)
{
    aff_status status = AFF_OK;

    *ret_changed = 0;
    for (int cycle = 0; cycle < CYCLES; cycle++)
        for (bool done = false; !done && status == AFF_OK;) {
            uint32_t changed = 0;
            status = aff_learning_sweep(learning, SLICE, &changed, &done, reterr);
            *ret_changed += changed;
            if (status == AFF_OK)
                status = go_on(watch, *ret_changed, reterr);
        }
    return status;
}
