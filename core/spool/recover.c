/* SPDX-License-Identifier: Apache-2.0 */
/* What a spool finds in its directory when it is opened. */
#include "core/spool/spool_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

void aff_segment_name(uint64_t first, char ret_name[AFF_SEGMENT_NAME])
{
    (void)snprintf(ret_name, AFF_SEGMENT_NAME, "%016llx.spool", (unsigned long long)first);
}

/* The number in a segment's name; 0: it is no segment. */
static uint64_t number_of(const char *name)
{
    char again[AFF_SEGMENT_NAME];
    char *end;
    uint64_t number = strtoull(name, &end, 16);

    aff_segment_name(number, again);
    return strcmp(name, again) == 0 ? number : 0;
}

aff_status aff_segment_add(struct aff_spool *spool, struct aff_segment segment)
{
    if (spool->n_segments == spool->capacity) {
        size_t capacity = spool->capacity == 0 ? 64 : spool->capacity * 2;
        struct aff_segment *segments = realloc(spool->segments, capacity * sizeof *segments);
        if (segments == NULL)
            return AFF_NOMEM;
        spool->segments = segments;
        spool->capacity = capacity;
    }
    spool->segments[spool->n_segments++] = segment;
    return AFF_OK;
}

static int compare(const void *a, const void *b)
{
    const struct aff_segment *left = a, *right = b;

    return left->first < right->first ? -1 : left->first > right->first;
}

