/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a batch: whatever the bytes, parsing ends with a query whose texts are readable or with a reason.
 */
#include "json/query.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct aff_query query = {0};
    struct aff_error error = {0};

    if (aff_query_parse(&query, (struct aff_text){(const char *)bytes, size}, &error) != AFF_OK) {
        if (error.text[0] == '\0' || query.n_cart != 0)
            abort();
    } else {
        for (size_t i = 0; i < query.n_cart; i++)
            if (!aff_text_is_id(query.cart[i]))
                abort();
        if (query.customer.size > 0 && !aff_text_is_id(query.customer))
            abort();
    }
    aff_query_done(&query);
    return 0;
}
