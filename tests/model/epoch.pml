/* SPDX-License-Identifier: MIT */
/*
 * epoch.pml: a model of a pool and its epochs, for spin; docs/model.md says what it shows.
 *
 * A step of the code is a step here if another thread can see it; what one thread does between
 * two of those is in one `atomic`. These are the code's functions, and where they are; a test
 * compares both.
 *
 *     base/percpu.c: raise_mark tide__percpu_claim tide__percpu_count_used tide__percpu_fence
 *         tide__percpu_pop_bulk tide__percpu_push_bulk tide__percpu_used_before
 *     base/percpu_portable.c: enter tide__percpu_close tide__percpu_open
 *         tide__percpu_pop_bulk_portable tide__percpu_pop_portable
 *         tide__percpu_push_bulk_portable tide__percpu_push_portable unlock wait_unlocked
 *     base/percpu_x86_64.h: tide__rseq_pop tide__rseq_pop_bulk tide__rseq_push
 *         tide__rseq_push_bulk
 *     pool/batch.c: next_head tide__batch_pop tide__batch_push
 *     pool/epoch.c: clear_list clear_unlocked drain_once exchange leave_young publish_victim
 *         retire retire_victim take_leaving take_spare tide__epoch_advance_for
 *         tide_pool_drain
 *     pool/generation.c: clear_batches clear_stack take_from_batches take_from_stack
 *         take_from_stacks tide__generation_add tide__generation_add_young
 *         tide__generation_clear tide__generation_keep tide__generation_put_back
 *         tide__generation_steal tide__generation_swap tide__generation_take
 *         tide__generation_take_any tide__generation_take_one
 *     pool/internal.h: reader_enter reader_leave readers_wait
 *     pool/pool.c: tide_pool_get tide_pool_put
 *     pool/registry.c: tide__registry_lock tide__registry_unlock tide__registry_wait
 *         tide__registry_wake
 *     pool/slow.c: batch_with_room finish_put get_batched get_victim keep_batch put_batched
 *         put_late take_cached tide__pool_create_object tide__pool_destroy_batch
 *         tide__pool_destroy_object tide__pool_get_slow tide__pool_put_shared
 *         tide__pool_put_slow unpack
 *
 * The model's own: batch_newest batch_rest batch_with check_age check_end check_place
 *     choose_cpu choose_idle choose_shard drain_begins drain_ends drain_is_refused grow_older
 *     hand_over hand_over_batch locked_pop locked_push place pop_fast push_fast rename_all
 *     sequence_leave sequence_pop sequence_push
 */

/* The sizes, and what happens besides gets and puts; check.py has the combinations. */
#ifndef MUTATORS
#define MUTATORS 2 /* threads that get and put */
#endif
#ifndef ROUNDS
#define ROUNDS 1 /* gets and puts of each */
#endif
#ifndef EPOCHERS
#define EPOCHERS 1 /* threads of epochs and drains */
#endif
#ifndef OBJECTS
#define OBJECTS 2
#endif
#ifndef CAPACITY
#define CAPACITY 1 /* objects that fit a stack */
#endif
#ifndef SHARDS
#define SHARDS 1 /* lists of a generation: one, or one for each CPU */
#endif
#ifndef START
#define START 0 /* where objects are at first: see place() */
#endif

#define choose_cpu(c) \
    if \
    :: c = 0 \
    :: c = 1 \
    fi

#if SHARDS == 2
#define choose_shard(shard) choose_cpu(shard)
#else
#define choose_shard(shard) shard = 0
#endif

#include "objects.pml"
#include "generation.pml"
#ifdef PORTABLE
#include "portable.pml"
#else
#include "rseq.pml"
#endif
#include "slow.pml"

bool locked; /* the registry's lock */
byte busy;
bool woken;
byte refusals; /* of the kernel, to fence */

inline tide__registry_lock()
{
    atomic { !locked -> locked = true }
}

inline tide__registry_unlock()
{
    locked = false
}

inline tide__registry_wake()
{
    woken = true
}

inline tide__registry_wait()
{
    #ifdef FAULT_WAIT_WITH_LOCK
    woken = false;
    woken
    #else
    atomic { woken = false; locked = false };
    atomic { woken && !locked -> locked = true }
    #endif
}

/* No memory for a fourth generation. */
inline take_spare(fresh)
{
    if
    :: spare[2] -> fresh = 2
    :: !spare[2] && spare[1] -> fresh = 1
    :: else -> fresh = NO
    fi;
    if
    :: fresh != NO -> spare[fresh] = false
    :: else
    fi
}

