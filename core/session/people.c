/* SPDX-License-Identifier: Apache-2.0 */
#include "core/session/people.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, FIRST_NOTES = 4 };
#define NONE UINT32_MAX

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct aff_person *people; /* grows up to the limit */
    uint32_t *buckets;         /* a power of two */
    uint32_t n, capacity, n_buckets;
    uint32_t newest, oldest;
};

struct aff_people {
    struct shard shards[SHARDS];
    uint32_t people; /* of a shard, at most */
    uint32_t notes;  /* of a person, at most */
    size_t note_bytes;
};

aff_status aff_people_new(size_t people, size_t notes, size_t note_bytes, struct aff_people **ret_people)
{
    struct aff_people *made = aligned_alloc(_Alignof(struct aff_people), sizeof *made);

    if (made == NULL)
        return AFF_NOMEM;
    memset(made, 0, sizeof *made);
    made->people = (uint32_t)(people / SHARDS + 1);
    made->notes = (uint32_t)notes;
    made->note_bytes = note_bytes;
    for (int i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&made->shards[i].lock, NULL);
        made->shards[i].newest = made->shards[i].oldest = NONE;
    }
    *ret_people = made;
    return AFF_OK;
}

void aff_people_free(struct aff_people *people)
{
    if (people == NULL)
        return;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &people->shards[i];
        for (uint32_t j = 0; j < shard->n; j++)
            free(shard->people[j].notes);
        free(shard->people);
        free(shard->buckets);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(people);
}

static struct shard *shard_of(struct aff_people *people, uint64_t key)
{
    return &people->shards[key >> 58];
}

static uint32_t *bucket_of(struct shard *shard, uint64_t key)
{
    return &shard->buckets[key & (shard->n_buckets - 1)];
}

static struct aff_person *find(struct shard *shard, uint64_t key)
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
    struct aff_person *person = &shard->people[index];

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
    struct aff_person *person = &shard->people[index];

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
    struct aff_person *people = buckets == NULL ? NULL : realloc(shard->people, capacity * sizeof *people);
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
static struct aff_person *add(struct shard *shard, uint64_t key, uint32_t most)
{
    uint32_t index;

    if (shard->n == shard->capacity && shard->capacity < most && !grow(shard, most))
        return NULL;
    if (shard->n < shard->capacity) {
        index = shard->n++;
        shard->people[index] = (struct aff_person){.key = key};
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

struct aff_person *aff_people_lock(struct aff_people *people, uint64_t key, bool add_it)
{
    struct shard *shard = shard_of(people, key);

    (void)pthread_mutex_lock(&shard->lock);
    struct aff_person *found = find(shard, key);
    if (!add_it)
        return found;
    if (found == NULL)
        return add(shard, key, people->people);
    uint32_t index = (uint32_t)(found - shard->people);
    unlink_person(shard, index);
    link_newest(shard, index);
    return found;
}

void aff_people_unlock(struct aff_people *people, uint64_t key)
{
    (void)pthread_mutex_unlock(&shard_of(people, key)->lock);
}

bool aff_people_room(const struct aff_people *people, struct aff_person *person)
{
    if (person->n < person->capacity)
        return true;
    if (person->n == people->notes)
        return false;
    uint32_t capacity = person->capacity == 0 ? FIRST_NOTES : person->capacity * 2;
    capacity = capacity > people->notes ? people->notes : capacity;
    void *notes = realloc(person->notes, capacity * people->note_bytes);
    if (notes == NULL)
        return false;
    person->notes = notes;
    person->capacity = capacity;
    return true;
}

size_t aff_people_size(struct aff_people *people)
{
    size_t n = 0;

    for (int i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_lock(&people->shards[i].lock);
        n += people->shards[i].n;
        (void)pthread_mutex_unlock(&people->shards[i].lock);
    }
    return n;
}