static aff_status list(struct aff_spool *spool, struct aff_error *reterr)
{
    int again = openat(spool->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = again < 0 ? NULL : fdopendir(again);
    aff_status status = AFF_OK;

    if (directory == NULL) {
        status = aff_error_set(reterr, AFF_IO, "cannot list the spool: %s", strerror(errno));
        if (again >= 0)
            (void)close(again);
        return status;
    }
    for (struct dirent *entry; status == AFF_OK && (entry = readdir(directory)) != NULL;) {
        struct aff_segment segment = {.first = number_of(entry->d_name)};
        struct stat about;
        if (segment.first == 0)
            continue;
        if (fstatat(spool->directory, entry->d_name, &about, 0) != 0) {
            status = aff_error_set(reterr, AFF_IO, "cannot look at %s of the spool: %s", entry->d_name,
                                   strerror(errno));
            break;
        }
        segment.bytes = (uint64_t)about.st_size;
        if (aff_segment_add(spool, segment) != AFF_OK)
            status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    (void)closedir(directory);
    if (spool->n_segments > 1)
        qsort(spool->segments, spool->n_segments, sizeof *spool->segments, compare);
    return status;
}

static aff_status grow(unsigned char **bytes, size_t *capacity, size_t size)
{
    if (*capacity >= size)
        return AFF_OK;
    unsigned char *larger = realloc(*bytes, size);
    if (larger == NULL)
        return AFF_NOMEM;
    *bytes = larger;
    *capacity = size;
    return AFF_OK;
}

aff_status aff_segment_load(const struct aff_spool *spool, uint64_t first, uint64_t end,
                            unsigned char **bytes, size_t *size, size_t *capacity, struct aff_error *reterr)
{
    char name[AFF_SEGMENT_NAME];
    aff_status status = AFF_OK;

    if (*size >= end)
        return AFF_OK;
    if (grow(bytes, capacity, (size_t)end) != AFF_OK)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    aff_segment_name(first, name);
    int file = openat(spool->directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return aff_error_set(reterr, AFF_IO, "cannot open %s of the spool: %s", name, strerror(errno));
    while (*size < end) {
        ssize_t n = pread(file, *bytes + *size, (size_t)end - *size, (off_t)*size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = aff_error_set(reterr, AFF_IO, "cannot read %s of the spool: %s", name, strerror(errno));
        if (n <= 0)
            break;
        *size += (size_t)n;
    }
    (void)close(file);
    return status;
}

/* The newest segment as recovery sees it. */
struct newest {
    struct aff_segment_head head;
    bool has_head;
    uint64_t last; /* number of the last whole record; one less than the first: there is none */
    uint64_t end;  /* of that record */
    uint64_t size;
};

static aff_status look(struct aff_spool *spool, const struct aff_segment *segment, struct newest *ret,
                       struct aff_error *reterr)
{
    unsigned char *bytes = NULL;
    size_t size = 0, capacity = 0, at = AFF_SEGMENT_HEAD;
    struct aff_record record;
    aff_status status =
        aff_segment_load(spool, segment->first, segment->bytes, &bytes, &size, &capacity, reterr);

    if (status != AFF_OK) {
        free(bytes);
        return status;
    }
    *ret = (struct newest){.last = segment->first - 1, .size = size};
    ret->has_head = aff_segment_head_read(bytes, size, &ret->head) && ret->head.first == segment->first;
    ret->end = ret->has_head ? AFF_SEGMENT_HEAD : 0;
    while (aff_record_find(bytes, size, ret->last + 1, &at, &record)) {
        at += AFF_RECORD_HEAD + record.size;
        ret->last = record.number;
        ret->end = at;
    }
    free(bytes);
    return AFF_OK;
}

/* Cuts what is behind the last whole record off and makes that durable. */
static aff_status cut(struct aff_spool *spool, const struct aff_segment *segment, uint64_t end,
                      struct aff_error *reterr)
{
    char name[AFF_SEGMENT_NAME];

    aff_segment_name(segment->first, name);
    int file = openat(spool->directory, name, O_WRONLY | O_CLOEXEC);
    bool good = file >= 0 && ftruncate(file, (off_t)end) == 0 && fsync(file) == 0;
    aff_status status =
        good ? AFF_OK
             : aff_error_set(reterr, AFF_IO, "cannot cut %s of the spool: %s", name, strerror(errno));
    if (file >= 0)
        (void)close(file);
    return status;
}

/* Reads the spool's id from the oldest segment that tells it. */
static aff_status find_id(struct aff_spool *spool, struct aff_error *reterr)
{
    for (size_t i = 0; i < spool->n_segments; i++) {
        unsigned char *bytes = NULL;
        size_t size = 0, capacity = 0;
        struct aff_segment_head head;
        aff_status status = aff_segment_load(spool, spool->segments[i].first, AFF_SEGMENT_HEAD, &bytes, &size,
                                             &capacity, reterr);
        bool good = status == AFF_OK && aff_segment_head_read(bytes, size, &head);
        free(bytes);
        if (status != AFF_OK)
            return status;
        if (good) {
            memcpy(spool->id, head.id, sizeof spool->id);
            return AFF_OK;
        }
    }
    if (getrandom(spool->id, sizeof spool->id, 0) != (ssize_t)sizeof spool->id)
        return aff_error_set(reterr, AFF_IO, "the system gives no random numbers: %s", strerror(errno));
    return AFF_OK;
}

aff_status aff_spool_recover(struct aff_spool *spool, struct aff_spool_found *ret_found,
                             struct aff_error *reterr)
{
    struct aff_spool_found found = {0};
    struct newest newest;
    aff_status status = list(spool, reterr);

    if (status == AFF_OK)
        status = find_id(spool, reterr);
    spool->next = spool->wanted = 1;
    if (status == AFF_OK && spool->n_segments > 0) {
        struct aff_segment *last = &spool->segments[spool->n_segments - 1];
        status = look(spool, last, &newest, reterr);
        if (status == AFF_OK && newest.size > newest.end) {
            found.cut_bytes = newest.size - newest.end;
            status = cut(spool, last, newest.end, reterr);
        }
        if (status == AFF_OK) {
            last->bytes = newest.end;
            spool->next = newest.last + 1;
            spool->wanted = spool->segments[0].first;
        }
    }
    spool->durable = spool->next - 1;
    spool->freed = spool->wanted - 1;
    found.records = spool->durable - spool->freed;
    if (status == AFF_OK)
        *ret_found = found;
    return status;
}
