/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session/shown.h"

#include "core/session/people.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The notes of a person are ordered as aff_shown_read gives them, each there once. */
struct aff_shown {
    struct aff_people *people;
};

aff_status aff_shown_new(size_t people, struct aff_shown **ret_shown)
{
    struct aff_shown *shown = calloc(1, sizeof *shown);

    if (shown == NULL)
        return AFF_NOMEM;
    aff_status status = aff_people_new(people, AFF_SHOWN_MAX, sizeof(struct aff_shown_note), &shown->people);
    if (status != AFF_OK) {
        free(shown);
        return status;
    }
    *ret_shown = shown;
    return AFF_OK;
}

void aff_shown_free(struct aff_shown *shown)
{
    if (shown == NULL)
        return;
    aff_people_free(shown->people);
    free(shown);
}

/* Below 0: `a` comes first. 0: they are the same. */
static int compare(const struct aff_shown_note *a, const struct aff_shown_note *b)
{
    if (a->product != b->product)
        return a->product < b->product ? -1 : 1;
    if (a->at_s != b->at_s)
        return a->at_s < b->at_s ? -1 : 1;
    return (int)a->clicked - (int)b->clicked;
}

static void take_out(struct aff_person *person, uint32_t from, uint32_t to)
{
    struct aff_shown_note *notes = person->notes;

    memmove(notes + from, notes + to, (person->n - to) * sizeof *notes);
    person->n -= to - from;
}

/* The place of the oldest note; of several the one that comes last in the order, so that what stays does not
 * depend on the order of noting. */
static uint32_t find_oldest(const struct aff_person *person)
{
    const struct aff_shown_note *notes = person->notes;
    uint32_t oldest = 0;

    for (uint32_t i = 1; i < person->n; i++)
        if (notes[i].at_s <= notes[oldest].at_s)
            oldest = i;
    return oldest;
}

/* Takes out what a click makes meaningless: of its product what was noted up to then. Returns where the click
 * belongs. */
static uint32_t take_clicked(struct aff_person *person, uint32_t at)
{
    const struct aff_shown_note *notes = person->notes;
    const int32_t product = notes[at - 1].product;
    uint32_t from = at - 1;

    while (from > 0 && notes[from - 1].product == product)
        from--;
    take_out(person, from, at);
    return from;
}

/* Takes out the oldest note in favour of a newer one; false: the new one is older still. */
static bool take_oldest(struct aff_person *person, const struct aff_shown_note *note, uint32_t *at)
{
    const struct aff_shown_note *notes = person->notes;
    const uint32_t oldest = find_oldest(person);

    if (notes[oldest].at_s > note->at_s || (notes[oldest].at_s == note->at_s && oldest < *at))
        return false;
    take_out(person, oldest, oldest + 1);
    *at -= oldest < *at;
    return true;
}

static void put(const struct aff_people *people, struct aff_person *person, const struct aff_shown_note *note)
{
    struct aff_shown_note *notes = person->notes;
    uint32_t at = 0;

    while (at < person->n && compare(&notes[at], note) < 0)
        at++;
    /* A product has one click at most, which comes before all that counts. */
    if (at < person->n && notes[at].product == note->product &&
        (notes[at].clicked || compare(&notes[at], note) == 0))
        return;
    if (note->clicked && at > 0 && notes[at - 1].product == note->product)
        at = take_clicked(person, at);
    if (person->n == AFF_SHOWN_MAX ? !take_oldest(person, note, &at) : !aff_people_room(people, person))
        return;
    notes = person->notes;
    memmove(notes + at + 1, notes + at, (person->n - at) * sizeof *notes);
    notes[at] = *note;
    person->n++;
}

void aff_shown_note(struct aff_shown *shown, uint64_t person, int32_t product, int64_t at_us, bool clicked)
{
    const int64_t at_s = at_us / 1000000;
    const struct aff_shown_note note = {
        .product = product,
        .at_s = at_s < 0            ? 0
                : at_s > UINT32_MAX ? UINT32_MAX
                                    : (uint32_t)at_s,
        .clicked = clicked,
    };
    struct aff_person *found = aff_people_lock(shown->people, person, !clicked);

    if (found != NULL)
        put(shown->people, found, &note);
    aff_people_unlock(shown->people, person);
}

size_t aff_shown_read(struct aff_shown *shown, uint64_t person,
                      struct aff_shown_note ret_notes[AFF_SHOWN_MAX])
{
    const struct aff_person *found = aff_people_lock(shown->people, person, false);
    const size_t n = found == NULL ? 0 : found->n;

    if (n > 0)
        memcpy(ret_notes, found->notes, n * sizeof *ret_notes);
    aff_people_unlock(shown->people, person);
    return n;
}

/* Takes the next note of two ordered lists, one that both have from both. */
static const struct aff_shown_note *take_next(const struct aff_shown_note **a,
                                              const struct aff_shown_note *end_a,
                                              const struct aff_shown_note **b,
                                              const struct aff_shown_note *end_b)
{
    const int order = *a == end_a ? 1 : *b == end_b ? -1 : compare(*a, *b);
    const struct aff_shown_note *next = order <= 0 ? *a : *b;

    *a += order <= 0;
    *b += order >= 0;
    return next;
}

size_t aff_shown_count(const struct aff_shown_note *a, size_t n_a, const struct aff_shown_note *b, size_t n_b,
                       int64_t now_us, double half_life_s, struct aff_impressed *ret_impressed)
{
    const struct aff_shown_note *end_a = a + n_a, *end_b = b + n_b;
    const int64_t now_s = now_us / 1000000;
    struct aff_impressed counting = {0};
    size_t n = 0;

    while (a < end_a || b < end_b) {
        const struct aff_shown_note *note = take_next(&a, end_a, &b, end_b);
        if (note->product != counting.product) {
            if (counting.times > 0)
                ret_impressed[n++] = counting;
            counting = (struct aff_impressed){.product = note->product};
        }
        const int64_t age_s = now_s > (int64_t)note->at_s ? now_s - (int64_t)note->at_s : 0;
        counting.times = note->clicked ? 0 : counting.times + exp2f((float)(-(double)age_s / half_life_s));
    }
    if (counting.times > 0)
        ret_impressed[n++] = counting;
    return n;
}

size_t aff_shown_size(struct aff_shown *shown)
{
    return aff_people_size(shown->people);
}
