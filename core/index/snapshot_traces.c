/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/snapshot_traces.h"

#include <math.h>
#include <stdlib.h>

static const size_t element_bytes[AFF_SNAPSHOT_TRACE_MAX] = {
    [AFF_SNAPSHOT_NUMBERS] = sizeof(double),
    [AFF_SNAPSHOT_ALIKE_STARTS] = sizeof(uint32_t),
    [AFF_SNAPSHOT_ALIKE_ENTRIES] = sizeof(struct aff_neighbour),
    [AFF_SNAPSHOT_VIEWED_STARTS] = sizeof(uint32_t),
    [AFF_SNAPSHOT_VIEWED_ENTRIES] = sizeof(struct aff_neighbour),
    [AFF_SNAPSHOT_ADDED_STARTS] = sizeof(uint32_t),
    [AFF_SNAPSHOT_ADDED_ENTRIES] = sizeof(struct aff_neighbour),
    [AFF_SNAPSHOT_RECENT] = sizeof(struct aff_neighbour),
    [AFF_SNAPSHOT_RECENT_OF] = sizeof(float),
};

static void put_numbers(const struct aff_model *model, double numbers[AFF_SNAPSHOT_NUMBERS_SIZE])
{
    for (int situation = 0; situation < AFF_SITUATION_MAX; situation++) {
        struct aff_weights given = model->fitted.of[situation];
        *numbers++ = model->fitted.given[situation];
        for (int weight = 0; weight < AFF_FITTED_MAX; weight++)
            *numbers++ = *aff_weights_at(&given, weight);
    }
    *numbers++ = (double)model->traces->revisits;
    *numbers = model->traces->n_sessions;
}

static struct aff_snapshot_array rules_of(const struct aff_successors *rules, bool starts)
{
    if (rules == NULL)
        return (struct aff_snapshot_array){0};
    return starts ? (struct aff_snapshot_array){.at = rules->starts, .n = (uint64_t)rules->n_products + 1}
                  : (struct aff_snapshot_array){.at = rules->entries, .n = rules->starts[rules->n_products]};
}

struct aff_snapshot_array aff_snapshot_trace_of(const struct aff_model *model, enum aff_snapshot_trace trace,
                                                double numbers[AFF_SNAPSHOT_NUMBERS_SIZE])
{
    const struct aff_traces *traces = model->traces;
    struct aff_snapshot_array array = {0};

    if (traces == NULL)
        return array;
    switch (trace) {
    case AFF_SNAPSHOT_NUMBERS:
        put_numbers(model, numbers);
        array = (struct aff_snapshot_array){.at = numbers, .n = AFF_SNAPSHOT_NUMBERS_SIZE};
        break;
    case AFF_SNAPSHOT_ALIKE_STARTS:
    case AFF_SNAPSHOT_ALIKE_ENTRIES:
        array = rules_of(traces->alike, trace == AFF_SNAPSHOT_ALIKE_STARTS);
        break;
    case AFF_SNAPSHOT_VIEWED_STARTS:
    case AFF_SNAPSHOT_VIEWED_ENTRIES:
        array = rules_of(traces->viewed, trace == AFF_SNAPSHOT_VIEWED_STARTS);
        break;
    case AFF_SNAPSHOT_ADDED_STARTS:
    case AFF_SNAPSHOT_ADDED_ENTRIES:
        array = rules_of(traces->added, trace == AFF_SNAPSHOT_ADDED_STARTS);
        break;
    case AFF_SNAPSHOT_RECENT:
        array = (struct aff_snapshot_array){.at = traces->recent, .n = traces->n_recent};
        break;
    case AFF_SNAPSHOT_RECENT_OF:
        array = (struct aff_snapshot_array){.at = traces->recent_of, .n = traces->n_products};
        break;
    default:
        break;
    }
    array.element_bytes = element_bytes[trace];
    return array;
}

/* Finds an array in the file; `at` is NULL if there is none. */
static aff_status find(const struct aff_snapshot_file *file, enum aff_snapshot_trace trace,
                       struct aff_snapshot_array *ret_array)
{
    char *at = NULL;
    uint64_t bytes = 0, n = 0;
    aff_status status = aff_snapshot_item(file, AFF_SNAPSHOT_TRACES, trace, &at, &bytes);

    *ret_array = (struct aff_snapshot_array){.element_bytes = element_bytes[trace]};
    if (status != AFF_OK || at == NULL)
        return status;
    if (bytes < sizeof n)
        return AFF_DATA;
    memcpy(&n, at, sizeof n);
    if (n > (bytes - sizeof n) / element_bytes[trace] || n > UINT32_MAX)
        return AFF_DATA;
    ret_array->at = at + sizeof n;
    ret_array->n = n;
    return AFF_OK;
}

/* True if these are the n starts of lists that `n_elements` elements are divided into, each of them at least
 * `least` and at most `most` long. */
static bool are_starts(const uint32_t *starts, uint64_t n, uint64_t n_elements, uint32_t least, uint32_t most)
{
    uint32_t wrong = 0;

    if (n == 0 || starts[0] != 0 || starts[n - 1] != n_elements)
        return false;
    for (uint64_t i = 1; i < n; i++)
        wrong |= starts[i] < starts[i - 1] || starts[i] - starts[i - 1] < least ||
                 starts[i] - starts[i - 1] > most;
    return wrong == 0;
}

