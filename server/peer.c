/* SPDX-License-Identifier: Apache-2.0 */
#include "server/peer.h"

#include "server/worker.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define BODY_KEPT_BYTES ((size_t)16 * 1024) /* memory for bodies that an idle connection may hold */

struct aff_peer *aff_peer_new(struct aff_worker *worker, int fd, int64_t now_ms)
{
    struct aff_peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL)
        return NULL;
    peer->worker = worker;
    peer->fd = fd;
    peer->since_ms = now_ms;
    peer->next = worker->peers;
    if (peer->next != NULL)
        peer->next->previous = peer;
    worker->peers = peer;
    return peer;
}

void aff_peer_free(struct aff_peer *peer)
{
    if (peer == NULL)
        return;
    if (peer->previous != NULL)
        peer->previous->next = peer->next;
    else
        peer->worker->peers = peer->next;
    if (peer->next != NULL)
        peer->next->previous = peer->previous;
    aff_buffer_give(peer->buffer);
    free(peer->target);
    free(aff_peer_take_body(peer));
    free(peer);
}

void aff_peer_set_address(struct aff_peer *peer, const struct sockaddr *address)
{
    peer->remote = true;
    if (address == NULL)
        return;
    if (address->sa_family == AF_UNIX) {
        peer->remote = false;
    } else if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        peer->remote = ntohl(four.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        bool mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) && six.sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
        peer->remote = !mapped && !IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    }
}

/* Makes room for `wanted` bytes; false: no memory. */
static bool grow(char **bytes, size_t *capacity, size_t wanted)
{
    size_t next = *capacity < 512 ? 512 : *capacity;

    if (wanted <= *capacity)
        return true;
    while (next < wanted)
        next *= 2;
    char *moved = realloc(*bytes, next);
    if (moved == NULL)
        return false;
    *bytes = moved;
    *capacity = next;
    return true;
}

bool aff_peer_set_target(struct aff_peer *peer, const char *target)
{
    size_t size = strlen(target);

    peer->target_size = size;
    if (size > AFF_TARGET_BYTES)
        return true;
    if (!grow(&peer->target, &peer->target_capacity, size + 1)) {
        peer->target_size = 0;
        return false;
    }
    memcpy(peer->target, target, size);
    return true;
}

bool aff_peer_add_body(struct aff_peer *peer, const char *bytes, size_t size)
{
    size_t capacity = peer->body_capacity;

    if (peer->body_size + size > capacity && peer->worker->body_bytes + size > AFF_PEER_BODIES_MAX)
        return false;
    if (!grow(&peer->body, &peer->body_capacity, peer->body_size + size))
        return false;
    peer->worker->body_bytes += peer->body_capacity - capacity;
    memcpy(peer->body + peer->body_size, bytes, size);
    peer->body_size += size;
    return true;
}

char *aff_peer_take_body(struct aff_peer *peer)
{
    char *body = peer->body;

    peer->worker->body_bytes -= peer->body_capacity;
    peer->body = NULL;
    peer->body_size = peer->body_capacity = 0;
    return body;
}

void aff_peer_reset(struct aff_peer *peer, int64_t now_ms)
{
    aff_buffer_give(peer->buffer);
    peer->buffer = NULL;
    if (peer->body_capacity > BODY_KEPT_BYTES)
        free(aff_peer_take_body(peer));
    peer->body_size = 0;
    peer->thrown_bytes = 0;
    peer->phase = AFF_PHASE_IDLE;
    peer->answered = false;
    peer->seen = true;
    peer->since_ms = now_ms;
}
