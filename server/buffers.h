/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's buffers for answers: taken for a request, handed to libmicrohttpd with the answer, given back
 * with their memory when it has been sent. One thread only. */
#pragma once

#include "json/writer.h"

struct aff_buffers;

struct aff_buffer {
    struct aff_json json; /* empty when taken */
    struct aff_buffers *home;
    struct aff_buffer *next;
};

/* Set to zero before first use. */
struct aff_buffers {
    struct aff_buffer *spare;
    size_t n_spare;
};

struct aff_buffer *aff_buffer_take(struct aff_buffers *buffers); /* NULL: no memory */
void aff_buffer_give(struct aff_buffer *buffer);                 /* NULL is a no-op */
void aff_buffers_done(struct aff_buffers *buffers);              /* none may be out */
