/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spool/spool_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static aff_status open_directory(struct aff_spool *spool, const char *path, struct aff_error *reterr)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return aff_error_set(reterr, AFF_IO, "cannot make the spool's directory %s: %s", path,
                             strerror(errno));
    spool->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->directory < 0)
        return aff_error_set(reterr, AFF_IO, "cannot open the spool's directory %s: %s", path,
                             strerror(errno));
    spool->lock_file = openat(spool->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock_file < 0)
        return aff_error_set(reterr, AFF_IO, "cannot write into the spool's directory %s: %s", path,
                             strerror(errno));
    if (flock(spool->lock_file, LOCK_EX | LOCK_NB) == 0)
        return AFF_OK;
    if (errno == EWOULDBLOCK)
        return aff_error_set(
            reterr, AFF_BUSY,
            "another process has the spool %s; each running service needs a directory of its own", path);
    return aff_error_set(reterr, AFF_IO, "cannot lock the spool %s: %s", path, strerror(errno));
}

aff_status aff_spool_open(const struct aff_spool_plan *plan, struct aff_spool **ret_spool,
                          struct aff_spool_found *ret_found, struct aff_error *reterr)
{
    struct aff_spool *spool = calloc(1, sizeof *spool);

    if (spool == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    spool->directory = spool->lock_file = spool->file = -1;
    spool->limit_bytes = plan->limit_bytes;
    spool->segment_bytes = plan->segment_bytes;
    (void)pthread_mutex_init(&spool->lock, NULL);
    aff_status status = open_directory(spool, plan->directory, reterr);
    if (status == AFF_OK)
        status = aff_spool_recover(spool, ret_found, reterr);
    if (status != AFF_OK) {
        aff_spool_close(spool);
        return status;
    }
    *ret_spool = spool;
    return AFF_OK;
}

static void close_file(int file)
{
    if (file >= 0)
        (void)close(file);
}

void aff_spool_close(struct aff_spool *spool)
{
    if (spool == NULL)
        return;
    close_file(spool->file);
    close_file(spool->lock_file);
    close_file(spool->directory);
    (void)pthread_mutex_destroy(&spool->lock);
    free(spool->segments);
    free(spool->bytes);
    free(spool);
}

const unsigned char *aff_spool_id(const struct aff_spool *spool)
{
    return spool->id;
}

static uint64_t bytes_of(const struct aff_spool *spool)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < spool->n_segments; i++)
        bytes += spool->segments[i].bytes;
    return bytes;
}

void aff_spool_remove_freed(struct aff_spool *spool)
{
    size_t n = 0;

    while (n + 1 < spool->n_segments && spool->segments[n + 1].first <= spool->freed + 1) {
        char name[AFF_SEGMENT_NAME];
        aff_segment_name(spool->segments[n].first, name);
        /* A segment that cannot be removed is found again at the next start, and all that is in it known. */
        (void)unlinkat(spool->directory, name, 0);
        n++;
    }
    if (n > 0) {
        spool->n_segments -= n;
        memmove(spool->segments, spool->segments + n, spool->n_segments * sizeof *spool->segments);
    }
}

/* ---- writing ---- */

static aff_status failed(struct aff_error *reterr, const char *what)
{
    return aff_error_set(reterr, AFF_IO, "cannot %s the spool: %s", what, strerror(errno));
}

/* Throws away what is not durable. After a failed sync the kernel may have dropped pages that it calls clean,
 * so nothing more is written into this segment. */
static void give_up(struct aff_spool *spool)
{
    if (spool->file < 0)
        return;
    if (ftruncate(spool->file, (off_t)spool->at_safe) != 0) {
        /* What stays has numbers that the next segment takes, so it is not read. */
    }
    (void)close(spool->file);
    spool->file = -1;
    spool->next = spool->durable + 1;
}

