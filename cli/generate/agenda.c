/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/agenda.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct entry {
    uint32_t next; /* of the same day, or of the free ones */
    uint32_t customer;
    uint32_t lines; /* first of a chain */
    enum aff_demo_deed deed;
};

struct node {
    struct aff_demo_line line;
    uint32_t next;
};

struct aff_demo_agenda {
    uint32_t *days; /* [n_days]: newest entry of each day */
    struct entry *entries;
    struct node *nodes;
    uint32_t n_entries, n_nodes;       /* ever used */
    uint32_t room_entries, room_nodes; /* allocated */
    uint32_t free_entries, free_nodes; /* chains */
};

aff_status aff_demo_agenda_new(int32_t n_days, struct aff_demo_agenda **ret_agenda)
{
    struct aff_demo_agenda *agenda = calloc(1, sizeof *agenda);

    if (agenda == NULL)
        return AFF_NOMEM;
    agenda->days = malloc((size_t)n_days * sizeof *agenda->days);
    if (agenda->days == NULL) {
        free(agenda);
        return AFF_NOMEM;
    }
    for (int32_t day = 0; day < n_days; day++)
        agenda->days[day] = NONE;
    agenda->free_entries = agenda->free_nodes = NONE;
    *ret_agenda = agenda;
    return AFF_OK;
}

void aff_demo_agenda_free(struct aff_demo_agenda *agenda)
{
    if (agenda == NULL)
        return;
    free(agenda->days);
    free(agenda->entries);
    free(agenda->nodes);
    free(agenda);
}

/* Doubles an array that is full; false if memory is out. */
static bool make_room(void **array, uint32_t *room, uint32_t needed, size_t size)
{
    if (needed <= *room)
        return true;
    uint32_t wanted = needed * 2 + 1024;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

static bool reserve(struct aff_demo_agenda *agenda, uint32_t n_lines)
{
    void *entries = agenda->entries, *nodes = agenda->nodes;
    bool done = make_room(&entries, &agenda->room_entries, agenda->n_entries + 1, sizeof *agenda->entries);

    agenda->entries = entries;
    done = done && make_room(&nodes, &agenda->room_nodes, agenda->n_nodes + n_lines, sizeof *agenda->nodes);
    agenda->nodes = nodes;
    return done;
}

static uint32_t take_node(struct aff_demo_agenda *agenda)
{
    uint32_t node = agenda->free_nodes;

    if (node == NONE)
        return agenda->n_nodes++;
    agenda->free_nodes = agenda->nodes[node].next;
    return node;
}

static uint32_t take_entry(struct aff_demo_agenda *agenda)
{
    uint32_t entry = agenda->free_entries;

    if (entry == NONE)
        return agenda->n_entries++;
    agenda->free_entries = agenda->entries[entry].next;
    return entry;
}

aff_status aff_demo_agenda_add(struct aff_demo_agenda *agenda, int32_t day, enum aff_demo_deed deed,
                               uint32_t customer, const struct aff_demo_line *lines, uint32_t n)
{
    if (!reserve(agenda, n))
        return AFF_NOMEM;
    uint32_t chain = NONE;
    for (uint32_t i = n; i-- > 0;) {
        uint32_t node = take_node(agenda);
        agenda->nodes[node] = (struct node){.line = lines[i], .next = chain};
        chain = node;
    }
    uint32_t entry = take_entry(agenda);
    agenda->entries[entry] =
        (struct entry){.next = agenda->days[day], .customer = customer, .lines = chain, .deed = deed};
    agenda->days[day] = entry;
    return AFF_OK;
}

bool aff_demo_agenda_take(struct aff_demo_agenda *agenda, int32_t day, struct aff_demo_task *ret_task)
{
    uint32_t number = agenda->days[day];

    if (number == NONE)
        return false;
    struct entry *entry = &agenda->entries[number];
    ret_task->deed = entry->deed;
    ret_task->customer = entry->customer;
    ret_task->n = 0;
    for (uint32_t node = entry->lines; node != NONE;) {
        uint32_t next = agenda->nodes[node].next;
        ret_task->lines[ret_task->n++] = agenda->nodes[node].line;
        agenda->nodes[node].next = agenda->free_nodes;
        agenda->free_nodes = node;
        node = next;
    }
    agenda->days[day] = entry->next;
    entry->next = agenda->free_entries;
    agenda->free_entries = number;
    return true;
}
