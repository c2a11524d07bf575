/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verify/report.h"

#include <inttypes.h>
#include <stdio.h>

void aff_verify_print(const struct aff_verify_report *report, const char *store_name)
{
    (void)printf("store %s, version %" PRId64 ", generation %" PRId64 ": %" PRIu64 " orders counted anew\n",
                 store_name, report->version, report->generation, report->orders);
    (void)printf("%-17s %12s  %-16s  %-16s\n", "table", "rows", "kept", "counted anew");
    for (int i = 0; i < report->n; i++) {
        const struct aff_verified *part = &report->parts[i];
        (void)printf("%-17s %12" PRIu64 "  %016" PRIx64 "  %016" PRIx64 "  %s\n", part->name, part->rows_kept,
                     part->digest_kept, part->digest_counted, part->differing == 0 ? "equal" : "DIFFERENT");
    }
    for (int i = 0; i < report->n; i++) {
        const struct aff_verified *part = &report->parts[i];
        if (part->differing > 0)
            (void)printf("%s: %" PRIu64 " rows differ; the first is %s\n", part->name, part->differing,
                         part->text);
    }
    if (report->equal)
        (void)printf("all equal\n");
    else
        (void)printf(
            "'affinityctl rebuild --store %s' counts everything anew; please report what is printed here\n",
            store_name);
}

bool aff_verify_print_driven(const struct aff_drive_report *driven)
{
    bool same = true;

    (void)printf("%" PRIu32 " events in %" PRIu32 " transactions and %" PRIu32 " rolled back, %" PRIu32
                 " folds of %" PRIu32 " orders, %" PRIu32
                 " rebuilds; against each order once, by the shop's ids:\n",
                 driven->events, driven->batches, driven->rollbacks, driven->folds, driven->folded_orders,
                 driven->rebuilds);
    for (int i = 0; i < AFF_SCRATCH_TABLES; i++) {
        const struct aff_scratch_difference *difference = &driven->differences[i];
        (void)printf("%-17s %12" PRId64 "  %s\n", difference->table, difference->rows,
                     difference->differing == 0 ? "equal" : "DIFFERENT");
        if (difference->differing > 0)
            (void)printf("  %" PRId64 " rows are in one store only, one of them is %s\n",
                         difference->differing, difference->first);
        same = same && difference->differing == 0;
    }
    return same;
}