static bool write_all(int file, struct iovec *parts, int n, uint64_t at)
{
    while (n > 0) {
        ssize_t written = pwritev(file, parts, n, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += (uint64_t)written;
        for (size_t left = (size_t)written; left > 0;) {
            size_t of = parts->iov_len < left ? parts->iov_len : left;
            parts->iov_base = (char *)parts->iov_base + of;
            parts->iov_len -= of;
            left -= of;
            if (parts->iov_len == 0) {
                parts++;
                n--;
            }
        }
        while (n > 0 && parts->iov_len == 0) {
            parts++;
            n--;
        }
    }
    return true;
}

/* Begins the segment of the next record. One of that name holds nothing durable. */
static aff_status begin_segment(struct aff_spool *spool, struct aff_error *reterr)
{
    struct aff_segment_head head = {.first = spool->next};
    unsigned char bytes[AFF_SEGMENT_HEAD];
    struct iovec part = {bytes, sizeof bytes};
    char name[AFF_SEGMENT_NAME];

    close_file(spool->file);
    aff_segment_name(spool->next, name);
    spool->file = openat(spool->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (spool->file < 0)
        return failed(reterr, "write");
    memcpy(head.id, spool->id, sizeof head.id);
    aff_segment_head_write(&head, bytes);
    bool good =
        write_all(spool->file, &part, 1, 0) && fdatasync(spool->file) == 0 && fsync(spool->directory) == 0;
    aff_status status = good ? AFF_OK : failed(reterr, "write");
    if (status == AFF_OK) {
        (void)pthread_mutex_lock(&spool->lock);
        struct aff_segment segment = {spool->next, AFF_SEGMENT_HEAD};
        if (spool->n_segments > 0 && spool->segments[spool->n_segments - 1].first == spool->next)
            spool->segments[spool->n_segments - 1] = segment;
        else if (aff_segment_add(spool, segment) != AFF_OK)
            status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        aff_spool_remove_freed(spool);
        (void)pthread_mutex_unlock(&spool->lock);
    }
    if (status != AFF_OK) {
        (void)close(spool->file);
        spool->file = -1;
        return status;
    }
    spool->at = spool->at_safe = AFF_SEGMENT_HEAD;
    return AFF_OK;
}

/* A segment that is full, or has only free records, gives way to another; never one with records that are not
 * durable yet. */
static bool is_over(struct aff_spool *spool)
{
    if (spool->file < 0)
        return true;
    if (spool->at != spool->at_safe || spool->at == AFF_SEGMENT_HEAD)
        return false;
    (void)pthread_mutex_lock(&spool->lock);
    bool free = spool->freed == spool->durable;
    (void)pthread_mutex_unlock(&spool->lock);
    return free || spool->at >= spool->segment_bytes;
}

aff_status aff_spool_append(struct aff_spool *spool, const void *content, size_t size,
                            struct aff_error *reterr)
{
    unsigned char head[AFF_RECORD_HEAD];
    union { /* writing does not change what it writes */
        const void *in;
        void *out;
    } bytes = {content};
    struct iovec parts[2] = {{head, sizeof head}, {bytes.out, size}};

    assert(size <= AFF_RECORD_MAX);
    if (is_over(spool)) {
        aff_status status = begin_segment(spool, reterr);
        if (status != AFF_OK)
            return status;
    }
    (void)pthread_mutex_lock(&spool->lock);
    uint64_t used = bytes_of(spool) + (spool->at - spool->at_safe);
    (void)pthread_mutex_unlock(&spool->lock);
    if (used + AFF_RECORD_HEAD + size > spool->limit_bytes)
        return aff_error_set(reterr, AFF_LIMIT, "the spool is full (spool.limit_mb)");
    aff_record_head_write(spool->next, content, size, head);
    if (!write_all(spool->file, parts, 2, spool->at)) {
        aff_status status = failed(reterr, "write");
        give_up(spool);
        return status;
    }
    spool->at += AFF_RECORD_HEAD + size;
    spool->next++;
    return AFF_OK;
}

aff_status aff_spool_sync(struct aff_spool *spool, struct aff_error *reterr)
{
    if (spool->file < 0 || spool->at == spool->at_safe)
        return AFF_OK;
    if (fdatasync(spool->file) != 0) {
        aff_status status = failed(reterr, "sync");
        give_up(spool);
        return status;
    }
    spool->at_safe = spool->at;
    (void)pthread_mutex_lock(&spool->lock);
    spool->segments[spool->n_segments - 1].bytes = spool->at;
    spool->durable = spool->next - 1;
    (void)pthread_mutex_unlock(&spool->lock);
    return AFF_OK;
}

/* ---- reading ---- */

/* The segment that holds record `number`, and the number behind its last durable record. False: there is no
 * such durable record. */
static bool locate(struct aff_spool *spool, uint64_t number, struct aff_segment *ret, uint64_t *ret_behind)
{
    (void)pthread_mutex_lock(&spool->lock);
    size_t i = spool->n_segments;
    while (i > 0 && spool->segments[i - 1].first > number)
        i--;
    bool found = i > 0 && number <= spool->durable;
    if (found) {
        *ret = spool->segments[i - 1];
        *ret_behind = i < spool->n_segments ? spool->segments[i].first : spool->durable + 1;
    }
    (void)pthread_mutex_unlock(&spool->lock);
    return found;
}

static void lose(struct aff_spool *spool, uint64_t records)
{
    if (records == 0)
        return;
    (void)pthread_mutex_lock(&spool->lock);
    spool->lost += records;
    (void)pthread_mutex_unlock(&spool->lock);
}

aff_status aff_spool_next(struct aff_spool *spool, struct aff_spool_record *ret_record,
                          struct aff_error *reterr)
{
    struct aff_segment segment;
    struct aff_record record;
    uint64_t behind;

    while (locate(spool, spool->wanted, &segment, &behind)) {
        if (segment.first != spool->reading) {
            spool->reading = segment.first;
            spool->size = 0;
            spool->read_at = AFF_SEGMENT_HEAD;
        }
        aff_status status = aff_segment_load(spool, segment.first, segment.bytes, &spool->bytes, &spool->size,
                                             &spool->bytes_capacity, reterr);
        if (status != AFF_OK)
            return status;
        bool found = aff_record_find(spool->bytes, spool->size, spool->wanted, &spool->read_at, &record) &&
                     record.number < behind;
        if (!found) {
            lose(spool, behind - spool->wanted);
            spool->wanted = behind;
            continue;
        }
        lose(spool, record.number - spool->wanted);
        spool->wanted = record.number + 1;
        spool->read_at += AFF_RECORD_HEAD + record.size;
        *ret_record = (struct aff_spool_record){record.number, record.content, record.size};
        return AFF_OK;
    }
    return AFF_NOTFOUND;
}

void aff_spool_rewind(struct aff_spool *spool, uint64_t number)
{
    spool->wanted = number + 1;
    (void)pthread_mutex_lock(&spool->lock);
    if (spool->wanted <= spool->freed)
        spool->wanted = spool->freed + 1;
    (void)pthread_mutex_unlock(&spool->lock);
    spool->read_at = AFF_SEGMENT_HEAD;
}

void aff_spool_free(struct aff_spool *spool, uint64_t number)
{
    (void)pthread_mutex_lock(&spool->lock);
    if (number > spool->durable)
        number = spool->durable;
    if (number > spool->freed)
        spool->freed = number;
    aff_spool_remove_freed(spool);
    (void)pthread_mutex_unlock(&spool->lock);
}

void aff_spool_read_view(struct aff_spool *spool, struct aff_spool_view *ret_view)
{
    (void)pthread_mutex_lock(&spool->lock);
    *ret_view = (struct aff_spool_view){
        .bytes = bytes_of(spool),
        .durable = spool->durable,
        .waiting = spool->durable - spool->freed,
        .lost_records = spool->lost,
    };
    (void)pthread_mutex_unlock(&spool->lock);
}
