/* SPDX-License-Identifier: Apache-2.0 */
#include "server/present_events.h"

#include "server/events.h"
#include "server/exposition.h"

#include <stdio.h>

static const char *const modes[] = {
    [AFF_EVENTS_MODE_DIRECT] = "direct",
    [AFF_EVENTS_MODE_SPOOLING] = "spooling",
    [AFF_EVENTS_MODE_REFUSING] = "refusing",
};

static void write_uint(struct aff_json *json, const char *name, uint64_t value)
{
    aff_json_name(json, name);
    aff_json_uint(json, value);
}

static void write_spool(struct aff_json *json, const struct aff_events_view *view)
{
    aff_json_name(json, "spool");
    if (!view->has_spool) {
        aff_json_null(json);
        return;
    }
    aff_json_open_object(json);
    write_uint(json, "records", view->spool_records);
    write_uint(json, "bytes", view->spool_bytes);
    write_uint(json, "limit_bytes", view->spool_limit_bytes);
    write_uint(json, "lost_records", view->lost_records);
    aff_json_close_object(json);
}

bool aff_events_are_well(struct aff_events *events)
{
    struct aff_events_view view;

    if (events == NULL)
        return true;
    aff_events_read(events, &view);
    return view.mode == AFF_EVENTS_MODE_DIRECT && view.lost_records == 0;
}

void aff_present_events(struct aff_json *json, struct aff_events *events)
{
    struct aff_events_view view;

    aff_json_name(json, "events");
    if (events == NULL) {
        aff_json_null(json);
        return;
    }
    aff_events_read(events, &view);
    aff_json_open_object(json);
    aff_json_name(json, "state");
    aff_json_string(json, modes[view.mode]);
    aff_json_name(json, "error");
    if (view.error[0] == '\0')
        aff_json_null(json);
    else
        aff_json_string(json, view.error);
    write_spool(json, &view);
    aff_json_close_object(json);
}

static uint64_t now(const aff_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_kinds(struct aff_json *to, const struct aff_counters *sum)
{
    static const char name[] = "affinity_events_total";

    aff_exposition_family(to, name, "counter",
                          "Events answered, by kind: accepted (duplicates among them) or "
                          "refused because something in them is wrong.");
    for (int kind = 0; kind < AFF_EVENT_KIND_MAX; kind++) {
        struct aff_label labels[] = {
            {"kind", aff_text_of(kind == 0 ? "unknown" : aff_event_kinds[kind].name)},
            {"result", aff_text_of("accepted")},
            {NULL, {NULL, 0}},
        };
        if (kind > 0)
            aff_exposition_whole(to, name, labels, now(&sum->events_accepted[kind]));
        labels[1].value = aff_text_of("refused");
        aff_exposition_whole(to, name, labels, now(&sum->events_refused[kind]));
    }
}

static void write_commits(struct aff_json *to, const struct aff_events_view *view)
{
    static const double bounds_s[] = {
#define X(bound) bound / 1e3,
        AFF_EVENTS_COMMIT_LIST(X)
#undef X
    };
    static const char name[] = "affinity_events_commit_duration_seconds";
    uint64_t n = 0;
    char text[64];

    aff_exposition_family(to, name, "histogram", "Time of the transactions that store events.");
    for (int i = 0; i <= AFF_EVENTS_COMMIT_BOUNDS; i++) {
        char bound[32] = "+Inf";
        n += view->commit_buckets[i];
        if (i < AFF_EVENTS_COMMIT_BOUNDS)
            (void)snprintf(bound, sizeof bound, "%g", bounds_s[i]);
        (void)snprintf(text, sizeof text, "%s_bucket", name);
        aff_exposition_whole(to, text, (struct aff_label[]){{"le", aff_text_of(bound)}, {NULL, {NULL, 0}}},
                             n);
    }
    (void)snprintf(text, sizeof text, "%s_sum", name);
    aff_exposition_real(to, text, NULL, (double)view->commit_us / 1e6);
    (void)snprintf(text, sizeof text, "%s_count", name);
    aff_exposition_whole(to, text, NULL, n);
}

void aff_present_event_metrics(struct aff_json *to, const struct aff_counters *sum, struct aff_events *events)
{
    struct aff_events_view view = {0};

    write_kinds(to, sum);
    if (events == NULL)
        return;
    aff_events_read(events, &view);
    write_commits(to, &view);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"affinity_events_direct", "gauge",
         "1 if events go into the database, 0 if into the spool or nowhere.",
         view.mode == AFF_EVENTS_MODE_DIRECT},
        {"affinity_events_commit_failures_total", "counter", "Failures to store, spool or ship events.",
         view.failures},
        {"affinity_spool_bytes", "gauge", "Size of the spool on disk.", view.spool_bytes},
        {"affinity_spool_limit_bytes", "gauge", "Size that the spool may have; 0: there is none.",
         view.spool_limit_bytes},
        {"affinity_spool_records", "gauge", "Requests with events that wait in the spool.",
         view.spool_records},
        {"affinity_spool_spooled_total", "counter", "Requests with events written into the spool.",
         view.spooled},
        {"affinity_spool_shipped_total", "counter", "Requests with events shipped from the spool.",
         view.shipped},
        {"affinity_spool_lost_total", "counter", "Requests with events that damage took from the spool.",
         view.lost_records},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        aff_exposition_family(to, rows[i].name, rows[i].type, rows[i].help);
        aff_exposition_whole(to, rows[i].name, NULL, rows[i].value);
    }
}
