/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune/fit.h"

#include "cli/phases.h"
#include "config/blend.h"
#include "config/train.h"

aff_status aff_fit_store(struct aff_connection *connection, const struct aff_config *config, int64_t due_s,
                         bool dry_run, bool quiet, struct aff_tuning_report *ret_report,
                         struct aff_error *reterr)
{
    struct aff_phases phases = {.quiet = quiet};
    const struct aff_tuning_settings settings = {
        .train = aff_config_train(config, aff_parallel_threads((int)config->learn_threads)),
        .configured = aff_config_blend(config),
        .limit_bytes = (uint64_t)config->tune_memory_mb << 20,
        .by = "affinityctl",
        .dry_run = dry_run,
        .due_s = due_s,
        .progress = aff_phases_show,
        .context = &phases,
    };
    aff_status status = aff_tune(connection, config->store_name, &settings, ret_report, reterr);

    aff_phases_finish(&phases);
    if (status == AFF_CANCELLED)
        return aff_error_set(reterr, status, "interrupted; no weights were stored");
    return status;
}
