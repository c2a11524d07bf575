/* SPDX-License-Identifier: Apache-2.0 */
#include "server/board.h"

#include "core/base/clock.h"

#include <stdio.h>
#include <string.h>

void aff_board_init(struct aff_board *board)
{
    *board = (struct aff_board){.started_us = aff_clock_now_us(), .view.reload_good = true};
    atomic_init(&board->draining, false);
    (void)pthread_mutex_init(&board->lock, NULL);
}

void aff_board_done(struct aff_board *board)
{
    (void)pthread_mutex_destroy(&board->lock);
}

void aff_board_read(struct aff_board *board, struct aff_board_view *ret_view)
{
    (void)pthread_mutex_lock(&board->lock);
    *ret_view = board->view;
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_connecting(struct aff_board *board)
{
    (void)pthread_mutex_lock(&board->lock);
    if (board->view.database == AFF_DATABASE_OK)
        board->view.database = AFF_DATABASE_CONNECTING;
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_database_good(struct aff_board *board)
{
    (void)pthread_mutex_lock(&board->lock);
    board->view.database = AFF_DATABASE_OK;
    board->view.database_error[0] = '\0';
    board->view.database_seen_us = aff_clock_now_us();
    (void)pthread_mutex_unlock(&board->lock);
}

/* Counts a failure under its class. */
static void count_failure(struct aff_board_view *view, const struct aff_error *error)
{
    static const char *const names[] = {
        [AFF_BACKEND] = "connection",  [AFF_SCHEMA] = "schema", [AFF_DATA] = "data",
        [AFF_LIMIT] = "memory_limit",  [AFF_NOMEM] = "memory",  [AFF_NOTFOUND] = "store",
        [AFF_CANCELLED] = "cancelled",
    };
    char class[16] = "other";
    size_t i = 0;

    if (error->sqlstate[0] != '\0')
        (void)snprintf(class, sizeof class, "%.2s", error->sqlstate);
    else if ((size_t)error->status < sizeof names / sizeof *names && names[error->status] != NULL)
        (void)snprintf(class, sizeof class, "%s", names[error->status]);
    while (i < view->n_failures && strcmp(view->failures[i].name, class) != 0)
        i++;
    if (i == AFF_FAILURE_CLASSES)
        i--;
    if (i == view->n_failures) {
        view->n_failures++;
        const char *name = view->n_failures == AFF_FAILURE_CLASSES ? "other" : class;
        (void)snprintf(view->failures[i].name, sizeof view->failures[i].name, "%s", name);
    }
    view->failures[i].n++;
}

void aff_board_database_failed(struct aff_board *board, const struct aff_error *error)
{
    (void)pthread_mutex_lock(&board->lock);
    board->view.database = AFF_DATABASE_DOWN;
    (void)snprintf(board->view.database_error, sizeof board->view.database_error, "%s", error->text);
    count_failure(&board->view, error);
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_writes_good(struct aff_board *board)
{
    (void)pthread_mutex_lock(&board->lock);
    board->view.writes_error[0] = '\0';
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_writes_failed(struct aff_board *board, const struct aff_error *error)
{
    (void)pthread_mutex_lock(&board->lock);
    (void)snprintf(board->view.writes_error, sizeof board->view.writes_error, "%s", error->text);
    board->view.writes_failures++;
    count_failure(&board->view, error);
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_load(struct aff_board *board, const char *store, const struct aff_error *error,
                    int64_t took_us)
{
    struct aff_board_view *view = &board->view;
    size_t i = 0;

    (void)pthread_mutex_lock(&board->lock);
    while (i < view->n_loads && strcmp(view->loads[i].store, store) != 0)
        i++;
    if (error == NULL) {
        view->load_count++;
        view->last_load_us = took_us;
        if (i < view->n_loads)
            view->loads[i].text[0] = '\0';
    } else {
        count_failure(view, error);
        if (i == AFF_LOAD_FAILURES)
            i--;
        if (i == view->n_loads)
            view->n_loads++;
        (void)snprintf(view->loads[i].store, sizeof view->loads[i].store, "%s", store);
        (void)snprintf(view->loads[i].text, sizeof view->loads[i].text, "%s", error->text);
        view->loads[i].n++;
    }
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_reloaded(struct aff_board *board, bool good)
{
    (void)pthread_mutex_lock(&board->lock);
    board->view.reload_good = good;
    board->view.reloads++;
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_source_read(struct aff_board *board, uint64_t orders, uint64_t rejected)
{
    (void)pthread_mutex_lock(&board->lock);
    struct aff_source_view *source = &board->view.source;
    source->reads = source->good = true;
    source->orders += orders;
    source->rejected += rejected;
    source->seen_us = aff_clock_now_us();
    (void)pthread_mutex_unlock(&board->lock);
}

void aff_board_source_failed(struct aff_board *board, const struct aff_error *error)
{
    (void)pthread_mutex_lock(&board->lock);
    board->view.source.reads = true;
    board->view.source.good = false;
    board->view.source.failures++;
    count_failure(&board->view, error);
    (void)pthread_mutex_unlock(&board->lock);
}
