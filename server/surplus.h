/* SPDX-License-Identifier: Apache-2.0 */
/* Whether more bytes have come on a connection than the heads of its requests have. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* True if the kernel has handed over more than `head_bytes` bytes of the TCP connection `fd`: a second
 * request that was sent without waiting for an answer, or one that a malformed line hid from us.
 * libmicrohttpd 0.9.75 ends the head at a line that is empty but for its colon, or begins with NUL, and takes
 * what follows for the next request, so the connection must end with this answer. One system call, two if
 * there is a surplus. A closed sending side counts as one byte. Descriptors that are no TCP connection give
 * false. */
bool aff_surplus(int fd, uint64_t head_bytes);
