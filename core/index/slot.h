/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where a model changes hands between the thread that publishes and the threads that read (RCU,
 * flavour memb). Any number of registered reader threads, one publisher at a time. No function logs. */
#pragma once

#include "core/base/status.h"

struct aff_model;
struct aff_slot;

AFF_MUST_CHECK aff_status aff_slot_new(struct aff_slot **ret_slot);
void aff_slot_free(struct aff_slot *slot); /* frees the model in it; no readers may remain; NULL is a no-op */

/* Every thread that reads calls enter once before and leave once after. */
void aff_reader_enter(void);
void aff_reader_leave(void);

/* The current model, NULL before the first publish. It and its rows are valid until the matching release;
 * never keep the pointer across a return to the event loop. Calls nest. Release also when acquire gave NULL.
 */
const struct aff_model *aff_slot_acquire(const struct aff_slot *slot);
void aff_slot_release(const struct aff_slot *slot);

/* Takes ownership of `next`, makes it current, waits until no reader can still see the previous model, frees
 * that. Blocks: publisher thread only, never between acquire and release. */
void aff_slot_publish(struct aff_slot *slot, struct aff_model *next);

/* The current model for the publisher itself, which alone may change it (core/index/update.h). */
struct aff_model *aff_slot_model(struct aff_slot *slot);
