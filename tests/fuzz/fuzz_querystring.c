/* SPDX-License-Identifier: Apache-2.0 */
#include "check_parameters.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct aff_parameters parameters;
    char *copy = malloc(size + 1);

    must(copy != NULL);
    memcpy(copy, bytes, size);
    aff_parameters_reset(&parameters, AFF_PARAMETERS_RECOMMEND);
    aff_parameters_read_query(&parameters, copy, size);
    check_parameters(&parameters);
    free(copy);
    return 0;
}
