/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session/recent.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, FIRST_NOTES = 4 };
#define NONE UINT32_MAX

struct note {
    int64_t at_us;
    int32_t product;
    bool gone;
};

/* A person. In the list of its shard the one that was noted last comes first. */
struct person {
    uint64_t key;
    struct note *notes; /* oldest first */
    uint32_t n, capacity;
    uint32_t newer, older; /* neighbours in the list */
    uint32_t next;         /* with the same bucket */
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct person *people; /* grows up to the limit */
    uint32_t *buckets;     /* a power of two */
    uint32_t n, capacity, n_buckets;
    uint32_t newest, oldest;
};

struct aff_recent {
    struct shard shards[SHARDS];
    uint32_t people; /* of a shard, at most */
    uint32_t products;
};

aff_status aff_recent_new(size_t people, size_t products, struct aff_recent **ret_recent)
{
    struct aff_recent *recent = aligned_alloc(_Alignof(struct aff_recent), sizeof *recent);

    assert(products > 0 && products <= AFF_RECENT_MAX);
    if (recent == NULL)
        return AFF_NOMEM;
    memset(recent, 0, sizeof *recent);
    recent->people = (uint32_t)(people / SHARDS + 1);
    recent->products = (uint32_t)products;
    for (int i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&recent->shards[i].lock, NULL);
        recent->shards[i].newest = recent->shards[i].oldest = NONE;
    }
    *ret_recent = recent;
    return AFF_OK;
}

void aff_recent_free(struct aff_recent *recent)
{
    if (recent == NULL)
        return;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &recent->shards[i];
        for (uint32_t j = 0; j < shard->n; j++)
            free(shard->people[j].notes);
        free(shard->people);
        free(shard->buckets);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(recent);
}

static struct shard *shard_of(struct aff_recent *recent, uint64_t key)
{
    return &recent->shards[key >> 58];
}

static uint32_t *bucket_of(struct shard *shard, uint64_t key)
{
    return &shard->buckets[key & (shard->n_buckets - 1)];
}

static struct person *find(struct shard *shard, uint64_t key)
{
    if (shard->n_buckets == 0)
        return NULL;
    for (uint32_t i = *bucket_of(shard, key); i != NONE; i = shard->people[i].next)
        if (shard->people[i].key == key)
            return &shard->people[i];
    return NULL;
}

static void unlink_person(struct shard *shard, uint32_t index)
{
    struct person *person = &shard->people[index];

    if (person->newer == NONE)
        shard->newest = person->older;
    else
        shard->people[person->newer].older = person->older;
    if (person->older == NONE)
        shard->oldest = person->newer;
    else
        shard->people[person->older].newer = person->newer;
}

static void link_newest(struct shard *shard, uint32_t index)
{
    struct person *person = &shard->people[index];

    person->newer = NONE;
    person->older = shard->newest;
    if (shard->newest != NONE)
        shard->people[shard->newest].newer = index;
    shard->newest = index;
    if (shard->oldest == NONE)
        shard->oldest = index;
}

static void enter_bucket(struct shard *shard, uint32_t index)
{
    uint32_t *bucket = bucket_of(shard, shard->people[index].key);

    shard->people[index].next = *bucket;
    *bucket = index;
}

static void leave_bucket(struct shard *shard, uint32_t index)
{
    uint32_t *at = bucket_of(shard, shard->people[index].key);

    while (*at != index)
        at = &shard->people[*at].next;
    *at = shard->people[index].next;
}

static bool grow(struct shard *shard, uint32_t most)
{
    uint32_t capacity = shard->capacity == 0 ? 16 : shard->capacity * 2, n_buckets = 16;

    if (capacity > most)
        capacity = most;
    while (n_buckets < capacity)
        n_buckets *= 2;
    uint32_t *buckets = malloc(n_buckets * sizeof *buckets);
    struct person *people = buckets == NULL ? NULL : realloc(shard->people, capacity * sizeof *people);
    if (people == NULL) {
        free(buckets);
        return false;
    }
    free(shard->buckets);
    shard->people = people;
    shard->buckets = buckets;
    shard->capacity = capacity;
    shard->n_buckets = n_buckets;
    for (uint32_t i = 0; i < n_buckets; i++)
        buckets[i] = NONE;
    for (uint32_t i = 0; i < shard->n; i++)
        enter_bucket(shard, i);
    return true;
}

