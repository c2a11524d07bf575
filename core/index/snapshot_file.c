/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/snapshot_file.h"

#include "core/index/snapshot_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens and locks the file; another writer may give it its name, or remove it, between the two: *ret_same is
 * then false. */
static aff_status open_locked(const char *path, int *ret_fd, bool *ret_same, struct aff_error *reterr)
{
    struct stat opened, named;
    /* Readable by its owner only: it says what customers bought. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return aff_error_set(reterr, AFF_IO, "cannot write snapshot '%s': %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return aff_error_set(reterr, AFF_BUSY, "another process is writing snapshot '%s'", path);
    }
    *ret_same = fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
                opened.st_dev == named.st_dev;
    *ret_fd = fd;
    return AFF_OK;
}

aff_status aff_snapshot_draft_open(const char *path, struct aff_snapshot_draft *ret_draft,
                                   struct aff_error *reterr)
{
    struct aff_snapshot_draft draft = {.fd = -1};
    bool same = false;

    if ((size_t)snprintf(draft.path, sizeof draft.path, "%s", path) >= sizeof draft.path)
        return aff_error_set(reterr, AFF_LIMIT, "the path of a snapshot is too long: '%.80s...'", path);
    while (!same) {
        aff_status status = open_locked(draft.path, &draft.fd, &same, reterr);
        if (status != AFF_OK)
            return status;
        if (!same)
            (void)close(draft.fd);
    }
    if (ftruncate(draft.fd, 0) != 0) {
        aff_status status =
            aff_error_set(reterr, AFF_IO, "cannot write snapshot '%s': %s", path, strerror(errno));
        aff_snapshot_draft_drop(&draft);
        return status;
    }
    *ret_draft = draft;
    return AFF_OK;
}

/* Makes the names in the directory of `path` lasting. */
static int sync_directory(const char *path)
{
    char directory[sizeof((struct aff_snapshot_draft *)0)->path];
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        (void)snprintf(directory, sizeof directory, ".");
    else
        (void)snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    (void)close(fd);
    return result;
}

aff_status aff_snapshot_draft_publish(struct aff_snapshot_draft *draft, const char *path,
                                      struct aff_error *reterr)
{
    if (rename(draft->path, path) != 0) {
        int failure = errno;
        aff_snapshot_draft_drop(draft);
        return aff_error_set(reterr, AFF_IO, "cannot give snapshot '%s' its name: %s", path,
                             strerror(failure));
    }
    (void)close(draft->fd);
    if (sync_directory(path) != 0)
        return aff_error_set(reterr, AFF_IO, "cannot make the name of snapshot '%s' lasting: %s", path,
                             strerror(errno));
    return AFF_OK;
}

void aff_snapshot_draft_drop(struct aff_snapshot_draft *draft)
{
    (void)unlink(draft->path);
    (void)close(draft->fd);
}

aff_status aff_snapshot_write(const struct aff_slot *slot, const char *path, const struct aff_watch *watch,
                              struct aff_snapshot_info *ret_info, struct aff_error *reterr)
{
    struct aff_snapshot_draft draft = {.fd = -1};
    char draft_path[sizeof draft.path];

    if ((size_t)snprintf(draft_path, sizeof draft_path, "%s.part", path) >= sizeof draft_path)
        return aff_error_set(reterr, AFF_LIMIT, "the path of a snapshot is too long: '%.80s...'", path);
    aff_status status = aff_snapshot_draft_open(draft_path, &draft, reterr);
    if (status != AFF_OK)
        return status;
    status = aff_snapshot_write_content(slot, draft.fd, path, watch, ret_info, reterr);
    if (status != AFF_OK) {
        aff_snapshot_draft_drop(&draft);
        return status;
    }
    return aff_snapshot_draft_publish(&draft, path, reterr);
}
