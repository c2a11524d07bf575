/* SPDX-License-Identifier: Apache-2.0 */
#include "server/percent.h"

#include <string.h>

/* The value of a hexadecimal digit, -1 for any other byte. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool aff_percent_decode(const char *from, size_t size, bool plus, char *to, size_t *ret_size)
{
    size_t at = 0, n = 0;

    while (at < size) {
        char c = from[at++];
        if (c == '%') {
            int high = at < size ? digit_of(from[at]) : -1;
            int low = at + 1 < size ? digit_of(from[at + 1]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            return false;
        to[n++] = c;
    }
    *ret_size = n;
    return true;
}
