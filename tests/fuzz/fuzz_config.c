/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file: whatever the bytes, it is read whole or refused with a reason, and then nothing has
 * changed. */
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(void *context, const char *key, const char *value, const char *fallback, const char *help)
{
    size_t *sum = context;

    *sum += strlen(key) + strlen(value) + strlen(fallback) + strlen(help);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct aff_config config, before;
    struct aff_error error = {0};
    size_t sum = 0;

    /* Equal byte for byte, padding included. */
    memset(&config, 0, sizeof config);
    aff_config_init(&config);
    memcpy(&before, &config, sizeof before);
    aff_status status =
        aff_config_read_text(&config, (struct aff_text){(const char *)bytes, size}, "fuzz.conf", &error);
    if (status != AFF_OK && (error.text[0] == '\0' || memcmp(&before, &config, sizeof before) != 0))
        abort();
    if (status == AFF_OK && error.text[0] != '\0')
        abort();
    if (aff_config_check(&config, &error) != AFF_OK && error.text[0] == '\0')
        abort();
    aff_config_visit(&config, use, &sum);
    return 0;
}
