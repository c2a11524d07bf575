/* SPDX-License-Identifier: Apache-2.0 */
#include "server/buffers.h"

#include <stdlib.h>

#define SPARE_MAX 256                       /* buffers kept */
#define SPARE_BYTES_MAX ((size_t)64 * 1024) /* of one; larger ones are rare and freed */

struct aff_buffer *aff_buffer_take(struct aff_buffers *buffers)
{
    struct aff_buffer *buffer = buffers->spare;

    if (buffer == NULL) {
        buffer = calloc(1, sizeof *buffer);
        if (buffer != NULL)
            buffer->home = buffers;
        return buffer;
    }
    buffers->spare = buffer->next;
    buffers->n_spare--;
    aff_json_reset(&buffer->json);
    return buffer;
}

void aff_buffer_give(struct aff_buffer *buffer)
{
    if (buffer == NULL)
        return;
    struct aff_buffers *home = buffer->home;
    if (home->n_spare == SPARE_MAX) {
        aff_json_done(&buffer->json);
        free(buffer);
        return;
    }
    if (buffer->json.capacity > SPARE_BYTES_MAX)
        aff_json_done(&buffer->json);
    buffer->next = home->spare;
    home->spare = buffer;
    home->n_spare++;
}

void aff_buffers_done(struct aff_buffers *buffers)
{
    while (buffers->spare != NULL) {
        struct aff_buffer *buffer = buffers->spare;
        buffers->spare = buffer->next;
        aff_json_done(&buffer->json);
        free(buffer);
    }
    buffers->n_spare = 0;
}
