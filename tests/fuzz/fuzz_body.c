/* SPDX-License-Identifier: Apache-2.0 */
#include "check_parameters.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct aff_parameters parameters;
    struct aff_error error = {0};

    aff_parameters_reset(&parameters, AFF_PARAMETERS_RECOMMEND);
    if (aff_parameters_read_json(&parameters, (struct aff_text){(const char *)bytes, size}, &error) != AFF_OK)
        must(error.text[0] != '\0');
    else
        check_parameters(&parameters);
    return 0;
}
