/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding (RFC 3986, 2.1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Decodes `size` bytes of `from` to `to`, which needs room for `size` bytes and may be `from` itself; with
 * `plus` a plus sign is a blank, as in query strings. False: a percent sign without two hexadecimal digits,
 * or a NUL byte. */
bool aff_percent_decode(const char *from, size_t size, bool plus, char *to, size_t *ret_size);
