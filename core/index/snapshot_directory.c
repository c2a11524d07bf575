/* SPDX-License-Identifier: Apache-2.0 */
/* Files are named STORE-HASH.SERIAL.vVERSION.snapshot: the store's name as far as it is plain letters, a hash
 * that tells apart stores that look the same then, and a serial number that grows with each file. The number
 * and not the version or the clock says which is the newest, since a restored database begins with an old
 * version again and clocks are set back. */
#include "core/index/snapshot_file.h"
#include "core/index/snapshot_write.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SUFFIX ".snapshot"

enum { PLAIN_MAX = 60, BASE_TEXT = PLAIN_MAX + 24, NAME_TEXT = 256, PATH_TEXT = 4096 };

struct entry {
    uint64_t serial;
    char name[NAME_TEXT];
};

/* The files of one store, newest first. */
struct listing {
    struct entry *entries;
    size_t n, capacity;
};

static void make_base(struct aff_text store, char ret_base[BASE_TEXT])
{
    size_t n = store.size < PLAIN_MAX ? store.size : PLAIN_MAX;

    for (size_t i = 0; i < n; i++) {
        char c = store.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (plain)
            ret_base[i] = c;
        else
            ret_base[i] = '-';
    }
    (void)snprintf(ret_base + n, BASE_TEXT - n, "-%016" PRIx64, aff_text_hash(store));
}

/* True if `name` is one of the store's files. */
static bool read_name(const char *name, const char *base, uint64_t *ret_serial)
{
    const size_t base_size = strlen(base), size = strlen(name);
    char *end;

    if (size >= NAME_TEXT || size < base_size + sizeof SUFFIX || strncmp(name, base, base_size) != 0 ||
        name[base_size] != '.' || strcmp(name + size - strlen(SUFFIX), SUFFIX) != 0)
        return false;
    const char *digits = name + base_size + 1;
    if (*digits < '0' || *digits > '9')
        return false;
    errno = 0;
    *ret_serial = strtoull(digits, &end, 10);
    return errno == 0 && *end == '.' && *ret_serial < UINT64_MAX;
}

static int newest_first(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->serial != b->serial)
        return a->serial > b->serial ? -1 : 1;
    return strcmp(b->name, a->name);
}

static aff_status add_entry(struct listing *listing, const char *name, uint64_t serial,
                            struct aff_error *reterr)
{
    if (listing->n == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 8 : listing->capacity * 2;
        struct entry *entries = realloc(listing->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
        listing->entries = entries;
        listing->capacity = capacity;
    }
    struct entry *entry = &listing->entries[listing->n++];
    entry->serial = serial;
    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    return AFF_OK;
}

static aff_status list(const char *directory, const char *base, struct listing *ret_listing,
                       struct aff_error *reterr)
{
    DIR *stream = opendir(directory);
    aff_status status = AFF_OK;
    uint64_t serial;

    *ret_listing = (struct listing){0};
    if (stream == NULL)
        return aff_error_set(reterr, AFF_IO, "cannot read the directory of snapshots '%s': %s", directory,
                             strerror(errno));
    for (struct dirent *entry; status == AFF_OK && (entry = readdir(stream)) != NULL;)
        if (read_name(entry->d_name, base, &serial))
            status = add_entry(ret_listing, entry->d_name, serial, reterr);
    (void)closedir(stream);
    if (status == AFF_OK && ret_listing->n > 0)
        qsort(ret_listing->entries, ret_listing->n, sizeof *ret_listing->entries, newest_first);
    if (status != AFF_OK)
        free(ret_listing->entries);
    return status;
}

static aff_status join(const char *directory, const char *name, char ret_path[PATH_TEXT],
                       struct aff_error *reterr)
{
    if ((size_t)snprintf(ret_path, PATH_TEXT, "%s/%s", directory, name) < PATH_TEXT)
        return AFF_OK;
    return aff_error_set(reterr, AFF_LIMIT, "the path of a snapshot is too long: '%.80s...'", directory);
}

/* The name that the file gets, which is found while the draft is locked, so that no two get the same number.
 */
static aff_status next_path(const char *directory, const char *base, uint64_t version,
                            char ret_path[PATH_TEXT], struct aff_error *reterr)
{
    struct listing listing;
    char name[NAME_TEXT];
    aff_status status = list(directory, base, &listing, reterr);

    if (status != AFF_OK)
        return status;
    (void)snprintf(name, sizeof name, "%s.%012" PRIu64 ".v%" PRIu64 SUFFIX, base,
                   listing.n == 0 ? 1 : listing.entries[0].serial + 1, version);
    free(listing.entries);
    return join(directory, name, ret_path, reterr);
}

/* Removes older files. One that cannot be removed stays for the next time. */
static void prune(const char *directory, const char *base)
{
    struct listing listing;
    char path[PATH_TEXT];

    if (list(directory, base, &listing, NULL) != AFF_OK)
        return;
    for (size_t i = AFF_SNAPSHOTS_KEPT; i < listing.n; i++)
        if (join(directory, listing.entries[i].name, path, NULL) == AFF_OK)
            (void)unlink(path);
    free(listing.entries);
}

/* The name of the store whose model is in the slot. */
static aff_status name_of(const struct aff_slot *slot, char ret_store[AFF_ID_MAX + 1],
                          struct aff_error *reterr)
{
    const struct aff_model *model = aff_slot_acquire(slot);
    const bool is_there = model != NULL;

