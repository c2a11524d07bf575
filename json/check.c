/* SPDX-License-Identifier: Apache-2.0 */
#include "json/check.h"

#include <jansson.h>

bool aff_json_is_object(struct aff_text text)
{
    json_t *value = text.size == 0 ? NULL : json_loadb(text.at, text.size, JSON_REJECT_DUPLICATES, NULL);
    bool object = json_is_object(value);

    json_decref(value);
    return object;
}
