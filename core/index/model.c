/* SPDX-License-Identifier: Apache-2.0 */
#include "core/index/model.h"

#include "core/index/mapping.h"

#include <stdlib.h>

void aff_model_free(struct aff_model *model)
{
    if (model == NULL)
        return;
    aff_neighbours_free(model->together);
    aff_neighbours_free(model->next);
    aff_neighbours_free(model->viewed);
    aff_traces_free(model->traces);
    aff_customers_free(model->customers);
    aff_catalogue_free(model->catalogue);
    aff_mapping_free(model->mapping);
    free(model);
}

static size_t relation_bytes(const struct aff_neighbours *neighbours)
{
    size_t count_bytes;
    uint64_t edges;

    if (neighbours == NULL)
        return 0;
    size_t bytes = aff_neighbours_bytes(neighbours, &count_bytes, &edges);
    return bytes + count_bytes;
}

size_t aff_model_bytes(const struct aff_model *model)
{
    size_t bytes = sizeof *model + relation_bytes(model->together) + relation_bytes(model->next) +
                   relation_bytes(model->viewed) + aff_traces_bytes(model->traces);

    if (model->catalogue != NULL)
        bytes += aff_catalogue_bytes(model->catalogue);
    if (model->customers != NULL)
        bytes += aff_customers_bytes(model->customers);
    if (model->mapping != NULL)
        bytes += model->mapping->other_bytes;
    return bytes;
}
