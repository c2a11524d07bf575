/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import/input.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PIECE = 128 * 1024, HASH_PIECE = 1024 * 1024 };

struct aff_input {
    int fd;
    const char *path; /* borrowed */
    enum { UNKNOWN, PLAIN, GZIP, ZSTD } kind;
    uint64_t taken;
    size_t at, end;          /* what is in `piece` and not yet unpacked */
    bool file_ended, inside; /* inside: a packed piece has begun and not ended */
    z_stream zlib;
    ZSTD_DStream *zstd;
    char piece[PIECE];
};

static aff_status file_error(const char *path, struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_IO, "%s: %s", path, strerror(errno));
}

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

aff_status aff_input_open(const char *path, struct aff_input **ret_input, struct aff_error *reterr)
{
    int fd = is_stdin(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return file_error(path, reterr);
    struct aff_input *input = calloc(1, sizeof *input);
    if (input == NULL) {
        if (fd != STDIN_FILENO)
            (void)close(fd);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    input->fd = fd;
    input->path = is_stdin(path) ? "standard input" : path;
    *ret_input = input;
    return AFF_OK;
}

/* Reads the next bytes of the file when `piece` is used up, at least `wanted` of them unless the file ends.
 */
static aff_status load(struct aff_input *input, size_t wanted, struct aff_error *reterr)
{
    if (input->at == input->end)
        input->at = input->end = 0;
    while (!input->file_ended && input->end - input->at < wanted) {
        ssize_t size = read(input->fd, input->piece + input->end, PIECE - input->end);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return file_error(input->path, reterr);
        input->file_ended = size == 0;
        input->end += (size_t)size;
        input->taken += (uint64_t)size;
    }
    return AFF_OK;
}

static aff_status recognise(struct aff_input *input, struct aff_error *reterr)
{
    aff_status status = load(input, 4, reterr);

    if (status != AFF_OK)
        return status;
    input->kind = PLAIN;
    if (input->end >= 2 && memcmp(input->piece, "\x1F\x8B", 2) == 0) {
        if (inflateInit2(&input->zlib, 15 + 16) != Z_OK)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        input->kind = GZIP;
    } else if (input->end >= 4 && memcmp(input->piece, "\x28\xB5\x2F\xFD", 4) == 0) {
        input->zstd = ZSTD_createDStream();
        if (input->zstd == NULL)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        input->kind = ZSTD;
    }
    return AFF_OK;
}

static aff_status damaged(const struct aff_input *input, const char *why, struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_IO, "%s: the packed file is damaged (%s)", input->path, why);
}

static aff_status unpack_gzip(struct aff_input *input, char *into, size_t size, size_t *ret_size,
                              struct aff_error *reterr)
{
    z_stream *zlib = &input->zlib;

    zlib->next_in = (Bytef *)input->piece + input->at;
    zlib->avail_in = (uInt)(input->end - input->at);
    zlib->next_out = (Bytef *)into;
    zlib->avail_out = (uInt)size;
    int outcome = inflate(zlib, Z_NO_FLUSH);
    input->at = input->end - zlib->avail_in;
    input->inside = outcome != Z_STREAM_END;
    *ret_size = size - zlib->avail_out;
    if (outcome == Z_STREAM_END)
        (void)inflateReset(zlib);
    else if (outcome != Z_OK && outcome != Z_BUF_ERROR)
        return damaged(input, zlib->msg == NULL ? "zlib" : zlib->msg, reterr);
    return AFF_OK;
}

static aff_status unpack_zstd(struct aff_input *input, char *into, size_t size, size_t *ret_size,
                              struct aff_error *reterr)
{
    ZSTD_inBuffer in = {input->piece, input->end, input->at};
    ZSTD_outBuffer out = {into, size, 0};
    size_t outcome = ZSTD_decompressStream(input->zstd, &out, &in);

    input->at = in.pos;
    *ret_size = out.pos;
    input->inside = outcome != 0;
    if (ZSTD_isError(outcome) != 0)
        return damaged(input, ZSTD_getErrorName(outcome), reterr);
    return AFF_OK;
}

aff_status aff_input_read(void *context, char *into, size_t size, size_t *ret_size, struct aff_error *reterr)
{
    struct aff_input *input = context;
    aff_status status = input->kind == UNKNOWN ? recognise(input, reterr) : AFF_OK;

    for (;;) {
        size_t got = 0;
        if (status == AFF_OK)
            status = load(input, 1, reterr);
        if (status != AFF_OK)
            return status;
        bool empty = input->at == input->end;
        if (empty && (input->kind == PLAIN || !input->inside)) {
            *ret_size = 0;
            return AFF_OK;
        }
        if (input->kind == PLAIN) {
            got = input->end - input->at < size ? input->end - input->at : size;
            memcpy(into, input->piece + input->at, got);
            input->at += got;
        } else {
            status = input->kind == GZIP ? unpack_gzip(input, into, size, &got, reterr)
                                         : unpack_zstd(input, into, size, &got, reterr);
            if (status == AFF_OK && got == 0 && empty)
                return damaged(input, "it ends too early", reterr);
        }
        if (status == AFF_OK && got > 0) {
            *ret_size = got;
            return AFF_OK;
        }
    }
}

uint64_t aff_input_taken(const struct aff_input *input)
{
    return input->taken;
}

void aff_input_close(struct aff_input *input)
{
    if (input == NULL)
        return;
    if (input->kind == GZIP)
        (void)inflateEnd(&input->zlib);
    (void)ZSTD_freeDStream(input->zstd);
    if (input->fd != STDIN_FILENO)
        (void)close(input->fd);
    free(input);
}

uint64_t aff_input_size(const char *path)
{
    struct stat found;

    if (is_stdin(path) || stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return 0;
    return (uint64_t)found.st_size;
}

aff_status aff_input_is_regular(const char *path, bool *ret_regular, struct aff_error *reterr)
{
    struct stat found;

    *ret_regular = false;
    if (is_stdin(path))
        return AFF_OK;
    if (stat(path, &found) != 0)
        return file_error(path, reterr);
    if (S_ISDIR(found.st_mode))
        return aff_error_set(reterr, AFF_IO, "%s: is a folder; name the files in it", path);
    *ret_regular = S_ISREG(found.st_mode);
    return AFF_OK;
}

aff_status aff_input_hash(const char *path, uint64_t *hash, struct aff_error *reterr)
{
    aff_status status = AFF_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *piece = malloc(sizeof *hash + HASH_PIECE);
    ssize_t size = 1;

    while (fd >= 0 && piece != NULL && size > 0) {
        size = read(fd, piece + sizeof *hash, HASH_PIECE);
        memcpy(piece, hash, sizeof *hash);
        if (size > 0)
            *hash = aff_text_hash((struct aff_text){piece, sizeof *hash + (size_t)size});
    }
    if (piece == NULL)
        status = aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    else if (fd < 0 || size < 0)
        status = file_error(path, reterr);
    free(piece);
    if (fd >= 0)
        (void)close(fd);
    return status;
}