    if (is_there)
        memcpy(ret_store, model->store, sizeof model->store);
    aff_slot_release(slot);
    return is_there ? AFF_OK : aff_error_set(reterr, AFF_NOTREADY, "%s", aff_status_text(AFF_NOTREADY));
}

aff_status aff_snapshot_save(const struct aff_slot *slot, const char *directory,
                             const struct aff_watch *watch, struct aff_snapshot_info *ret_info,
                             struct aff_error *reterr)
{
    struct aff_snapshot_info info;
    struct aff_snapshot_draft draft = {.fd = -1};
    char store[AFF_ID_MAX + 1], base[BASE_TEXT], name[NAME_TEXT], path[PATH_TEXT];
    aff_status status = name_of(slot, store, reterr);

    if (status != AFF_OK)
        return status;
    make_base(aff_text_of(store), base);
    (void)snprintf(name, sizeof name, "%s.part", base);
    status = join(directory, name, path, reterr);
    if (status == AFF_OK)
        status = aff_snapshot_draft_open(path, &draft, reterr);
    if (status != AFF_OK)
        return status;
    /* Also before, so that a service that is killed each time right after it wrote a file fills no disk. */
    prune(directory, base);
    status = aff_snapshot_write_content(slot, draft.fd, path, watch, &info, reterr);
    if (status == AFF_OK)
        status = next_path(directory, base, info.version, path, reterr);
    if (status != AFF_OK) {
        aff_snapshot_draft_drop(&draft);
        return status;
    }
    status = aff_snapshot_draft_publish(&draft, path, reterr);
    if (status != AFF_OK)
        return status;
    prune(directory, base);
    if (ret_info != NULL)
        *ret_info = info;
    return AFF_OK;
}

/* Opens the first file of the listing that can be used. */
static aff_status open_first(const struct listing *listing, const char *directory,
                             const struct aff_snapshot_options *options, aff_snapshot_refused_fn refused,
                             void *context, struct aff_model **ret_model, struct aff_snapshot_info *ret_info,
                             struct aff_error *reterr)
{
    for (size_t i = 0; i < listing->n; i++) {
        char path[PATH_TEXT];
        struct aff_error error;
        aff_status status = join(directory, listing->entries[i].name, path, reterr);
        if (status != AFF_OK)
            return status;
        status = aff_snapshot_open(path, options, ret_model, ret_info, &error);
        if (status == AFF_OK)
            return AFF_OK;
        if (status == AFF_NOMEM || status == AFF_CANCELLED)
            return aff_error_set(reterr, status, "%s", error.text);
        if (refused != NULL)
            refused(context, path, &error);
    }
    if (listing->n == 0)
        return aff_error_set(reterr, AFF_NOTFOUND, "there is no snapshot of store '%.*s' in '%s'",
                             (int)options->store.size, options->store.at, directory);
    return aff_error_set(reterr, AFF_NOTFOUND,
                         "none of the %zu snapshots of store '%.*s' in '%s' can be used", listing->n,
                         (int)options->store.size, options->store.at, directory);
}

aff_status aff_snapshot_latest(const char *directory, const struct aff_snapshot_options *options,
                               aff_snapshot_refused_fn refused, void *context, struct aff_model **ret_model,
                               struct aff_snapshot_info *ret_info, struct aff_error *reterr)
{
    struct listing listing;
    char base[BASE_TEXT];

    make_base(options->store, base);
    aff_status status = list(directory, base, &listing, reterr);
    if (status != AFF_OK)
        return status;
    status = open_first(&listing, directory, options, refused, context, ret_model, ret_info, reterr);
    free(listing.entries);
    return status;
}
