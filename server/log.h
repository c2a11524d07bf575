/* SPDX-License-Identifier: Apache-2.0 */
/* The service's log: one JSON object a line on standard error, written with one system call, so that lines of
 * several threads do not mix. Never pass a secret, a customer's or a session's id. */
#pragma once

#include "core/base/status.h"

#include <stdatomic.h>
#include <stdint.h>

enum aff_log_level { AFF_LOG_ERROR, AFF_LOG_WARNING, AFF_LOG_INFO, AFF_LOG_DEBUG };

/* May be used by any thread. */
struct aff_log {
    _Atomic int level; /* lines above it are left out */
    int file;          /* written to; not owned */
};

void aff_log_init(struct aff_log *log, int file);

/* Takes the name of a level as in log.level; an unknown one means info. */
void aff_log_set_level(struct aff_log *log, const char *name);

static inline int aff_log_wants(const struct aff_log *log, enum aff_log_level level)
{
    return (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

/* A further member of a line: a text, or a number when `text` is NULL. */
struct aff_log_field {
    const char *name;
    const char *text;
    int64_t number;
};

#define AFF_LOG_FIELDS(...)                                                                                  \
    (const struct aff_log_field[])                                                                           \
    {                                                                                                        \
        __VA_ARGS__,                                                                                         \
        {                                                                                                    \
            NULL, NULL, 0                                                                                    \
        }                                                                                                    \
    }

/* Writes {"ts", "level", "event", "msg", and the fields}. `event` is a fixed short name to search for;
 * `fields` ends with a NULL name and may be NULL. `format` and what follows make the message. */
void aff_log(struct aff_log *log, enum aff_log_level level, const char *event,
             const struct aff_log_field *fields, const char *format, ...) AFF_PRINTF(5, 6);
