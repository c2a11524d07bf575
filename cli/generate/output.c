/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { RESERVE = 65536, BUFFER = 4 * RESERVE, PACKED = 2 * BUFFER, GZIP_LEVEL = 6, ZSTD_LEVEL = 3 };

struct aff_output {
    char path[PATH_MAX], temporary[PATH_MAX];
    enum aff_compression compression;
    int fd;
    bool exists; /* the temporary file */
    z_stream gzip;
    bool gzip_ready;
    ZSTD_CCtx *zstd;
    size_t used;
    struct aff_error error; /* the first one; status AFF_OK while there is none */
    char buffer[BUFFER], packed[PACKED];
};

const char *aff_compression_suffix(enum aff_compression compression)
{
    static const char *const suffixes[AFF_COMPRESSIONS] = {"", ".gz", ".zst"};

    return suffixes[compression];
}

static void fail(struct aff_output *output, const char *what, const char *reason)
{
    if (output->error.status == AFF_OK)
        (void)aff_error_set(&output->error, AFF_IO, "cannot %s %s: %s", what, output->temporary, reason);
}

static void write_out(struct aff_output *output, const char *bytes, size_t size)
{
    while (size > 0 && output->error.status == AFF_OK) {
        ssize_t written = write(output->fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            fail(output, "write", strerror(errno));
            return;
        }
        bytes += written;
        size -= (size_t)written;
    }
}

static void pack_gzip(struct aff_output *output, bool last)
{
    output->gzip.next_in = (Bytef *)output->buffer;
    output->gzip.avail_in = (uInt)output->used;
    do {
        output->gzip.next_out = (Bytef *)output->packed;
        output->gzip.avail_out = PACKED;
        (void)deflate(&output->gzip, last ? Z_FINISH : Z_NO_FLUSH); /* fails only on a broken state */
        write_out(output, output->packed, PACKED - output->gzip.avail_out);
    } while (output->gzip.avail_out == 0);
}

static void pack_zstd(struct aff_output *output, bool last)
{
    ZSTD_inBuffer in = {output->buffer, output->used, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {output->packed, PACKED, 0};
        left = ZSTD_compressStream2(output->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            fail(output, "compress", ZSTD_getErrorName(left));
            return;
        }
        write_out(output, output->packed, out.pos);
    } while (last ? left > 0 : in.pos < in.size);
}

static void flush(struct aff_output *output, bool last)
{
    if (output->error.status == AFF_OK) {
        if (output->compression == AFF_COMPRESS_GZIP)
            pack_gzip(output, last);
        else if (output->compression == AFF_COMPRESS_ZSTD)
            pack_zstd(output, last);
        else
            write_out(output, output->buffer, output->used);
    }
    output->used = 0;
}

static aff_status start_packing(struct aff_output *output)
{
    enum { WINDOW_BITS = 15, GZIP_HEADER = 16, MEMORY_LEVEL = 8 };

    if (output->compression == AFF_COMPRESS_GZIP) {
        output->gzip_ready = deflateInit2(&output->gzip, GZIP_LEVEL, Z_DEFLATED, WINDOW_BITS + GZIP_HEADER,
                                          MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
        return output->gzip_ready ? AFF_OK : AFF_NOMEM;
    }
    if (output->compression == AFF_COMPRESS_ZSTD) {
        output->zstd = ZSTD_createCCtx();
        if (output->zstd == NULL)
            return AFF_NOMEM;
        (void)ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        (void)ZSTD_CCtx_setParameter(output->zstd, ZSTD_c_checksumFlag, 1);
    }
    return AFF_OK;
}

aff_status aff_output_new(const char *directory, const char *name, enum aff_compression compression,
                          struct aff_output **ret_output, struct aff_error *reterr)
{
    struct aff_output *output = calloc(1, sizeof *output);

    if (output == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "not enough memory");
    output->fd = -1;
    output->compression = compression;
    int size = snprintf(output->path, sizeof output->path, "%s/%s%s", directory, name,
                        aff_compression_suffix(compression));
    if (size < 0 || (size_t)size + sizeof ".part" > sizeof output->path) {
        aff_output_free(output);
        return aff_error_set(reterr, AFF_INVALID, "the path of folder %.200s is too long", directory);
    }
    memcpy(output->temporary, output->path, (size_t)size);
    memcpy(output->temporary + size, ".part", sizeof ".part");
    if (start_packing(output) != AFF_OK) {
        aff_output_free(output);
        return aff_error_set(reterr, AFF_NOMEM, "not enough memory");
    }
    output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (output->fd < 0) {
        aff_status status =
            aff_error_set(reterr, AFF_IO, "cannot create %s: %s", output->temporary, strerror(errno));
        aff_output_free(output);
        return status;
    }
    output->exists = true;
    *ret_output = output;
    return AFF_OK;
}

char *aff_output_reserve(struct aff_output *output, size_t size)
{
    if (output->used + size > BUFFER)
        flush(output, false);
    return output->buffer + output->used;
}

void aff_output_advance(struct aff_output *output, size_t size)
{
    output->used += size;
}

void aff_output_write(struct aff_output *output, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t part = size < RESERVE ? size : RESERVE;
        memcpy(aff_output_reserve(output, part), bytes, part);
        aff_output_advance(output, part);
        bytes += part;
        size -= part;
    }
}

void aff_output_field(struct aff_output *output, struct aff_text text)
{
    bool quoted = false;

    for (size_t i = 0; i < text.size && !quoted; i++)
        quoted = strchr(",\"\r\n", text.at[i]) != NULL;
    if (!quoted) {
        aff_output_write(output, text.at, text.size);
        return;
    }
    aff_output_write(output, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '"')
            aff_output_write(output, "\"", 1);
        aff_output_write(output, text.at + i, 1);
    }
    aff_output_write(output, "\"", 1);
}

bool aff_output_failed(const struct aff_output *output)
{
    return output->error.status != AFF_OK;
}

aff_status aff_output_finish(struct aff_output *output, struct aff_error *reterr)
{
    flush(output, true);
    if (close(output->fd) != 0)
        fail(output, "close", strerror(errno));
    output->fd = -1;
    if (output->error.status != AFF_OK && reterr != NULL)
        *reterr = output->error;
    return output->error.status;
}

aff_status aff_output_publish(struct aff_output *output, struct aff_error *reterr)
{
    if (rename(output->temporary, output->path) != 0)
        return aff_error_set(reterr, AFF_IO, "cannot rename %s: %s", output->temporary, strerror(errno));
    output->exists = false;
    return AFF_OK;
}

void aff_output_free(struct aff_output *output)
{
    if (output == NULL)
        return;
    if (output->fd >= 0)
        (void)close(output->fd);
    if (output->exists)
        (void)unlink(output->temporary);
    if (output->gzip_ready)
        (void)deflateEnd(&output->gzip);
    (void)ZSTD_freeCCtx(output->zstd);
    free(output);
}
