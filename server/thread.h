/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a thread of the service. */
#pragma once

#include "core/base/status.h"

#include <pthread.h>

/* Starts a thread that is shown as `name` (at most 15 bytes) and blocks all signals, which are the main
 * thread's business. The caller joins it. AFF_IO: the system gives no thread. */
AFF_MUST_CHECK aff_status aff_thread_start(const char *name, void *(*run)(void *argument), void *argument,
                                           pthread_t *ret_thread, struct aff_error *reterr);
