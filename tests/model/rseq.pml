/* SPDX-License-Identifier: MIT */
/*
 * rseq.pml: the body of base/percpu.h that is made of restartable sequences.
 *
 * `running[cpu]` is the thread whose sequence is under way there. A step is possible for that
 * thread alone. One that begins a sequence on the CPU has preempted the other one, the fence has
 * restarted it: they find their number gone and begin again, on any CPU, since a thread may have
 * migrated meanwhile. A signal or a preemption by something else may restart a sequence at any
 * step, any number of times.
 *
 * The store of the item of a push is one step with the commit, since nobody looks above the count
 * of a stack; FAULT_COMMIT_NOT_LAST takes them apart, the wrong way round.
 */
byte running[CPUS];

#define BEGIN 0
#define LOAD 1
#define COMMIT 2

#define RUNS (running[cpu] == _pid)

/* For the question whether all comes to an end there is one preemption, and no signal. */
#ifdef FINITE
byte preemptions;
#define MAY_RESTART false
#define choose_idle(c) \
    if \
    :: !running[0] -> c = 0 \
    :: !running[1] -> c = 1 \
    :: !preemptions -> preemptions++; choose_cpu(c) \
    fi
#else
#define MAY_RESTART true
#define choose_idle(c) choose_cpu(c)
#endif

/* How all begin, with rseq_cs and a load, and how one is restarted. */
#ifdef FAULT_PRIMARY_BEFORE_SEQUENCE
#define FORGET at = BEGIN; n = 0; cpu = 0
#define SEQUENCE_BEFORE g = primary; do
#define SEQUENCE_LOAD skip
#else
#define FORGET at = BEGIN; n = 0; cpu = 0; g = NO
#define SEQUENCE_BEFORE do
#define SEQUENCE_LOAD g = primary
#endif

#define SEQUENCE(forget) \
    SEQUENCE_BEFORE \
    :: atomic { at == BEGIN -> choose_idle(cpu); running[cpu] = _pid; SEQUENCE_LOAD; at = LOAD } \
    :: atomic { at != BEGIN && (!RUNS || MAY_RESTART) -> \
                if :: RUNS -> running[cpu] = 0 :: else fi; \
                forget; FORGET }

inline sequence_leave()
{
    running[cpu] = 0;
    FORGET;
    g = NO
}

inline sequence_pop(o, after)
{
    SEQUENCE(o = 0)
    :: atomic { at == LOAD && RUNS ->
                n = (cpu < rseq_used -> WORD(g, cpu) : 0);
                if
                :: !n -> o = 0; sequence_leave(); break
                :: else -> o = ITEM(g, cpu, n - 1); at = COMMIT
                fi }
    :: atomic { at == COMMIT && RUNS ->
                WORD(g, cpu) = n - 1;
                ITEM(g, cpu, n - 1) = 0;
                hand_over(o, STACKED, after);
                if :: after == HELD -> age[o] = 0 :: else fi;
                sequence_leave();
                break }
    od
}

/* Sets `done`. */
inline sequence_push(o, before)
{
    SEQUENCE(skip)
    :: atomic { at == LOAD && RUNS ->
                n = (cpu < rseq_used -> WORD(g, cpu) : CAPACITY);
                if
                :: n == CAPACITY -> done = 0; sequence_leave(); break
                :: else ->
                    at = COMMIT;
                    #ifdef FAULT_COMMIT_NOT_LAST
                    WORD(g, cpu) = n + 1; hand_over(o, before, STACKED)
                    #endif
                fi }
    :: atomic { at == COMMIT && RUNS ->
                ITEM(g, cpu, n) = o;
                #ifndef FAULT_COMMIT_NOT_LAST
                WORD(g, cpu) = n + 1; hand_over(o, before, STACKED);
                #endif
                done = 1;
                sequence_leave();
                break }
    od
}

inline tide__rseq_pop(o)
{
    sequence_pop(o, HELD)
}

inline tide__rseq_push(o, before)
{
    sequence_push(o, before)
}

/* A spill is of one object here. */
inline tide__rseq_pop_bulk(batch)
{
    sequence_pop(batch, CARRIED)
}

/* What is left of a batch is one object. */
inline tide__rseq_push_bulk(batch)
{
    sequence_push(batch, CARRIED)
}

/* One CPU after the other; false if the kernel refuses. Sets `done`. */
inline tide__percpu_fence()
{
    done = 1;
    #ifdef REFUSALS
    if
    :: atomic { refusals < REFUSALS -> refusals++; done = 0 }
    :: true
    fi;
    #endif
    #ifndef FAULT_NO_FENCE
    if
    :: done ->
        running[0] = 0;
        #ifndef FAULT_FENCE_ONE_CPU
        running[1] = 0
        #endif
    :: else
    fi
    #endif
}

inline tide__percpu_open(which)
{
    skip
}

inline tide__percpu_close(which, asked)
{
    skip
}
