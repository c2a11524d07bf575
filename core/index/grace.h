/* SPDX-License-Identifier: Apache-2.0 */
/* The wait between taking something away from readers and freeing it; for core/index/ only. */
#pragma once

/* Blocks until every reader that was between aff_slot_acquire and aff_slot_release has released. Never called
 * by a reader inside these. */
void aff_grace_wait(void);
