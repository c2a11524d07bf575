/* SPDX-License-Identifier: Apache-2.0 */
#include "server/thread.h"

#include <signal.h>
#include <string.h>

aff_status aff_thread_start(const char *name, void *(*run)(void *argument), void *argument,
                            pthread_t *ret_thread, struct aff_error *reterr)
{
    sigset_t all, before;
    pthread_t thread;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failure = pthread_create(&thread, NULL, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        return aff_error_set(reterr, AFF_IO, "cannot start the thread '%s': %s", name, strerror(failure));
    (void)pthread_setname_np(thread, name);
    *ret_thread = thread;
    return AFF_OK;
}
