/* SPDX-License-Identifier: Apache-2.0 */
/* ThreadSanitizer does not see the ordering that liburcu's read side gets from the grace period, since the
 * library is not instrumented: C11 atomics for the pointers together with one annotated release and acquire
 * tell it. Either alone leaves false reports. */
#include "core/index/slot.h"

#include "core/index/grace.h"
#include "core/index/model.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

struct aff_slot {
    struct aff_model *_Atomic model;
};

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>

/* Only its address is used: all readers release it, each grace period acquires it. */
static char grace_mark;

static void mark_release(void)
{
    __tsan_release(&grace_mark);
}

static void mark_acquire(void)
{
    __tsan_acquire(&grace_mark);
}
#else
static void mark_release(void)
{
}

static void mark_acquire(void)
{
}
#endif

void aff_grace_wait(void)
{
    urcu_memb_synchronize_rcu();
    mark_acquire();
}

aff_status aff_slot_new(struct aff_slot **ret_slot)
{
    struct aff_slot *slot = malloc(sizeof *slot);

    if (slot == NULL)
        return AFF_NOMEM;
    atomic_init(&slot->model, NULL);
    *ret_slot = slot;
    return AFF_OK;
}

void aff_slot_free(struct aff_slot *slot)
{
    if (slot == NULL)
        return;
    aff_model_free(atomic_load_explicit(&slot->model, memory_order_relaxed));
    free(slot);
}

void aff_reader_enter(void)
{
    urcu_memb_register_thread();
}

void aff_reader_leave(void)
{
    urcu_memb_unregister_thread();
}

const struct aff_model *aff_slot_acquire(const struct aff_slot *slot)
{
    urcu_memb_read_lock();
    return atomic_load_explicit(&slot->model, memory_order_acquire);
}

void aff_slot_release(const struct aff_slot *slot)
{
    (void)slot;
    mark_release();
    urcu_memb_read_unlock();
}

struct aff_model *aff_slot_exchange(struct aff_slot *slot, struct aff_model *next)
{
    return atomic_exchange_explicit(&slot->model, next, memory_order_acq_rel);
}

void aff_slot_publish(struct aff_slot *slot, struct aff_model *next)
{
    struct aff_model *previous = aff_slot_exchange(slot, next);

    if (previous == NULL)
        return;
    aff_grace_wait();
    aff_model_free(previous);
}

struct aff_model *aff_slot_model(struct aff_slot *slot)
{
    return atomic_load_explicit(&slot->model, memory_order_relaxed);
}
