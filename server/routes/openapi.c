/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/embedded.h"
#include "server/call.h"
#include "server/routes/routes.h"

void aff_route_openapi(struct aff_call *call)
{
    call->reply->status = 200;
    call->reply->media = AFF_MEDIA_YAML;
    call->reply->fixed = (struct aff_text){aff_documents[0].text, aff_documents[0].size};
}
