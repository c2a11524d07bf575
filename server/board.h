/* SPDX-License-Identifier: Apache-2.0 */
/* What the service knows about itself beside the models: is the database there, what went wrong last, is it
 * draining, did the last reload work. Written by the loader and the main thread, read by /health and
 * /metrics. Has a lock, which no recommendation takes. */
#pragma once

#include "core/base/status.h"
#include "core/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum aff_database_state { AFF_DATABASE_CONNECTING, AFF_DATABASE_OK, AFF_DATABASE_DOWN };

/* Kinds of failure that were seen: the SQLSTATE's class, or what stands for it. */
struct aff_failure_class {
    char name[16];
    uint64_t n;
};
#define AFF_FAILURE_CLASSES 32 /* more kinds are counted as "other" */

/* One store's last failure to load. */
struct aff_load_failure {
    char store[AFF_ID_MAX + 1];
    char text[512]; /* empty: the last load went well */
    uint64_t n;
};
#define AFF_LOAD_FAILURES 16 /* stores whose failures are kept */

/* A copy of everything, to be read at leisure. */
struct aff_board_view {
    enum aff_database_state database;
    char database_error[512]; /* empty unless the state is DOWN */
    int64_t database_seen_us; /* wall clock of the last good answer; 0: never */
    struct aff_failure_class failures[AFF_FAILURE_CLASSES];
    size_t n_failures;
    struct aff_load_failure loads[AFF_LOAD_FAILURES];
    size_t n_loads;
    uint64_t load_count;
    int64_t last_load_us;   /* time that the last load took */
    char writes_error[512]; /* empty: the API's writes went well the last time, or there were none */
    uint64_t writes_failures;
    bool reload_good;
    uint64_t reloads;
    struct aff_source_view {
        bool reads, good; /* this instance reads the shop's own tables; the last look went well */
        uint64_t orders, rejected, failures;
        int64_t seen_us; /* wall clock of the last good look; 0: never */
    } source;
};

struct aff_board {
    atomic_bool draining;
    int64_t started_us; /* wall clock */
    pthread_mutex_t lock;
    struct aff_board_view view; /* under `lock` */
};

void aff_board_init(struct aff_board *board);
void aff_board_done(struct aff_board *board);

void aff_board_read(struct aff_board *board, struct aff_board_view *ret_view);

void aff_board_connecting(struct aff_board *board);
void aff_board_database_good(struct aff_board *board);
void aff_board_database_failed(struct aff_board *board, const struct aff_error *error);

/* What the threads that write found. */
void aff_board_writes_good(struct aff_board *board);
void aff_board_writes_failed(struct aff_board *board, const struct aff_error *error);

/* A store was loaded in `took_us`, or (error not NULL) could not be. */
void aff_board_load(struct aff_board *board, const char *store, const struct aff_error *error,
                    int64_t took_us);

void aff_board_reloaded(struct aff_board *board, bool good);

/* A look at the shop's own tables brought so many orders, and left so many entries out; or it failed. */
void aff_board_source_read(struct aff_board *board, uint64_t orders, uint64_t rejected);
void aff_board_source_failed(struct aff_board *board, const struct aff_error *error);

static inline bool aff_board_draining(const struct aff_board *board)
{
    return atomic_load_explicit(&board->draining, memory_order_relaxed);
}
