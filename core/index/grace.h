/* SPDX-License-Identifier: Apache-2.0 */
/* The wait between taking something away from readers and freeing it; for core/index/ only. */
#pragma once

struct aff_model;
struct aff_slot;

/* Blocks until every reader that was between aff_slot_acquire and aff_slot_release has released. Never called
 * by a reader inside these. */
void aff_grace_wait(void);

/* Makes `next` the current model and gives the one before, which readers may have until a grace period has
 * passed. */
struct aff_model *aff_slot_exchange(struct aff_slot *slot, struct aff_model *next);
