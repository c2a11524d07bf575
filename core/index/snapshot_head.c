/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/room.h"
#include "core/catalogue/frozen.h"
#include "core/customer/frozen.h"
#include "core/index/snapshot_format.h"

#include <stddef.h>

_Static_assert(sizeof(struct aff_snapshot_head) + sizeof(struct aff_checksum) <= AFF_SNAPSHOT_HEAD,
               "the head and its checksum fit their page");

#define SEALED_BYTES (AFF_SNAPSHOT_HEAD - sizeof(struct aff_checksum))

uint64_t aff_snapshot_layout(void)
{
    static const uint32_t layout[] = {
        sizeof(struct aff_snapshot_head),
        sizeof(struct aff_snapshot_product),
        offsetof(struct aff_snapshot_product, available),
        sizeof(struct aff_history),
        sizeof(struct aff_purchase),
        offsetof(struct aff_purchase, last_s),
        sizeof(struct aff_row),
        sizeof(struct aff_neighbour),
        offsetof(struct aff_neighbour, score),
        sizeof(struct aff_pair_counts),
        offsetof(struct aff_pair_counts, revenue),
        offsetof(struct aff_pair_counts, gap_days),
        AFF_SITUATION_MAX,
        AFF_WEIGHT_MAX,
    };

    return aff_text_hash((struct aff_text){(const char *)layout, sizeof layout});
}

void aff_snapshot_seal(const struct aff_snapshot_head *head, char ret_page[AFF_SNAPSHOT_HEAD])
{
    memset(ret_page, 0, AFF_SNAPSHOT_HEAD);
    memcpy(ret_page, head, sizeof *head);
    struct aff_checksum sum = aff_checksum_of(ret_page, SEALED_BYTES);
    memcpy(ret_page + SEALED_BYTES, &sum, sizeof sum);
}

static aff_status refuse(const char *path, const char *what, struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_DATA, "snapshot '%s': %s", path, what);
}

/* True if `bytes` bytes at `at` are between `from` and `to`. */
static bool is_inside(uint64_t at, uint64_t bytes, uint64_t from, uint64_t to)
{
    return at >= from && at <= to && bytes <= to - at;
}

static bool are_places_sound(const struct aff_snapshot_head *head)
{
    for (int i = 0; i < AFF_SNAPSHOT_PARTS; i++) {
        const struct aff_snapshot_place *part = &head->parts[i];
        if (part->n > UINT32_MAX / 2 || part->at % AFF_SNAPSHOT_ALIGN != 0 ||
            part->positions % AFF_SNAPSHOT_ALIGN != 0 ||
            !is_inside(part->at, part->bytes, AFF_SNAPSHOT_HEAD, head->checksums) ||
            !is_inside(part->positions, part->n * sizeof(uint64_t), AFF_SNAPSHOT_HEAD, head->checksums) ||
            part->n_items > part->n ||
            part->n_entries > part->bytes / sizeof(struct aff_neighbour)) /* an attribute has as many */
            return false;
    }
    return head->parts[AFF_SNAPSHOT_TOGETHER].n == head->parts[AFF_SNAPSHOT_PRODUCTS].n &&
           head->parts[AFF_SNAPSHOT_NEXT].n == head->parts[AFF_SNAPSHOT_PRODUCTS].n &&
           head->parts[AFF_SNAPSHOT_VIEWED].n == head->parts[AFF_SNAPSHOT_PRODUCTS].n &&
           head->parts[AFF_SNAPSHOT_TRACES].n == AFF_SNAPSHOT_TRACE_MAX;
}

/* Checks the sizes, which do not trust each other. */
static bool are_sizes_sound(const struct aff_snapshot_head *head)
{
    uint64_t body = head->checksums - AFF_SNAPSHOT_HEAD;

    return head->checksums >= AFF_SNAPSHOT_HEAD && head->checksums <= head->file_bytes &&
           head->n_blocks == body / AFF_SNAPSHOT_BLOCK + (body % AFF_SNAPSHOT_BLOCK != 0) &&
           head->n_blocks <= UINT32_MAX / 2 &&
           head->file_bytes - head->checksums == head->n_blocks * sizeof(struct aff_checksum);
}

aff_status aff_snapshot_unseal(const char page[AFF_SNAPSHOT_HEAD], uint64_t file_bytes, const char *path,
                               struct aff_snapshot_head *ret_head, struct aff_error *reterr)
{
    struct aff_snapshot_head head;
    struct aff_checksum sum = aff_checksum_of(page, SEALED_BYTES);

    memcpy(&head, page, sizeof head);
    if (memcmp(head.magic, AFF_SNAPSHOT_MAGIC, sizeof head.magic) != 0)
        return refuse(path, "it is no snapshot file", reterr);
    if (memcmp(page + SEALED_BYTES, &sum, sizeof sum) != 0)
        return refuse(path, "its head is damaged", reterr);
    if (head.format != AFF_SNAPSHOT_FORMAT)
        return refuse(path, "it has another format, of another version of this program", reterr);
    if (head.byte_order != AFF_SNAPSHOT_BYTE_ORDER || head.layout != aff_snapshot_layout())
        return refuse(path, "it was written on another kind of machine", reterr);
    if (head.file_bytes != file_bytes)
        return aff_error_set(reterr, AFF_DATA,
                             "snapshot '%s': it is cut or grown: it has %llu bytes and should have %llu",
                             path, (unsigned long long)file_bytes, (unsigned long long)head.file_bytes);
    if (!are_sizes_sound(&head) || !are_places_sound(&head) ||
        memchr(head.store, '\0', AFF_ID_MAX + 1) == NULL || memchr(head.currency, '\0', 4) == NULL)
        return refuse(path, "its head contradicts itself", reterr);
    *ret_head = head;
    return AFF_OK;
}

struct aff_snapshot_info aff_snapshot_info_of(const struct aff_snapshot_head *head)
{
    struct aff_snapshot_info info = {
        .version = head->version,
        .generation = head->generation,
        .catalogue_version = head->catalogue_version,
        .written_at_us = head->written_at_us,
        .file_bytes = head->file_bytes,
        .memory_bytes = aff_snapshot_memory(head),
        .products = (uint32_t)head->parts[AFF_SNAPSHOT_PRODUCTS].n,
        .customers = (uint32_t)head->parts[AFF_SNAPSHOT_CUSTOMERS].n,
    };

    memcpy(info.store, head->store, sizeof info.store);
    return info;
}

uint64_t aff_snapshot_memory(const struct aff_snapshot_head *head)
{
    const struct aff_snapshot_place *products = &head->parts[AFF_SNAPSHOT_PRODUCTS];
    const uint32_t n = (uint32_t)products->n;
    const uint64_t pointer_tables = 3 * (uint64_t)aff_room_for(n) * sizeof(struct aff_row *);

    return head->file_bytes + sizeof(struct aff_model) + sizeof(struct aff_traces) +
           sizeof(struct aff_sequences) + 2 * sizeof(struct aff_successors) + n * sizeof(struct aff_product) +
           products->n_entries * sizeof(struct aff_attribute) + pointer_tables +
           aff_catalogue_frozen_bytes(n, (uint32_t)head->parts[AFF_SNAPSHOT_CATEGORIES].n) +
           aff_customers_frozen_bytes((uint32_t)head->parts[AFF_SNAPSHOT_CUSTOMERS].n);
}
