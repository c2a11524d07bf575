/* SPDX-License-Identifier: Apache-2.0 */
#include "server/writer_publish.h"

#include "core/index/update.h"

bool aff_writer_publish(struct aff_store *store, const struct aff_put_result *result, size_t n)
{
    struct aff_update *update;
    aff_status status = aff_update_begin(store->slot, &update);

    if (status != AFF_OK) /* no model: the loader is about to load one */
        return false;
    for (size_t i = 0; i < n && status == AFF_OK; i++)
        status = aff_update_product(update, &result->products[i]);
    if (status != AFF_OK) {
        aff_update_drop(update);
        atomic_store_explicit(&store->wants_load, true, memory_order_relaxed);
        return false;
    }
    /* Nothing is left out between the model's version and this one: the loader need not look. */
    const struct aff_model *model = aff_slot_model(store->slot);
    bool changed = result->added + result->changed > 0;
    if (changed && (uint64_t)result->version == model->catalogue_version + 1)
        aff_update_catalogue_version(update, (uint64_t)result->version);
    aff_update_publish(update);
    return true;
}