/* A new person, in a new place or in that of the one noted longest ago. */
static struct person *add(struct shard *shard, uint64_t key, uint32_t most)
{
    uint32_t index;

    if (shard->n == shard->capacity && shard->capacity < most && !grow(shard, most))
        return NULL;
    if (shard->n < shard->capacity) {
        index = shard->n++;
        shard->people[index] = (struct person){.key = key};
    } else {
        index = shard->oldest;
        unlink_person(shard, index);
        leave_bucket(shard, index);
        shard->people[index].key = key;
        shard->people[index].n = 0;
    }
    enter_bucket(shard, index);
    link_newest(shard, index);
    return &shard->people[index];
}

static bool make_room(struct person *person, uint32_t most)
{
    if (person->n < person->capacity)
        return true;
    uint32_t capacity = person->capacity == 0 ? FIRST_NOTES : person->capacity * 2;
    capacity = capacity > most ? most : capacity;
    struct note *notes = realloc(person->notes, capacity * sizeof *notes);
    if (notes == NULL)
        return false;
    person->notes = notes;
    person->capacity = capacity;
    return true;
}

/* Puts the note in its place by time, instead of an older one about the product. */
static void put(struct person *person, const struct note *note, uint32_t most)
{
    uint32_t i = 0;

    while (i < person->n && person->notes[i].product != note->product)
        i++;
    if (i < person->n && person->notes[i].at_us >= note->at_us) {
        person->notes[i].gone |= note->gone && person->notes[i].at_us == note->at_us;
        return;
    }
    if (i == person->n && person->n == most) {
        if (person->notes[0].at_us > note->at_us)
            return;
        i = 0;
    }
    if (i < person->n) {
        memmove(person->notes + i, person->notes + i + 1, (person->n - i - 1) * sizeof *note);
        person->n--;
    } else if (!make_room(person, most)) {
        return;
    }
    for (i = person->n; i > 0 && person->notes[i - 1].at_us > note->at_us; i--)
        person->notes[i] = person->notes[i - 1];
    person->notes[i] = *note;
    person->n++;
}

void aff_recent_note(struct aff_recent *recent, uint64_t person, int32_t product, int64_t at_us, bool gone)
{
    struct shard *shard = shard_of(recent, person);
    const struct note note = {at_us, product, gone};

    (void)pthread_mutex_lock(&shard->lock);
    struct person *found = find(shard, person);
    if (found == NULL) {
        found = add(shard, person, recent->people);
    } else {
        uint32_t index = (uint32_t)(found - shard->people);
        unlink_person(shard, index);
        link_newest(shard, index);
    }
    if (found != NULL)
        put(found, &note, recent->products);
    (void)pthread_mutex_unlock(&shard->lock);
}

void aff_recent_clear(struct aff_recent *recent, uint64_t person, int64_t at_us)
{
    struct shard *shard = shard_of(recent, person);

    (void)pthread_mutex_lock(&shard->lock);
    struct person *found = find(shard, person);
    for (uint32_t i = 0; found != NULL && i < found->n; i++)
        if (found->notes[i].at_us <= at_us)
            found->notes[i].gone = true;
    (void)pthread_mutex_unlock(&shard->lock);
}

size_t aff_recent_read(struct aff_recent *recent, uint64_t person, int64_t since_us, int32_t *ret_products,
                       size_t most)
{
    struct shard *shard = shard_of(recent, person);
    size_t n = 0;

    (void)pthread_mutex_lock(&shard->lock);
    const struct person *found = find(shard, person);
    for (uint32_t i = found == NULL ? 0 : found->n; i > 0 && n < most; i--) {
        const struct note *note = &found->notes[i - 1];
        if (note->at_us < since_us)
            break;
        if (!note->gone)
            ret_products[n++] = note->product;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    for (size_t i = 0; i < n / 2; i++) {
        int32_t product = ret_products[i];
        ret_products[i] = ret_products[n - 1 - i];
        ret_products[n - 1 - i] = product;
    }
    return n;
}

size_t aff_recent_size(struct aff_recent *recent)
{
    size_t n = 0;

    for (int i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_lock(&recent->shards[i].lock);
        n += recent->shards[i].n;
        (void)pthread_mutex_unlock(&recent->shards[i].lock);
    }
    return n;
}
