/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP methods that the service knows. Others are answered 501, known ones that a path has not 405. */
#pragma once

#define AFF_METHOD_LIST(X)                                                                                   \
    X(GET)                                                                                                   \
    X(HEAD)                                                                                                  \
    X(POST)                                                                                                  \
    X(PUT)                                                                                                   \
    X(PATCH)                                                                                                 \
    X(DELETE)                                                                                                \
    X(OPTIONS)

enum aff_method {
#define X(name) AFF_METHOD_##name,
    AFF_METHOD_LIST(X)
#undef X
        AFF_METHOD_MAX
};