static bool are_neighbours(const struct aff_neighbour *entries, uint64_t n, uint64_t n_products)
{
    uint32_t most = 0, wrong = 0;

    for (uint64_t i = 0; i < n; i++) {
        most = entries[i].row > most ? entries[i].row : most;
        wrong |= !(entries[i].score >= 0 && entries[i].score < INFINITY);
    }
    return wrong == 0 && (n == 0 || most < n_products);
}

static uint64_t products_of(const struct aff_snapshot_file *file)
{
    return file->head.parts[AFF_SNAPSHOT_PRODUCTS].n;
}

static aff_status read_numbers(const struct aff_snapshot_array *array, struct aff_fitted *ret_fitted,
                               struct aff_traces *traces)
{
    const double *numbers = array->at;

    if (array->n != AFF_SNAPSHOT_NUMBERS_SIZE)
        return AFF_DATA;
    for (uint64_t i = 0; i < array->n; i++)
        if (!(numbers[i] >= 0 && numbers[i] < INFINITY))
            return AFF_DATA;
    for (int situation = 0; situation < AFF_SITUATION_MAX; situation++) {
        ret_fitted->given[situation] = *numbers++ != 0;
        for (int weight = 0; weight < AFF_FITTED_MAX; weight++)
            *aff_weights_at(&ret_fitted->of[situation], weight) = *numbers++;
    }
    traces->revisits = (float)*numbers++;
    if (*numbers > UINT32_MAX)
        return AFF_DATA;
    traces->n_sessions = (uint32_t)*numbers;
    return AFF_OK;
}

static aff_status read_rules(const struct aff_snapshot_file *file, enum aff_snapshot_trace first,
                             struct aff_successors **ret_rules)
{
    struct aff_snapshot_array starts, entries;

    if (find(file, first, &starts) != AFF_OK ||
        find(file, (enum aff_snapshot_trace)(first + 1), &entries) != AFF_OK ||
        (starts.at == NULL) != (entries.at == NULL))
        return AFF_DATA;
    if (starts.at == NULL)
        return AFF_OK;
    if (!are_starts(starts.at, starts.n, entries.n, 0, UINT32_MAX) || starts.n - 1 > products_of(file) ||
        !are_neighbours(entries.at, entries.n, products_of(file)))
        return AFF_DATA;
    struct aff_successors *rules = malloc(sizeof *rules);
    if (rules == NULL)
        return AFF_NOMEM;
    *rules = (struct aff_successors){
        .n_products = (uint32_t)(starts.n - 1), .starts = starts.at, .entries = entries.at, .borrowed = true};
    *ret_rules = rules;
    return AFF_OK;
}

static aff_status read_recent(const struct aff_snapshot_file *file, struct aff_traces *traces)
{
    struct aff_snapshot_array recent, recent_of;

    if (find(file, AFF_SNAPSHOT_RECENT, &recent) != AFF_OK ||
        find(file, AFF_SNAPSHOT_RECENT_OF, &recent_of) != AFF_OK ||
        (recent.at == NULL) != (recent_of.at == NULL))
        return AFF_DATA;
    if (recent.at == NULL)
        return AFF_OK;
    const float *scores = recent_of.at;
    uint32_t wrong = 0;
    for (uint64_t i = 0; i < recent_of.n; i++)
        wrong |= !(scores[i] >= 0 && scores[i] < INFINITY);
    if (wrong != 0 || recent_of.n > products_of(file) ||
        !are_neighbours(recent.at, recent.n, products_of(file)))
        return AFF_DATA;
    traces->recent = recent.at;
    traces->n_recent = (uint32_t)recent.n;
    traces->recent_of = recent_of.at;
    traces->n_products = (uint32_t)recent_of.n;
    traces->recent_borrowed = true;
    return AFF_OK;
}

aff_status aff_snapshot_read_traces(const struct aff_snapshot_file *file, struct aff_model *model)
{
    struct aff_snapshot_array numbers;
    aff_status status = find(file, AFF_SNAPSHOT_NUMBERS, &numbers);

    if (status != AFF_OK || numbers.at == NULL)
        return status;
    struct aff_traces *traces = calloc(1, sizeof *traces);
    if (traces == NULL)
        return AFF_NOMEM;
    status = read_numbers(&numbers, &model->fitted, traces);
    if (status == AFF_OK)
        status = read_rules(file, AFF_SNAPSHOT_ALIKE_STARTS, &traces->alike);
    if (status == AFF_OK)
        status = read_rules(file, AFF_SNAPSHOT_VIEWED_STARTS, &traces->viewed);
    if (status == AFF_OK)
        status = read_rules(file, AFF_SNAPSHOT_ADDED_STARTS, &traces->added);
    if (status == AFF_OK)
        status = read_recent(file, traces);
    if (status == AFF_OK)
        model->traces = traces;
    else
        aff_traces_free(traces);
    return status;
}