/* `fresh` becomes 0, 0 becomes 1, and the third one 2. */
#define OTHER (3 - fresh)
#define renamed(name) (name == NO -> NO : (name == fresh -> 0 : (name == 0 -> 1 : 2)))
#define moved(field, index) \
    generations[2].field[index] = generations[OTHER].field[index]; \
    generations[1].field[index] = generations[0].field[index]; \
    generations[0].field[index] = 0

/* What is said to be in stacks and lists is in one of them, once. */
inline check_place(o)
{
    places = 0;
    for (k : 0 .. GENERATIONS - 1) {
        for (j : 0 .. CPUS - 1) {
            places = places + (WORD(k, j) > 0 && ITEM(k, j, 0) == o);
            #if CAPACITY == 2
            places = places + (WORD(k, j) > 1 && ITEM(k, j, 1) == o);
            #endif
        }
        for (j : 0 .. SHARDS * BATCHES - 1) {
            places = places + (batch_newest(generations[k].lists[j]) == o) +
                     (batch_rest(generations[k].lists[j]) == o)
        }
    }
    assert(places == (owner[o] == STACKED || owner[o] == LISTED));
    k = 0;
    j = 0;
    places = 0
}

inline rename_all(fresh)
{
    for (i : 0 .. NAMES - 1) {
        names[i] = renamed(names[i])
    }
    for (i : 0 .. CPUS - 1) {
        assert(!generations[fresh].word[i]);
        moved(word, i);
        #ifdef PORTABLE
        moved(lock, i);
        #endif
    }
    for (i : 0 .. CPUS * CAPACITY - 1) {
        moved(items, i)
    }
    for (i : 0 .. SHARDS * BATCHES - 1) {
        assert(!generations[fresh].lists[i]);
        moved(lists, i)
    }
    i = 0;
    victim = renamed(victim);
    spare[2] = spare[OTHER];
    spare[1] = false
}

/* The one before is 1 then. */
inline tide__generation_swap(fresh)
{
    tide__percpu_open(fresh);
    rename_all(fresh)
}

inline tide__percpu_used_before(asked)
{
    asked = used
}

/* At the start of an epoch, whether there is memory for a swap or not. */
inline grow_older()
{
    for (i : 1 .. OBJECTS) {
        if
        :: owner[i] != NOBODY && owner[i] != HELD && age[i] < 2 -> age[i]++
        :: else
        fi;
        check_place(i)
    }
    i = 0
}

inline leave_young()
{
    atomic {
        grow_older();
        if
        :: leaving == NO -> take_spare(fresh)
        :: else -> fresh = NO
        fi;
        if
        :: fresh != NO -> tide__generation_swap(fresh); leaving = 1
        :: else
        fi;
        fresh = 0
    }
}

inline retire(which)
{
    if
    :: which != NO -> retired(retired_count) = which; retired_count++
    :: else
    fi
}

inline retire_victim()
{
    atomic { retire(victim); victim = NO }
}

inline take_leaving(which)
{
    which = leaving;
    if
    :: which != NO ->
        leaving = NO;
        #ifndef FAULT_USED_ASKED_EARLY
        tide__percpu_used_before(asked);
        #endif
        tide__percpu_close(which, asked);
        asked = 0
    :: else
    fi
}

inline publish_victim()
{
    take_leaving(gen);
    atomic { victim = gen; gen = NO }
}

/* For all that are inside now, and for no one who comes later. */
inline readers_wait()
{
    #ifndef FAULT_NO_READERS_WAIT
    waiting[me] = inside;
    waiting[me] == 0
    #else
    skip
    #endif
}

inline clear_unlocked(which, keeps)
{
    atomic { busy++; tide__registry_unlock() };
    #ifdef KEEP
    if
    :: keeps -> tide__generation_keep(which)
    :: else
    fi;
    #endif
    tide__generation_clear(which);
    tide__registry_lock();
    atomic {
        spare[which] = true;
        busy--;
        tide__registry_wake()
    }
}

inline clear_list(keeps)
{
    do
    :: retired_count ->
        atomic { retired_count--; gen = retired(retired_count); retired(retired_count) = NO };
        clear_unlocked(gen, keeps);
        gen = NO
    :: else -> break
    od
}

