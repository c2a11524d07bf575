/* SPDX-License-Identifier: Apache-2.0 */
#include "server/call.h"

#include <sys/random.h>

#include "core/base/clock.h"

aff_status aff_context_init(struct aff_context *ret, const struct aff_shared *shared,
                            struct aff_counters *counters, const struct aff_live *live)
{
    ret->shared = shared;
    ret->live = *live;
    ret->counters = counters;
    ret->workspace = NULL;
    ret->parameters = (struct aff_parameters){0};
    ret->notes = (struct aff_notes){0};
    ret->events = (struct aff_event_parser){0};
    if (getrandom(&ret->random.state, sizeof ret->random.state, 0) != sizeof ret->random.state)
        ret->random.state = (uint64_t)aff_clock_now_us() ^ (uintptr_t)ret;
    return aff_workspace_new(&ret->workspace);
}

void aff_context_done(struct aff_context *context)
{
    aff_workspace_free(context->workspace);
    context->workspace = NULL;
    aff_parameters_done(&context->parameters);
    aff_event_parser_done(&context->events);
}

void aff_context_make_id(struct aff_context *context, char ret_id[AFF_ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";

    for (int half = 0; half < 2; half++) {
        uint64_t bits = aff_random_next(&context->random);
        for (int i = 0; i < AFF_ID_TEXT / 2; i++, bits >>= 4)
            *ret_id++ = digits[bits & 15];
    }
}
