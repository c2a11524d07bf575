/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learner_board.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

aff_status aff_learner_board_init(struct aff_learner_board *board)
{
    *board = (struct aff_learner_board){.stores = calloc(AFF_LEARNED_STORES, sizeof *board->stores)};
    if (board->stores == NULL)
        return AFF_NOMEM;
    (void)pthread_mutex_init(&board->lock, NULL);
    return AFF_OK;
}

void aff_learner_board_done(struct aff_learner_board *board)
{
    if (board->stores == NULL)
        return;
    (void)pthread_mutex_destroy(&board->lock);
    free(board->stores);
    board->stores = NULL;
}

bool aff_learner_board_read(struct aff_learner_board *board, size_t at, struct aff_learned_store *ret)
{
    (void)pthread_mutex_lock(&board->lock);
    bool known = at < board->n;
    if (known)
        *ret = board->stores[at];
    (void)pthread_mutex_unlock(&board->lock);
    return known;
}

struct aff_learned_store *aff_learner_board_lock(struct aff_learner_board *board, const char *name)
{
    (void)pthread_mutex_lock(&board->lock);
    for (size_t i = 0; i < board->n; i++)
        if (strcmp(board->stores[i].name, name) == 0)
            return &board->stores[i];
    if (board->n == AFF_LEARNED_STORES) {
        (void)pthread_mutex_unlock(&board->lock);
        return NULL;
    }
    struct aff_learned_store *store = &board->stores[board->n++];
    (void)snprintf(store->name, sizeof store->name, "%s", name);
    return store;
}

void aff_learner_board_unlock(struct aff_learner_board *board)
{
    (void)pthread_mutex_unlock(&board->lock);
}

double aff_learned_lag_s(const struct aff_learned_store *store, int64_t now_us)
{
    if (store->oldest_us == 0 || now_us < store->oldest_us)
        return 0;
    return (double)(now_us - store->oldest_us) / (double)AFF_SECOND_US;
}
