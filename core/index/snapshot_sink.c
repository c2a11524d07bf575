/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/snapshot_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Blocks after which the kernel is asked to begin with writing them out, so that the end does not have to
 * wait for all of them. */
enum { BLOCKS_A_PUSH = 8 };

static aff_status no_memory(struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
}

aff_status aff_snapshot_sink_begin(struct aff_snapshot_sink *sink, int fd, const char *path,
                                   struct aff_error *reterr)
{
    *sink = (struct aff_snapshot_sink){
        .fd = fd, .path = path, .at = AFF_SNAPSHOT_HEAD, .capacity = 2 * AFF_SNAPSHOT_BLOCK};
    sink->buffer = malloc(sink->capacity);
    return sink->buffer == NULL ? no_memory(reterr) : AFF_OK;
}

void aff_snapshot_sink_done(struct aff_snapshot_sink *sink)
{
    free(sink->buffer);
    free(sink->sums);
    *sink = (struct aff_snapshot_sink){0};
}

char *aff_snapshot_sink_take(struct aff_snapshot_sink *sink, size_t size)
{
    if (size > sink->capacity - sink->used) {
        size_t capacity = sink->capacity;
        while (capacity - sink->used < size)
            capacity *= 2;
        char *buffer = realloc(sink->buffer, capacity);
        if (buffer == NULL)
            return NULL;
        sink->buffer = buffer;
        sink->capacity = capacity;
    }
    char *piece = sink->buffer + sink->used;
    sink->used += size;
    return piece;
}

aff_status aff_snapshot_sink_align(struct aff_snapshot_sink *sink)
{
    uint64_t place = aff_snapshot_sink_place(sink);
    size_t gap = (size_t)(aff_snapshot_aligned(place) - place);
    char *piece = aff_snapshot_sink_take(sink, gap);

    if (piece == NULL)
        return AFF_NOMEM;
    memset(piece, 0, gap);
    return AFF_OK;
}

static aff_status write_at(const struct aff_snapshot_sink *sink, const void *bytes, size_t size, uint64_t at,
                           struct aff_error *reterr)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = pwrite(sink->fd, from, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return aff_error_set(reterr, AFF_IO, "cannot write snapshot '%s': %s", sink->path,
                                 strerror(n == 0 ? ENOSPC : errno));
        from += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return AFF_OK;
}

static aff_status add_sum(struct aff_snapshot_sink *sink, const char *block, size_t size,
                          struct aff_error *reterr)
{
    if (sink->n_sums == sink->sum_capacity) {
        size_t capacity = sink->sum_capacity == 0 ? 64 : sink->sum_capacity * 2;
        struct aff_checksum *sums = realloc(sink->sums, capacity * sizeof *sums);
        if (sums == NULL)
            return no_memory(reterr);
        sink->sums = sums;
        sink->sum_capacity = capacity;
    }
    sink->sums[sink->n_sums++] = aff_checksum_of(block, size);
    return AFF_OK;
}

/* Writes the first `size` bytes of the buffer as blocks and moves the rest to its start. */
static aff_status write_blocks(struct aff_snapshot_sink *sink, size_t size, struct aff_error *reterr)
{
    aff_status status = AFF_OK;
    size_t done = 0;

    while (status == AFF_OK && done < size) {
        size_t n = size - done < AFF_SNAPSHOT_BLOCK ? size - done : AFF_SNAPSHOT_BLOCK;
        status = add_sum(sink, sink->buffer + done, n, reterr);
        if (status == AFF_OK)
            status = write_at(sink, sink->buffer + done, n, sink->at + done, reterr);
        done += n;
        if (sink->n_sums % BLOCKS_A_PUSH == 0)
            (void)sync_file_range(sink->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    if (status != AFF_OK)
        return status;
    memmove(sink->buffer, sink->buffer + done, sink->used - done);
    sink->used -= done;
    sink->at += done;
    return AFF_OK;
}

aff_status aff_snapshot_sink_flush(struct aff_snapshot_sink *sink, struct aff_error *reterr)
{
    return write_blocks(sink, sink->used / AFF_SNAPSHOT_BLOCK * AFF_SNAPSHOT_BLOCK, reterr);
}

aff_status aff_snapshot_sink_finish(struct aff_snapshot_sink *sink, struct aff_snapshot_head *head,
                                    struct aff_error *reterr)
{
    char page[AFF_SNAPSHOT_HEAD];
    aff_status status = write_blocks(sink, sink->used, reterr);
    const size_t sum_bytes = sink->n_sums * sizeof *sink->sums;

    if (status == AFF_OK)
        status = write_at(sink, sink->sums, sum_bytes, sink->at, reterr);
    if (status != AFF_OK)
        return status;
    memcpy(head->magic, AFF_SNAPSHOT_MAGIC, sizeof head->magic);
    head->format = AFF_SNAPSHOT_FORMAT;
    head->byte_order = AFF_SNAPSHOT_BYTE_ORDER;
    head->layout = aff_snapshot_layout();
    head->checksums = sink->at;
    head->n_blocks = sink->n_sums;
    head->file_bytes = sink->at + sum_bytes;
    head->blocks = aff_checksum_of(sink->sums, sum_bytes);
    aff_snapshot_seal(head, page);
    status = write_at(sink, page, sizeof page, 0, reterr);
    if (status == AFF_OK && fsync(sink->fd) != 0)
        return aff_error_set(reterr, AFF_IO, "cannot make snapshot '%s' lasting: %s", sink->path,
                             strerror(errno));
    return status;
}
