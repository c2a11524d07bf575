/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session/recent.h"

#include "core/session/people.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct note {
    int64_t at_us;
    int32_t product;
    bool gone;
};

/* The notes of a person: oldest first, each product once. */
struct aff_recent {
    struct aff_people *people;
    uint32_t products;
};

aff_status aff_recent_new(size_t people, size_t products, struct aff_recent **ret_recent)
{
    struct aff_recent *recent = calloc(1, sizeof *recent);

    assert(products > 0 && products <= AFF_RECENT_MAX);
    if (recent == NULL)
        return AFF_NOMEM;
    recent->products = (uint32_t)products;
    aff_status status = aff_people_new(people, products, sizeof(struct note), &recent->people);
    if (status != AFF_OK) {
        free(recent);
        return status;
    }
    *ret_recent = recent;
    return AFF_OK;
}

void aff_recent_free(struct aff_recent *recent)
{
    if (recent == NULL)
        return;
    aff_people_free(recent->people);
    free(recent);
}

/* Puts the note in its place by time, instead of an older one about the product. */
static void put(const struct aff_recent *recent, struct aff_person *person, const struct note *note)
{
    struct note *notes = person->notes;
    uint32_t i = 0;

    while (i < person->n && notes[i].product != note->product)
        i++;
    if (i < person->n && notes[i].at_us >= note->at_us) {
        notes[i].gone |= note->gone && notes[i].at_us == note->at_us;
        return;
    }
    if (i == person->n && person->n == recent->products) {
        if (notes[0].at_us > note->at_us)
            return;
        i = 0;
    }
    if (i < person->n) {
        memmove(notes + i, notes + i + 1, (person->n - i - 1) * sizeof *note);
        person->n--;
    } else if (!aff_people_room(recent->people, person)) {
        return;
    }
    notes = person->notes;
    for (i = person->n; i > 0 && notes[i - 1].at_us > note->at_us; i--)
        notes[i] = notes[i - 1];
    notes[i] = *note;
    person->n++;
}

void aff_recent_note(struct aff_recent *recent, uint64_t person, int32_t product, int64_t at_us, bool gone)
{
    const struct note note = {at_us, product, gone};
    struct aff_person *found = aff_people_lock(recent->people, person, true);

    if (found != NULL)
        put(recent, found, &note);
    aff_people_unlock(recent->people, person);
}

void aff_recent_clear(struct aff_recent *recent, uint64_t person, int64_t at_us)
{
    struct aff_person *found = aff_people_lock(recent->people, person, false);
    struct note *notes = found == NULL ? NULL : found->notes;

    for (uint32_t i = 0; found != NULL && i < found->n; i++)
        if (notes[i].at_us <= at_us)
            notes[i].gone = true;
    aff_people_unlock(recent->people, person);
}

size_t aff_recent_read(struct aff_recent *recent, uint64_t person, int64_t since_us, int32_t *ret_products,
                       size_t most)
{
    size_t n = 0;
    const struct aff_person *found = aff_people_lock(recent->people, person, false);
    const struct note *notes = found == NULL ? NULL : found->notes;

    for (uint32_t i = found == NULL ? 0 : found->n; i > 0 && n < most; i--) {
        const struct note *note = &notes[i - 1];
        if (note->at_us < since_us)
            break;
        if (!note->gone)
            ret_products[n++] = note->product;
    }
    aff_people_unlock(recent->people, person);
    for (size_t i = 0; i < n / 2; i++) {
        int32_t product = ret_products[i];
        ret_products[i] = ret_products[n - 1 - i];
        ret_products[n - 1 - i] = product;
    }
    return n;
}

size_t aff_recent_size(struct aff_recent *recent)
{
    return aff_people_size(recent->people);
}
