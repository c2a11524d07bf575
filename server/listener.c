/* SPDX-License-Identifier: Apache-2.0 */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_INHERITED 3 /* sd_listen_fds(3) */
#define BACKLOG 4096

static int port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

/* True if a socket was handed to this very process. */
static bool is_activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

    return pid != NULL && n != NULL && strtol(pid, NULL, 10) == (long)getpid() && strtol(n, NULL, 10) >= 1;
}

static aff_status inherit(struct aff_listener *ret, struct aff_error *reterr)
{
    int listening = 0, fd = FIRST_INHERITED;
    socklen_t size = sizeof listening;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
        return aff_error_set(reterr, AFF_IO, "LISTEN_FDS is set, but descriptor %d is no listening socket",
                             fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return aff_error_set(reterr, AFF_IO, "the inherited socket cannot be set up: %s", strerror(errno));
    *ret = (struct aff_listener){.fd = fd, .port = port_of(fd), .inherited = true};
    return AFF_OK;
}

static int open_one(const struct addrinfo *at)
{
    int on = 1;
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

aff_status aff_listener_open(const char *address, int port, struct aff_listener *ret,
                             struct aff_error *reterr)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[16];

    if (is_activated())
        return inherit(ret, reterr);
    (void)snprintf(service, sizeof service, "%d", port);
    int failure = getaddrinfo(address[0] == '\0' ? NULL : address, service, &hints, &found);
    if (failure != 0)
        return aff_error_set(reterr, AFF_IO, "http.address '%s' is no address of this machine: %s", address,
                             gai_strerror(failure));
    int fd = open_one(found);
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return aff_error_set(
            reterr, AFF_IO, "cannot listen on %s port %d: %s%s", address, port, strerror(reason),
            reason == EADDRINUSE ? "; another program has it, choose another http.port" : "");
    *ret = (struct aff_listener){.fd = fd, .port = port_of(fd)};
    return AFF_OK;
}

void aff_listener_close(struct aff_listener *listener)
{
    if (listener->fd >= 0)
        (void)close(listener->fd);
    listener->fd = -1;
}
