/* SPDX-License-Identifier: MIT */
/*
 * slow.pml: get and put of an object, the fast path first, and the threads that call them.
 */
#ifdef PORTABLE
#define pop_fast(o) tide__percpu_pop_portable(o)
#define push_fast(o, before) tide__percpu_push_portable(o, before)
#define tide__percpu_pop_bulk(batch) tide__percpu_pop_bulk_portable(batch)
#define tide__percpu_push_bulk(batch) tide__percpu_push_bulk_portable(batch)
#else
#define pop_fast(o) tide__rseq_pop(o)
#define push_fast(o, before) tide__rseq_push(o, before)
#define tide__percpu_pop_bulk(batch) tide__rseq_pop_bulk(batch)
#define tide__percpu_push_bulk(batch) tide__rseq_push_bulk(batch)
#endif

inline unpack(from, shard, batch, o)
{
    tide__percpu_push_bulk(batch);
    if
    :: atomic { done -> batch = 0; done = 0 }
    :: atomic { !done -> tide__generation_put_back(from, shard, batch) }
    fi
}

inline get_batched(o)
{
    young = primary;
    tide__generation_take_any(young, shard, batch);
    if
    :: atomic { batch -> o = batch_newest(batch); batch = batch_rest(batch) };
        if
        :: batch -> unpack(young, shard, batch, o)
        :: !batch
        fi
    :: !batch
    fi
}

inline get_victim(o)
{
    young = victim;
    if
    :: young != NO -> tide__generation_take_one(young, shard, o)
    :: young == NO
    fi
}

inline take_cached(o)
{
    get_batched(o);
    if
    :: !o -> get_victim(o)
    :: o
    fi;
    atomic {
        if
        :: o -> hand_over(o, CARRIED, HELD); age[o] = 0
        :: else
        fi;
        young = NO;
        shard = 0;
        reader_leave()
    }
}

/* Which of the shared lists comes first does not follow the CPU: the thread may have moved. */
inline tide__percpu_claim()
{
    choose_shard(shard);
    #ifdef USED
    choose_cpu(cpu);
    tide__percpu_count_used(cpu);
    cpu = 0
    #endif
}

/* By the hints that may_find reads, there may be nothing. */
inline tide__pool_get_slow(o)
{
    if
    :: atomic { tide__percpu_claim(); reader_enter() };
        take_cached(o);
        if
        :: atomic { !o -> tide__pool_create_object(o) }
        :: o
        fi
    :: atomic { tide__percpu_claim(); shard = 0; tide__pool_create_object(o) }
    fi
}

inline tide_pool_get(o)
{
    pop_fast(o);
    if
    :: !o -> tide__pool_get_slow(o)
    :: o
    fi
}

inline batch_with_room(batch)
{
    tide__percpu_pop_bulk(batch);
    if
    :: atomic { !batch -> tide__generation_take(young, shard, batch) };
        if
        :: atomic { batch_rest(batch) -> tide__generation_put_back(young, shard, batch) }
        :: !batch_rest(batch)
        fi
    :: batch
    fi
}

/* With a limit in bytes: old batches go first, else this one does. */
inline keep_batch(batch)
{
    #ifdef LIMIT
    if
    :: young = victim;
        if
        :: young != NO -> tide__generation_take_any(young, shard, dropped)
        :: else
        fi;
        if
        :: !dropped -> atomic { dropped = batch; batch = 0 }
        :: else
        fi
    :: true
    fi;
    #endif
    if
    :: atomic { batch -> young = primary };
        tide__generation_add(young, shard, batch)
    :: !batch
    fi
}

inline finish_put()
{
    #ifdef LIMIT
    atomic { tide__pool_destroy_batch(dropped) }
    #else
    skip
    #endif
}

inline put_batched(o)
{
    young = primary;
    batch_with_room(batch);
    push_fast(o, PUT);
    atomic {
        if
        :: !done -> hand_over(o, PUT, CARRIED); batch = batch_with(batch, o)
        :: else
        fi;
        o = 0;
        done = 0;
        young = NO
    };
    if
    :: batch -> keep_batch(batch)
    :: !batch
    fi
}

inline tide__pool_put_shared(o)
{
    #ifdef FAULT_PUT_OUTSIDE_SECTION
    atomic { tide__percpu_claim() };
    put_batched(o);
    shard = 0;
    #else
    atomic { tide__percpu_claim(); reader_enter() };
    put_batched(o);
    atomic { young = NO; shard = 0; reader_leave() };
    #endif
    finish_put()
}

/* Sets `done`. */
inline put_late(o)
{
    #ifdef USED
    atomic { tide__percpu_claim(); shard = 0 };
    push_fast(o, PUT)
    #else
    skip
    #endif
}

inline tide__pool_put_slow(o)
{
    put_late(o);
    if
    :: atomic { done -> o = 0; done = 0 }
    :: !done -> tide__pool_put_shared(o)
    fi
}

inline tide_pool_put(o)
{
    push_fast(o, PUT);
    if
    :: atomic { done -> o = 0; done = 0 }
    :: !done -> tide__pool_put_slow(o)
    fi
}

/* A thread that gets an object and puts it, `rounds` times. */
proctype mutator(byte rounds)
{
    byte object;
    byte shard;  /* of slow paths */
    byte cpu, n; /* of stacks */
    byte at, done, tried;
    byte batch, dropped;
    do
    :: atomic { object -> hand_over(object, HELD, PUT) }; tide_pool_put(object)
    :: atomic { !object && rounds ->
                #ifndef FOREVER
                rounds--
                #endif
                }; tide_pool_get(object)
    :: !object && !rounds -> break
    od
}
