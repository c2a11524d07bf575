/* SPDX-License-Identifier: Apache-2.0 */
#include "core/event/event.h"

#define F(NAME) (UINT32_C(1) << AFF_EVENT_##NAME)

_Static_assert(AFF_EVENT_FIELDS <= 32, "the fields are bits of 32");

const struct aff_event_kind_row aff_event_kinds[] = {
#define X(number, NAME, name, who, must, may) [number] = {name, AFF_EVENT_##who, must, may},
    AFF_EVENT_KIND_LIST(X)
#undef X
};
