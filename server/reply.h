/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler answers, before it is handed to libmicrohttpd. */
#pragma once

#include "core/base/status.h"
#include "json/writer.h"

#include <stdbool.h>

enum aff_media { AFF_MEDIA_NONE, AFF_MEDIA_JSON, AFF_MEDIA_PROBLEM, AFF_MEDIA_METRICS, AFF_MEDIA_YAML };

/* Set to zero with `body` pointing to an empty buffer. */
struct aff_reply {
    unsigned status; /* of HTTP */
    enum aff_media media;
    struct aff_json *body;  /* written by the handler; any text, not only JSON */
    struct aff_text fixed;  /* instead of `body`: a text that lives as long as the program */
    char allow[64];         /* of 405 and OPTIONS; else empty */
    unsigned retry_after_s; /* 0: not said */
    bool replayed;          /* the answer that an earlier request with the same Idempotency-Key got */
    bool close;             /* the connection ends with this answer */
};