inline exchange()
{
    #ifdef FAULT_USED_ASKED_EARLY
    tide__percpu_used_before(asked);
    #endif
    #ifdef FAULT_WAIT_BEFORE_RETIRE
    readers_wait();
    #endif
    #ifdef FAULT_FENCE_BEFORE_SWAP
    tide__percpu_fence();
    leave_young();
    retire_victim();
    publish_victim();
    #else
    leave_young();
    retire_victim();
    #ifdef FAULT_PUBLISH_BEFORE_FENCE
    publish_victim();
    tide__percpu_fence();
    #else
    tide__percpu_fence();
    #ifdef FAULT_REFUSAL_IGNORED
    done = 1;
    #endif
    if
    :: done -> publish_victim()
    :: else
    fi;
    #endif
    #endif
    done = 0;
    #ifndef FAULT_WAIT_BEFORE_RETIRE
    if
    :: retired_count -> readers_wait()
    :: else
    fi
    #endif
}

inline tide__epoch_advance_for()
{
    tide__registry_lock();
    exchange();
    clear_list(true);
    tide__registry_unlock()
}

/* What is cached when a drain begins and stays where it is must be gone when the drain ends,
 * unless the kernel has refused its fence. */
inline drain_begins()
{
    #if EPOCHERS == 1
    for (i : 1 .. OBJECTS) {
        if
        :: owner[i] == STACKED || owner[i] == LISTED -> expected = expected | (1 << i)
        :: else
        fi
    }
    i = 0
    #else
    skip
    #endif
}

inline drain_is_refused()
{
    #if EPOCHERS == 1
    expected = 0
    #else
    skip
    #endif
}

inline drain_ends()
{
    #if EPOCHERS == 1
    assert(!expected)
    #else
    skip
    #endif
}

inline drain_once()
{
    do
    :: leave_young();
        if
        :: leaving == NO && busy -> tide__registry_wait()
        :: else -> break
        fi
    od;
    retire_victim();
    tide__percpu_fence();
    if
    :: done -> take_leaving(gen); atomic { retire(gen); gen = NO }
    :: atomic { !done -> drain_is_refused() }
    fi;
    done = 0;
    if
    :: retired_count -> readers_wait()
    :: else
    fi;
    clear_list(false)
}

/* Twice if a generation was still leaving. */
inline tide_pool_drain()
{
    atomic { tide__registry_lock(); drain_begins(); late = leaving != NO };
    drain_once();
    #ifndef FAULT_DRAIN_ONCE
    if
    :: late && leaving == NO -> drain_once()
    :: else
    fi;
    #endif
    late = false;
    atomic { drain_ends(); tide__registry_unlock() }
}

/* A thread of epochs and drains: any number of them, or some. */
#ifdef FINITE
#define TURNS FINITE
#define NEXT_TURN left--
#else
#define TURNS 1
#define NEXT_TURN skip
#endif

proctype epochs(byte me)
{
    byte fresh, retired_count;
    byte i, j, k, places, asked;
    bool drains, late;
    byte object, batch, cpu, n, done, gen_young;
    byte left = TURNS;
    do
    #ifdef ADVANCES
    :: atomic { left -> NEXT_TURN }; tide__epoch_advance_for()
    #endif
    #ifdef DRAINS
    :: atomic { left -> NEXT_TURN; drains = true }; tide_pool_drain(); drains = false
    #endif
    :: !left -> break
    od
}

/* Where the objects are at first: nowhere; one on a stack, one in a batch; both in a batch; or
 * anywhere. */
inline place(o)
{
    if
    :: START == 0
    :: START == 1 && o == 1 || START == 2 && o == 3 || START == 3 && WORD(0, 0) < CAPACITY ->
        ITEM(0, 0, WORD(0, 0)) = o; WORD(0, 0)++; owner[o] = STACKED
    :: START == 1 && o == 2 || START == 3 -> owner[o] = CARRIED; batch = o;
        tide__generation_add(0, 0, batch)
    :: START == 2 && o == 1 -> owner[o] = LISTED; LIST(0, 0, 0) = o
    :: START == 2 && o == 2 -> owner[o] = LISTED; LIST(0, 0, 0) = batch_with(1, o)
    :: START == 3
    fi
}

init {
    byte batch, o;
    atomic {
        for (o : 0 .. NAMES - 1) {
            names[o] = NO
        }
        o = 0;
        spare[1] = true;
        spare[2] = true;
        place(1);
        place(2);
        #if OBJECTS == 3
        place(3);
        #endif
        run mutator(ROUNDS);
        #if MUTATORS == 2
        run mutator(ROUNDS);
        #endif
        #if EPOCHERS == 2
        run epochs(1);
        #endif
        run epochs(0)
    }
}
