/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static aff_status fail(const struct aff_backtest_file *file, struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_IO, "%s cannot be written: %s", file->path, strerror(errno));
}

aff_status aff_backtest_file_open(struct aff_backtest_file *file, const char *path, struct aff_error *reterr)
{
    static const char suffix[] = ".partial";

    if (path == NULL)
        return AFF_OK;
    file->path = path;
    file->partial = malloc(strlen(path) + sizeof suffix);
    if (file->partial == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    (void)stpcpy(stpcpy(file->partial, path), suffix);
    file->stream = fopen(file->partial, "w");
    return file->stream == NULL ? fail(file, reterr) : AFF_OK;
}

aff_status aff_backtest_file_finish(struct aff_backtest_file *file, struct aff_error *reterr)
{
    if (file->stream == NULL)
        return AFF_OK;
    const int failed = ferror(file->stream);
    const int closed = fclose(file->stream);
    file->stream = NULL;
    if (failed != 0 || closed != 0 || rename(file->partial, file->path) != 0) {
        aff_status status = fail(file, reterr);
        (void)unlink(file->partial);
        return status;
    }
    return AFF_OK;
}

void aff_backtest_file_abandon(struct aff_backtest_file *file)
{
    if (file->stream != NULL) {
        (void)fclose(file->stream);
        (void)unlink(file->partial);
    }
    free(file->partial);
    *file = (struct aff_backtest_file){0};
}
