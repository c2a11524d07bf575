/* SPDX-License-Identifier: Apache-2.0 */
/* A model as a file, so that a service starts within a second and also while the database is away.
 *
 * A file is written beside its name, synchronised, and then given its name, so that a name always leads to a
 * whole file. Every byte is under a checksum (XXH3, 128 bits, for each block of AFF_SNAPSHOT_BLOCK bytes, and
 * one over those and the head); opening verifies all of them and every position and row number in the file
 * before anything is used, so that no file can crash a reader. What passes is mapped into memory and used
 * where it is: a file that is open must not be changed or cut in place (it may be removed).
 *
 * Files are for the machine that wrote them and its like: another byte order, layout or format is refused.
 */
#pragma once

#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/base/text.h"
#include "core/index/model.h"
#include "core/index/slot.h"

#define AFF_SNAPSHOT_BLOCK ((size_t)4 << 20)
#define AFF_SNAPSHOTS_KEPT 3

/* What a file says about itself in its head. */
struct aff_snapshot_info {
    char store[AFF_ID_MAX + 1];
    uint64_t version, generation, catalogue_version; /* of the model, see core/index/model.h */
    int64_t written_at_us;                           /* the moment that the versions are of */
    uint64_t file_bytes;
    uint64_t memory_bytes; /* that its model will take, the mapped file included */
    uint32_t products, customers;
};

/* Writes the model in the slot to `path`, replacing a file of that name, while the model is served and
 * changed: it copies a quarter of a megabyte at a time between aff_slot_acquire and aff_slot_release, so that
 * a batch (core/index/update.h) waits for less than a millisecond more; no lock is held. The calling thread
 * is a reader (aff_reader_enter) and not inside aff_slot_acquire.
 *
 * A batch that is published meanwhile may be in the file in part. The versions are those from before the
 * first copy: whoever opens the file and then replaces what changed since these versions has a whole model
 * again.
 *
 * `watch` (NULL: none) is told bytes written and about how many there will be; false cancels. `ret_info` may
 * be NULL. AFF_NOTREADY: the slot is empty. AFF_BUSY: another model was published meanwhile; try again.
 * AFF_CANCELLED, AFF_NOMEM, AFF_IO. On failure nothing is left behind and a file of that name stays. */
AFF_MUST_CHECK aff_status aff_snapshot_write(const struct aff_slot *slot, const char *path,
                                             const struct aff_watch *watch,
                                             struct aff_snapshot_info *ret_info, struct aff_error *reterr);

/* Writes the model in the slot into a directory, under a name made of store, serial number and version, and
 * removes all but the AFF_SNAPSHOTS_KEPT newest files of that store and what killed writers left behind. The
 * directory must exist. Otherwise as aff_snapshot_write. */
AFF_MUST_CHECK aff_status aff_snapshot_save(const struct aff_slot *slot, const char *directory,
                                            const struct aff_watch *watch, struct aff_snapshot_info *ret_info,
                                            struct aff_error *reterr);

/* Reads and checks the head of a file, not what follows. AFF_IO: it cannot be read. AFF_DATA: it is no
 * snapshot, of another format, cut, or its head is damaged. */
AFF_MUST_CHECK aff_status aff_snapshot_inspect(const char *path, struct aff_snapshot_info *ret_info,
                                               struct aff_error *reterr);

struct aff_snapshot_options {
    struct aff_text store;       /* whose file it must be; empty: any */
    uint64_t memory_limit_bytes; /* for info.memory_bytes; 0: none */
    int n_threads;               /* 0: one a processor */
    struct aff_watch watch;      /* told the work done and all of it; may cancel */
};

/* Opens a file as a model, which is owned by the caller, may be published and changed like any other, and is
 * freed with aff_model_free. It holds the file mapped until then. model->snapshot_at_us is
 * info.written_at_us. AFF_IO, AFF_DATA: as above, or something in it is damaged, or it is of another store.
 * AFF_LIMIT: it does not fit memory_limit_bytes. AFF_NOMEM, AFF_CANCELLED. `ret_info` may be NULL. */
AFF_MUST_CHECK aff_status aff_snapshot_open(const char *path, const struct aff_snapshot_options *options,
                                            struct aff_model **ret_model, struct aff_snapshot_info *ret_info,
                                            struct aff_error *reterr);

/* Told of each file that is passed over, and why. */
typedef void (*aff_snapshot_refused_fn)(void *context, const char *path, const struct aff_error *error);

/* Opens the newest file that options->store (not empty) has in a directory, or when that is refused the one
 * before, and so on. AFF_NOTFOUND: there is none that can be used (*reterr says whether there were any).
 * AFF_NOMEM, AFF_CANCELLED and AFF_IO of the directory end the search. `refused` may be NULL. */
AFF_MUST_CHECK aff_status aff_snapshot_latest(const char *directory,
                                              const struct aff_snapshot_options *options,
                                              aff_snapshot_refused_fn refused, void *context,
                                              struct aff_model **ret_model,
                                              struct aff_snapshot_info *ret_info, struct aff_error *reterr);
