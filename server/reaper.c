/* SPDX-License-Identifier: Apache-2.0 */
#include "server/reaper.h"

#include "server/worker.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

/* How long a client that has kept its connection open may take to use it once more after the drain began. */
#define DRAIN_IDLE_MS 1000

bool aff_reaper_is_due(const struct aff_peer *peer, const struct aff_live *live, int64_t now_ms,
                       int64_t drain_idle_ms)
{
    int64_t age_ms = now_ms - peer->since_ms;

    if (peer->phase == AFF_PHASE_WAIT)
        return false;
    if (peer->phase != AFF_PHASE_IDLE || !peer->seen) {
        if (age_ms > live->request_timeout_ms)
            return true;
    } else if (age_ms > live->idle_timeout_ms + live->request_timeout_ms) {
        return true;
    }
    return peer->phase == AFF_PHASE_IDLE && drain_idle_ms >= 0 && age_ms > drain_idle_ms;
}

/* Bytes that wait in the kernel: a request that has just come. */
static bool has_input(int fd)
{
    int waiting = 0;

    return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

void aff_reaper_run(struct aff_worker *worker, int64_t now_ms)
{
    int64_t drain_idle_ms = worker->quiesced ? DRAIN_IDLE_MS : -1;

    for (struct aff_peer *peer = worker->peers; peer != NULL; peer = peer->next) {
        if (!aff_reaper_is_due(peer, &worker->context.live, now_ms, drain_idle_ms))
            continue;
        if (peer->phase == AFF_PHASE_IDLE && has_input(peer->fd) &&
            !aff_reaper_is_due(peer, &worker->context.live, now_ms, -1))
            continue;
        if (shutdown(peer->fd, SHUT_RDWR) == 0 && peer->phase != AFF_PHASE_IDLE)
            aff_count(&worker->context.counters->connections_cut, 1);
    }
}
