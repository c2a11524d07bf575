/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that the service counts, for Prometheus. The page is the same whichever worker writes it. */
#include "core/base/clock.h"
#include "server/call.h"
#include "server/exposition.h"
#include "server/present_events.h"
#include "server/present_learner.h"
#include "server/present_tuner.h"
#include "server/process.h"
#include "server/routes/routes.h"

#include <stdio.h>

#define LABELS(...)                                                                                          \
    (const struct aff_label[])                                                                               \
    {                                                                                                        \
        __VA_ARGS__,                                                                                         \
        {                                                                                                    \
            NULL,                                                                                            \
            {                                                                                                \
                NULL, 0                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }

static uint64_t now(const aff_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_requests(struct aff_json *to, const struct aff_counters *sum)
{
    aff_exposition_family(to, "affinity_http_requests_total", "counter",
                          "Requests answered, by route and status code.");
    for (int series = 0; series < AFF_SERIES_MAX; series++) {
        for (int code = 0; code < AFF_CODE_MAX; code++) {
            char number[8];
            (void)snprintf(number, sizeof number, "%u", aff_code_number((enum aff_code)code));
            if (now(&sum->requests[series][code]) > 0 || code == AFF_CODE_200)
                aff_exposition_whole(to, "affinity_http_requests_total",
                                     LABELS({"route", aff_text_of(aff_series_name((enum aff_series)series))},
                                            {"code", aff_text_of(number)}),
                                     now(&sum->requests[series][code]));
        }
    }
}

static void write_latency(struct aff_json *to, const struct aff_counters *sum, enum aff_series series)
{
    struct aff_text route = aff_text_of(aff_series_name(series));
    uint64_t n = 0;

    for (unsigned bucket = 0; bucket <= AFF_LATENCY_BOUNDS; bucket++) {
        char bound[32] = "+Inf";
        n += now(&sum->latency[series][bucket]);
        if (bucket < AFF_LATENCY_BOUNDS)
            (void)snprintf(bound, sizeof bound, "%g", (double)aff_latency_bound_us(bucket) / 1e6);
        aff_exposition_whole(to, "affinity_http_request_duration_seconds_bucket",
                             LABELS({"route", route}, {"le", aff_text_of(bound)}), n);
    }
    aff_exposition_real(to, "affinity_http_request_duration_seconds_sum", LABELS({"route", route}),
                        (double)now(&sum->latency_us[series]) / 1e6);
    aff_exposition_whole(to, "affinity_http_request_duration_seconds_count", LABELS({"route", route}), n);
}

static void write_counters(struct aff_json *to, const struct aff_counters *sum)
{
    write_requests(to, sum);
    aff_exposition_family(to, "affinity_http_request_duration_seconds", "histogram",
                          "Time from the whole request to the answer handed over for sending.");
    for (int series = 0; series < AFF_SERIES_MAX; series++)
        write_latency(to, sum, (enum aff_series)series);
    aff_exposition_family(to, "affinity_http_requests_in_flight", "gauge", "Requests begun and not done.");
    aff_exposition_whole(to, "affinity_http_requests_in_flight", NULL, now(&sum->in_flight));
    aff_exposition_family(to, "affinity_http_requests_waiting", "gauge",
                          "Requests that wait for another thread.");
    aff_exposition_whole(to, "affinity_http_requests_waiting", NULL, now(&sum->waiting));
    aff_exposition_family(to, "affinity_http_connections_open", "gauge", "Open connections.");
    aff_exposition_whole(to, "affinity_http_connections_open", NULL, now(&sum->open));
#define COUNTER(field, name, help)                                                                           \
    aff_exposition_family(to, name, "counter", help);                                                        \
    aff_exposition_whole(to, name, NULL, now(&sum->field));
#include "server/counters.def"
#undef COUNTER
}

/* One gauge of each store's model. */
struct index_gauge {
    const char *name, *help;
    double (*value)(const struct aff_model *model);
};

static double version_of(const struct aff_model *model)
{
    return (double)model->version;
}

static double rebuilt_of(const struct aff_model *model)
{
    return model->built_at_us == 0 ? 0 : (double)(aff_clock_now_us() - model->built_at_us) / 1e6;
}

static double bytes_of(const struct aff_model *model)
{
    return (double)aff_model_bytes(model);
}

static double edges_of(const struct aff_model *model)
{
    uint64_t together = 0, next = 0, viewed = 0;
    size_t counts;

    (void)aff_neighbours_bytes(model->together, &counts, &together);
    (void)aff_neighbours_bytes(model->next, &counts, &next);
    if (model->viewed != NULL)
        (void)aff_neighbours_bytes(model->viewed, &counts, &viewed);
    return (double)(together + next + viewed);
}

static double products_of(const struct aff_model *model)
{
    return (double)aff_catalogue_size(model->catalogue);
}

static double customers_of(const struct aff_model *model)
{
    return (double)aff_customers_size(model->customers);
}

static double orders_of(const struct aff_model *model)
{
    return (double)model->totals.orders;
}

static double sessions_of(const struct aff_model *model)
{
    return (double)model->totals.sessions;
}

static double held_sessions_of(const struct aff_model *model)
{
    return model->traces == NULL ? 0 : (double)model->traces->n_sessions;
}

static const struct index_gauge index_gauges[] = {
    {"affinity_index_version", "Version of the learned tables that are served.", version_of},
    {"affinity_index_rebuilt_seconds", "Time since these tables were counted anew as a whole; 0: never.",
     rebuilt_of},
    {"affinity_index_memory_bytes", "Memory of the store's index.", bytes_of},
    {"affinity_index_neighbours", "Neighbour entries of all relations.", edges_of},
    {"affinity_index_products", "Products in the catalogue.", products_of},
    {"affinity_index_customers", "Customers with their histories.", customers_of},
    {"affinity_index_orders", "Orders counted.", orders_of},
    {"affinity_index_sessions", "Sessions counted for the relation viewed.", sessions_of},
    {"affinity_index_sessions_held", "Newest sessions in memory, which recommendations look into.",
     held_sessions_of},
};

/* What is known of how new each store is, with or without a model. */
struct freshness_metric {
    const char *name, *type, *help;
    double (*value)(const struct aff_store *store);
};

static double age_of(const struct aff_store *store)
{
    int64_t age_s = aff_store_age_s(store, aff_clock_now_us());

    return (double)age_s;
}

static double lag_of(const struct aff_store *store)
{
    return (double)atomic_load_explicit(&store->freshness.lag_us, memory_order_relaxed) / 1e6;
}

static double queued_of(const struct aff_store *store)
{
    return (double)atomic_load_explicit(&store->freshness.queued, memory_order_relaxed);
}

static double loads_of(const struct aff_store *store)
{
    return (double)atomic_load_explicit(&store->freshness.loads, memory_order_relaxed);
}

static double batches_of(const struct aff_store *store)
{
    return (double)atomic_load_explicit(&store->freshness.batches, memory_order_relaxed);
}

static double followed_of(const struct aff_store *store)
{
    return (double)atomic_load_explicit(&store->freshness.rows, memory_order_relaxed);
}

static const struct freshness_metric freshness_metrics[] = {
    {"affinity_index_age_seconds", "gauge", "Time since the index was known to be as the tables; -1: never.",
     age_of},
    {"affinity_order_lag_seconds", "gauge", "Age of the oldest change of an order that is not counted yet.",
     lag_of},
    {"affinity_orders_queued", "gauge", "Changes of orders that are not counted yet, up to 10,000.",
     queued_of},
    {"affinity_index_full_loads_total", "counter", "Times that all of a store was loaded.", loads_of},
    {"affinity_index_batches_total", "counter", "Batches of changes that were followed.", batches_of},
    {"affinity_index_rows_total", "counter", "Products, neighbour rows and histories in these batches.",
     followed_of},
};

static void write_freshness(struct aff_json *to, const struct aff_stores *stores)
{
    size_t n = atomic_load_explicit(&stores->n, memory_order_acquire);

    for (size_t i = 0; i < sizeof freshness_metrics / sizeof *freshness_metrics; i++) {
        const struct freshness_metric *metric = &freshness_metrics[i];
        aff_exposition_family(to, metric->name, metric->type, metric->help);
        for (size_t j = 0; j < n; j++) {
            const struct aff_store *store = atomic_load_explicit(&stores->at[j], memory_order_relaxed);
            aff_exposition_real(to, metric->name, LABELS({"store", {store->name, store->name_size}}),
                                metric->value(store));
        }
    }
}

static void write_stores(struct aff_json *to, const struct aff_stores *stores)
{
    size_t n = atomic_load_explicit(&stores->n, memory_order_acquire);

    for (size_t i = 0; i < sizeof index_gauges / sizeof *index_gauges; i++) {
        const struct index_gauge *gauge = &index_gauges[i];
        aff_exposition_family(to, gauge->name, "gauge", gauge->help);
        for (size_t j = 0; j < n; j++) {
            const struct aff_store *store = atomic_load_explicit(&stores->at[j], memory_order_relaxed);
            const struct aff_model *model = aff_slot_acquire(store->slot);
            if (model != NULL)
                aff_exposition_real(to, gauge->name, LABELS({"store", {store->name, store->name_size}}),
                                    gauge->value(model));
            aff_slot_release(store->slot);
        }
    }
}

static double relation_bytes(const struct aff_neighbours *neighbours)
{
    uint64_t edges;
    size_t counts;
    const size_t rows = aff_neighbours_bytes(neighbours, &counts, &edges);

    return (double)(rows + counts);
}

/* What each source that answers come from takes. */
static void write_memory_of(struct aff_json *to, const char *name, const struct aff_store *store,
                            const struct aff_model *model)
{
    const struct aff_traces_sizes sizes = aff_traces_sizes(model->traces);
    const struct {
        const char *part;
        double bytes;
    } parts[] = {
        {"catalogue", (double)aff_catalogue_bytes(model->catalogue)},
        {"customers", (double)aff_customers_bytes(model->customers)},
        {"together", relation_bytes(model->together)},
        {"next", relation_bytes(model->next)},
        {"alike", (double)sizes.alike},
        {"viewed", (double)sizes.viewed},
        {"added", (double)sizes.added},
        {"recent", (double)sizes.recent},
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        aff_exposition_real(
            to, name,
            LABELS({"store", {store->name, store->name_size}}, {"part", aff_text_of(parts[i].part)}),
            parts[i].bytes);
}

static void write_memory(struct aff_json *to, const struct aff_stores *stores)
{
    static const char name[] = "affinity_index_part_memory_bytes";
    const size_t n = atomic_load_explicit(&stores->n, memory_order_acquire);

    aff_exposition_family(to, name, "gauge",
                          "Memory of the parts of the store's index, beside a mapped snapshot file.");
    for (size_t i = 0; i < n; i++) {
        const struct aff_store *store = atomic_load_explicit(&stores->at[i], memory_order_relaxed);
        const struct aff_model *model = aff_slot_acquire(store->slot);
        if (model != NULL)
            write_memory_of(to, name, store, model);
        aff_slot_release(store->slot);
    }
}

static void write_board(struct aff_json *to, struct aff_board *board)
{
    struct aff_board_view view;

    aff_board_read(board, &view);
    aff_exposition_family(to, "affinity_database_up", "gauge", "1 if the database answered last time.");
    aff_exposition_whole(to, "affinity_database_up", NULL, view.database == AFF_DATABASE_OK);
    aff_exposition_family(to, "affinity_database_errors_total", "counter",
                          "Failures of the database or of loading, by SQLSTATE class or kind.");
    for (size_t i = 0; i < view.n_failures; i++)
        aff_exposition_whole(to, "affinity_database_errors_total",
                             LABELS({"class", aff_text_of(view.failures[i].name)}), view.failures[i].n);
    aff_exposition_family(to, "affinity_write_up", "gauge",
                          "0 while orders, products and customers cannot be written into the database.");
    aff_exposition_whole(to, "affinity_write_up", NULL, view.writes_error[0] == '\0');
    aff_exposition_family(to, "affinity_index_load_failed", "gauge",
                          "1 if the newest attempt to load the store failed; the index before it is served.");
    for (size_t i = 0; i < view.n_loads; i++)
        aff_exposition_whole(to, "affinity_index_load_failed",
                             LABELS({"store", aff_text_of(view.loads[i].store)}),
                             view.loads[i].text[0] != '\0');
    aff_exposition_family(to, "affinity_index_loads_total", "counter", "Indexes loaded and published.");
    aff_exposition_whole(to, "affinity_index_loads_total", NULL, view.load_count);
    aff_exposition_family(to, "affinity_index_load_duration_seconds", "gauge",
                          "Time that the newest load took.");
    aff_exposition_real(to, "affinity_index_load_duration_seconds", NULL, (double)view.last_load_us / 1e6);
    aff_exposition_family(to, "affinity_config_last_reload_successful", "gauge",
                          "0 if the newest reload of the configuration was refused.");
    aff_exposition_whole(to, "affinity_config_last_reload_successful", NULL, view.reload_good);
    aff_exposition_family(to, "affinity_config_reloads_total", "counter", "Reloads asked for.");
    aff_exposition_whole(to, "affinity_config_reloads_total", NULL, view.reloads);
    aff_exposition_family(to, "affinity_draining", "gauge", "1 while the service is about to stop.");
    aff_exposition_whole(to, "affinity_draining", NULL, aff_board_draining(board));
}

static void write_source(struct aff_json *to, struct aff_board *board)
{
    struct aff_board_view view;

    aff_board_read(board, &view);
    if (!view.source.reads)
        return;
    aff_exposition_family(to, "affinity_source_up", "gauge",
                          "1 if the last look at the shop's own tables went well.");
    aff_exposition_whole(to, "affinity_source_up", NULL, view.source.good);
    aff_exposition_family(to, "affinity_source_orders_total", "counter",
                          "Orders of the shop's own tables that were written or deleted.");
    aff_exposition_whole(to, "affinity_source_orders_total", NULL, view.source.orders);
    aff_exposition_family(to, "affinity_source_rejected_total", "counter",
                          "Entries of the shop's own tables that were left out.");
    aff_exposition_whole(to, "affinity_source_rejected_total", NULL, view.source.rejected);
    aff_exposition_family(to, "affinity_source_errors_total", "counter",
                          "Looks at the shop's own tables that failed.");
    aff_exposition_whole(to, "affinity_source_errors_total", NULL, view.source.failures);
    aff_exposition_family(to, "affinity_source_age_seconds", "gauge", "Time since the last good look.");
    aff_exposition_real(to, "affinity_source_age_seconds", NULL,
                        view.source.seen_us == 0 ? 0
                                                 : (double)(aff_clock_now_us() - view.source.seen_us) / 1e6);
}

static void write_one(struct aff_json *to, const char *name, const char *type, const char *help, double value)
{
    aff_exposition_family(to, name, type, help);
    aff_exposition_real(to, name, NULL, value);
}

static void write_process(struct aff_json *to)
{
    struct aff_process process;

    aff_process_read(&process);
    aff_exposition_family(to, "affinity_build_info", "gauge", "Always 1; its labels say what runs.");
    aff_exposition_whole(to, "affinity_build_info", LABELS({"version", aff_text_of(AFF_VERSION)}), 1);
    write_one(to, "process_cpu_seconds_total", "counter", "Processor time used.", process.cpu_s);
    write_one(to, "process_resident_memory_bytes", "gauge", "Memory in use.", (double)process.resident_bytes);
    write_one(to, "process_virtual_memory_bytes", "gauge", "Address space in use.",
              (double)process.virtual_bytes);
    write_one(to, "process_open_fds", "gauge", "Open file descriptors.", (double)process.open_files);
    write_one(to, "process_max_fds", "gauge", "Most file descriptors.", (double)process.max_files);
    write_one(to, "process_threads", "gauge", "Threads.", (double)process.threads);
    aff_exposition_family(to, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.");
    aff_exposition_whole(to, "process_start_time_seconds", NULL, (uint64_t)process.started_s);
}

void aff_route_metrics(struct aff_call *call)
{
    const struct aff_shared *shared = call->context->shared;
    struct aff_counters sum = {0};

    for (size_t i = 0; i < shared->n_counters; i++)
        aff_counters_add(&sum, &shared->counters[i]);
    write_counters(call->reply->body, &sum);
    aff_present_event_metrics(call->reply->body, &sum, shared->events);
    write_stores(call->reply->body, shared->stores);
    write_memory(call->reply->body, shared->stores);
    write_freshness(call->reply->body, shared->stores);
    write_board(call->reply->body, shared->board);
    write_source(call->reply->body, shared->board);
    write_process(call->reply->body);
    if (shared->learner_board != NULL) {
        aff_present_learner_metrics(call->reply->body, shared->learner_board);
        aff_present_tuner_metrics(call->reply->body, shared->learner_board);
    }
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_METRICS;
}
