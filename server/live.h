/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the configuration that requests depend on and that a reload changes. Each worker has a copy of
 * its own, which only it reads; a reload hands it the next one between two requests. */
#pragma once

#include "config/blend.h"
#include "core/base/clock.h"
#include "core/base/text.h"

struct aff_live {
    char store[AFF_ID_MAX + 1]; /* that is meant when a request names none */
    struct aff_blend blend;
    size_t body_bytes;       /* of a request, at most */
    size_t write_body_bytes; /* of a request that writes, at most */
    size_t write_batch;      /* entries of a request that writes, at most */
    bool write_enabled, write_remote;
    int64_t request_timeout_ms; /* from the first byte of a request to the last, and for writing the answer */
    int64_t idle_timeout_ms;    /* without a request on an open connection */
    int64_t session_us;         /* how long views and carts count */
    int64_t rejection_us;       /* how long rejections hold */
    double impression_half_life_s;
    size_t events_batch;  /* events of a request, at most */
    uint64_t connections; /* open over all workers, at most */
    uint64_t waiting;     /* requests of all workers that wait for another thread, at most */
};

static inline struct aff_live aff_live_of(const struct aff_config *config)
{
    struct aff_live live = {
        .blend = aff_config_blend(config),
        .body_bytes = (size_t)config->http_body_bytes,
        .write_body_bytes = (size_t)config->write_body_bytes,
        .write_batch = (size_t)config->write_batch,
        .write_enabled = config->write_enabled,
        .write_remote = config->write_remote,
        .request_timeout_ms = config->http_request_timeout_s * 1000,
        .idle_timeout_ms = config->http_idle_timeout_s * 1000,
        .session_us = config->events_session_hours * 3600 * AFF_SECOND_US,
        .rejection_us = config->events_rejection_days * AFF_DAY_US,
        .impression_half_life_s = config->recommend_impression_half_life_hours * 3600,
        .events_batch = (size_t)config->events_batch,
        .connections = (uint64_t)config->http_connections,
        .waiting = (uint64_t)config->http_waiting,
    };
    size_t size = strnlen(config->store_name, AFF_ID_MAX);

    memcpy(live.store, config->store_name, size);
    live.store[size] = '\0';
    return live;
}
