/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

aff_status aff_mapping_new(int fd, const char *path, size_t size, struct aff_mapping **ret_mapping,
                           struct aff_error *reterr)
{
    struct aff_mapping *mapping = calloc(1, sizeof *mapping);

    if (mapping == NULL)
        return aff_error_set(reterr, AFF_NOMEM, "%s", aff_status_text(AFF_NOMEM));
    mapping->size = size;
    mapping->at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping->at == MAP_FAILED) {
        free(mapping);
        return aff_error_set(reterr, errno == ENOMEM ? AFF_NOMEM : AFF_IO, "cannot map '%s' into memory: %s",
                             path, strerror(errno));
    }
    *ret_mapping = mapping;
    return AFF_OK;
}

void aff_mapping_free(struct aff_mapping *mapping)
{
    if (mapping == NULL)
        return;
    (void)munmap(mapping->at, mapping->size);
    free(mapping);
}

aff_status aff_mapping_load(const struct aff_mapping *mapping, uint64_t at, uint64_t size)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t start = at / page * page;

    /* Kernels before 5.14 do not know this advice and say EINVAL: then the pages are read at the first look.
     */
    if (madvise(mapping->at + start, (size_t)(at + size - start), MADV_POPULATE_READ) == 0 || errno == EINVAL)
        return AFF_OK;
    return errno == ENOMEM ? AFF_NOMEM : AFF_IO;
}
