/* SPDX-License-Identifier: Apache-2.0 */
/* How the intake of events is: as a member of /health and as families of /metrics. */
#pragma once

#include "server/call.h"

/* True: events go into the database as they should, or there is no intake. */
bool aff_events_are_well(struct aff_events *events);

/* Writes "events": {...} or, without an intake, null. */
void aff_present_events(struct aff_json *json, struct aff_events *events);

/* Writes the families; `sum` holds the workers' counters. `events` may be NULL. */
void aff_present_event_metrics(struct aff_json *to, const struct aff_counters *sum,
                               struct aff_events *events);
