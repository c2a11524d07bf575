/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recommend/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

aff_status aff_lines_open(struct aff_lines *lines, const char *path, struct aff_error *reterr)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

    *lines = (struct aff_lines){.path = standard ? "standard input" : path};
    if (fd < 0)
        return aff_error_set(reterr, AFF_IO, "%s: %s", lines->path, strerror(errno));
    lines->buffer = malloc(AFF_LINE_MAX + 1);
    lines->file = gzdopen(fd, "rb");
    if (lines->file == NULL)
        (void)close(fd);
    if (lines->buffer == NULL || lines->file == NULL) {
        aff_lines_done(lines);
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    }
    (void)gzbuffer(lines->file, 128 * 1024);
    return AFF_OK;
}

/* Reads more bytes behind those that are there; the unread ones move to the front first. */
static aff_status fill(struct aff_lines *lines, struct aff_error *reterr)
{
    size_t left = lines->end - lines->start;

    memmove(lines->buffer, lines->buffer + lines->start, left);
    lines->start = 0;
    lines->end = left;
    int got = gzread(lines->file, lines->buffer + left, (unsigned)(AFF_LINE_MAX + 1 - left));
    int problem = Z_OK;
    const char *text = gzerror(lines->file, &problem);
    if (got < 0 || (got == 0 && problem == Z_BUF_ERROR))
        return aff_error_set(reterr, AFF_IO, "%s: %s", lines->path,
                             problem == Z_ERRNO       ? strerror(errno)
                             : problem == Z_BUF_ERROR ? "the gzip data are cut off"
                                                      : text);
    lines->end += (size_t)got;
    lines->at_end = got == 0;
    return AFF_OK;
}

/* Skips what is left of a line that does not fit. */
static aff_status skip(struct aff_lines *lines, struct aff_error *reterr)
{
    for (;;) {
        char *at = lines->buffer + lines->start;
        char *stop = memchr(at, '\n', lines->end - lines->start);
        if (stop != NULL) {
            lines->start = (size_t)(stop + 1 - lines->buffer);
            return AFF_OK;
        }
        lines->start = lines->end;
        if (lines->at_end)
            return AFF_OK;
        aff_status status = fill(lines, reterr);
        if (status != AFF_OK)
            return status;
    }
}

aff_status aff_lines_next(struct aff_lines *lines, struct aff_text *ret_line, bool *ret_more,
                          struct aff_error *reterr)
{
    size_t searched = 0;

    for (;;) {
        char *at = lines->buffer + lines->start;
        size_t size = lines->end - lines->start;
        char *stop = size == searched ? NULL : memchr(at + searched, '\n', size - searched);
        if (stop != NULL || (lines->at_end && size > 0)) {
            size_t length = stop == NULL ? size : (size_t)(stop - at);
            lines->start += stop == NULL ? size : length + 1;
            lines->number++;
            if (length > 0 && at[length - 1] == '\r')
                length--;
            *ret_line = (struct aff_text){at, length};
            *ret_more = true;
            return AFF_OK;
        }
        if (lines->at_end) {
            *ret_more = false;
            return AFF_OK;
        }
        if (size > AFF_LINE_MAX) {
            lines->number++;
            aff_status status = skip(lines, reterr);
            return status != AFF_OK ? status
                                    : aff_error_set(reterr, AFF_LIMIT, "longer than %d bytes", AFF_LINE_MAX);
        }
        searched = size;
        aff_status status = fill(lines, reterr);
        if (status != AFF_OK)
            return status;
    }
}

void aff_lines_done(struct aff_lines *lines)
{
    if (lines->file != NULL)
        (void)gzclose(lines->file);
    free(lines->buffer);
    *lines = (struct aff_lines){0};
}
