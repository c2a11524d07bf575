/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded number of people (sessions, customers), each with a few notes of one size; for core/session/
 * only. Of the people the one that was noted longest ago makes room for a new one. They are spread over
 * locks, each held for the time of one small change or copy. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aff_people;

/* What is noted of one person. The notes stay in the memory of the person that makes room. */
struct aff_person {
    uint64_t key;
    void *notes;
    uint32_t n, capacity;  /* notes */
    uint32_t newer, older; /* neighbours in the list, which begins with the one noted last */
    uint32_t next;         /* with the same bucket */
};

/* For at most `people`, with at most `notes` notes each of `note_bytes` bytes. AFF_NOMEM. */
AFF_MUST_CHECK aff_status aff_people_new(size_t people, size_t notes, size_t note_bytes,
                                         struct aff_people **ret_people);
void aff_people_free(struct aff_people *people); /* NULL is a no-op */

/* Locks the part of the people that `key` belongs to, and gives the person if it is known; with `add` makes
 * it known and the one noted last. NULL: not known, or no memory. Ended by aff_people_unlock in either
 * case. */
struct aff_person *aff_people_lock(struct aff_people *people, uint64_t key, bool add);
void aff_people_unlock(struct aff_people *people, uint64_t key);

/* Makes room for one note more, unless there are as many as there may be; false: there is none. The lock is
 * held. */
bool aff_people_room(const struct aff_people *people, struct aff_person *person);

/* The number of people. */
size_t aff_people_size(struct aff_people *people);
