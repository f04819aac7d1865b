/* SPDX-License-Identifier: MIT */
/*
 * portable.pml: the body of base/percpu.h in portable C, a try-lock per stack. A signal handler
 * that interrupts the holder of a lock is, for the others, one thread more.
 */
#define IS_FREE 0
#define IS_HELD 1
#define IS_CLOSED 2


/* Any stack may be the one that a thread prefers. Sets `at` when one is locked. */
inline enter()
{
    do
    #ifdef USED
    :: atomic { !tried -> choose_cpu(cpu); tide__percpu_count_used(cpu); tried = 1 }
    #else
    :: atomic { !tried -> choose_cpu(cpu); g = primary; tried = 1 }
    #endif
    :: atomic { tried && g == NO -> g = primary }
    #ifdef FAULT_ENTER_CLOSED
    :: atomic { g != NO && !(LOCK(g, cpu) & IS_HELD) ->
                LOCK(g, cpu) = LOCK(g, cpu) | IS_HELD; at = 1; break }
    :: atomic { g != NO && LOCK(g, cpu) & IS_HELD ->
    #else
    :: atomic { g != NO && LOCK(g, cpu) == IS_FREE -> LOCK(g, cpu) = IS_HELD; at = 1; break }
    #ifdef FAULT_PRIMARY_NOT_RELOADED
    :: atomic { g != NO && LOCK(g, cpu) & IS_CLOSED -> skip }
    #else
    :: atomic { g != NO && LOCK(g, cpu) & IS_CLOSED -> g = NO }
    #endif
    :: atomic { g != NO && LOCK(g, cpu) == IS_HELD ->
    #endif
                g = NO;
                if
                :: tried == CPUS -> cpu = 0; tried = 0; break
                :: else -> cpu = (cpu + 1) % CPUS; tried++; tide__percpu_count_used(cpu)
                fi }
    od
}

inline unlock()
{
    atomic {
        LOCK(g, cpu) = LOCK(g, cpu) & ~IS_HELD;
        at = 0;
        g = NO;
        cpu = 0;
        n = 0;
        tried = 0
    }
}

inline locked_pop(o, after)
{
    enter();
    if
    :: atomic { at ->
                n = WORD(g, cpu);
                if
                :: n -> o = ITEM(g, cpu, n - 1)
                :: else
                fi };
        if
        :: atomic { n ->
                    WORD(g, cpu) = n - 1;
                    ITEM(g, cpu, n - 1) = 0;
                    hand_over(o, STACKED, after);
                    if :: after == HELD -> age[o] = 0 :: else fi };
            unlock()
        :: atomic { !n -> unlock() }
        fi
    :: !at
    fi
}

/* Sets `done`. */
inline locked_push(o, before)
{
    enter();
    if
    :: atomic { at -> n = WORD(g, cpu) };
        if
        :: atomic { n < CAPACITY ->
                    ITEM(g, cpu, n) = o;
                    WORD(g, cpu) = n + 1;
                    hand_over(o, before, STACKED);
                    done = 1 };
            unlock()
        :: atomic { n == CAPACITY -> unlock() }
        fi
    :: !at
    fi
}

inline tide__percpu_pop_portable(o)
{
    locked_pop(o, HELD)
}

inline tide__percpu_push_portable(o, before)
{
    locked_push(o, before)
}

inline tide__percpu_pop_bulk_portable(batch)
{
    locked_pop(batch, CARRIED)
}

inline tide__percpu_push_bulk_portable(batch)
{
    locked_push(batch, CARRIED)
}

/* Nothing to do: closing the stacks is this body's fence. */
inline tide__percpu_fence()
{
    done = 1
}

inline tide__percpu_open(which)
{
    LOCK(which, 0) = IS_FREE;
    if
    :: used == CPUS -> LOCK(which, 1) = IS_FREE
    :: else
    fi
}

inline wait_unlocked(which, cpu)
{
    !(LOCK(which, cpu) & IS_HELD)
}

inline tide__percpu_close(which, asked)
{
    #ifndef FAULT_NOT_CLOSED
    LOCK(which, 0) = LOCK(which, 0) | IS_CLOSED;
    if
    :: asked == CPUS -> LOCK(which, 1) = LOCK(which, 1) | IS_CLOSED
    :: else
    fi;
    #endif
    #ifndef FAULT_NOT_WAITED
    wait_unlocked(which, 0);
    if
    :: asked == CPUS -> wait_unlocked(which, 1)
    :: else
    fi
    #endif
}
