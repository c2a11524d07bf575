/* SPDX-License-Identifier: Apache-2.0 */
#include "server/surplus.h"

#include <linux/tcp.h> /* glibc's own struct tcp_info ends before tcpi_bytes_received */
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

bool aff_surplus(int fd, uint64_t head_bytes)
{
    struct tcp_info info;
    socklen_t size = offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
    const socklen_t wanted = size;
    int waiting = 0;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < wanted ||
        info.tcpi_bytes_received <= head_bytes)
        return false;
    if (ioctl(fd, FIONREAD, &waiting) != 0)
        waiting = 0;
    return info.tcpi_bytes_received - (uint64_t)waiting > head_bytes;
}
