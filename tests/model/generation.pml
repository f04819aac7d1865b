/* SPDX-License-Identifier: MIT */
/*
 * generation.pml: generations, their stacks and lists, and the readers' sections. The lists are
 * taken for what batch.pml shows of them: a push or pop happens at once. Hints (`batched`,
 * `stacks_drained`) may say anything: where the code reads one, the model takes either way.
 */
#define CPUS 2
#define GENERATIONS 3
#define NO GENERATIONS /* the number of none */
#define BATCHES OBJECTS /* that a list has room for */

/* A generation's stacks and lists, and the variables that name a generation, of all threads.
 * They are renamed by each swap, so that the young one is always 0: states that differ in the
 * names only are one. What `primary` holds is therefore not a variable. */
typedef parts {
    byte word[CPUS];
    byte items[CPUS * CAPACITY];
    byte lists[SHARDS * BATCHES];
#ifdef PORTABLE
    byte lock[CPUS];
#endif
}
parts generations[GENERATIONS];
#define WORD(which, c) generations[which].word[c]
#define ITEM(which, c, n) generations[which].items[(c) * CAPACITY + (n)]
#define LIST(which, shard, n) generations[which].lists[(shard) * BATCHES + (n)]
#define LOCK(which, c) generations[which].lock[c]

#define primary 0
byte victim = NO;
byte leaving = NO;
bool spare[GENERATIONS];
/* Names in the hands of threads: of a thread of epochs, what it has retired and what it clears;
 * of another one, in a sequence and in a slow path. */
#define NAMES (3 * EPOCHERS + 2 * MUTATORS)
byte names[NAMES];
#define retired(index) names[3 * me + (index)]
#define gen names[3 * me + 2]
#define g names[3 * EPOCHERS + 2 * (_pid - 1)]
#define young names[3 * EPOCHERS + 2 * (_pid - 1) + 1]

#ifdef USED /* only the first stack counts as used at first */
byte used = 1, rseq_used = 1;
#else
#define used CPUS
#define rseq_used CPUS
#endif

#define raise_mark(mark, index) mark = (mark > (index) -> mark : (index) + 1)

/* Before the stack is used. */
inline tide__percpu_count_used(index)
{
    #ifdef USED
    raise_mark(used, index);
    raise_mark(rseq_used, index)
    #else
    skip
    #endif
}

byte inside;     /* threads that are in a reader's section, a bit each */
byte waiting[2]; /* for whom each epoch's thread still waits */

#define MYSELF (1 << _pid)

inline reader_enter()
{
    atomic { inside = inside | MYSELF }
}

inline reader_leave()
{
    atomic {
        inside = inside & ~MYSELF;
        waiting[0] = waiting[0] & ~MYSELF;
        waiting[1] = waiting[1] & ~MYSELF
    }
}

inline tide__generation_add(which, cpu, batch)
{
    atomic {
        hand_over_batch(batch, CARRIED, LISTED);
        if
        :: !LIST(which, cpu, 0) -> LIST(which, cpu, 0) = batch
        :: LIST(which, cpu, 0) && !LIST(which, cpu, 1) -> LIST(which, cpu, 1) = batch
        :: else ->
            assert(!LIST(which, cpu, BATCHES - 1));
            LIST(which, cpu, BATCHES - 1) = batch
        fi;
        batch = 0
    }
}

inline tide__generation_put_back(which, cpu, batch)
{
    tide__generation_add(which, cpu, batch)
}

inline tide__generation_take(which, cpu, batch)
{
    atomic {
        if
        :: LIST(which, cpu, BATCHES - 1) ->
            batch = LIST(which, cpu, BATCHES - 1);
            LIST(which, cpu, BATCHES - 1) = 0
        :: !LIST(which, cpu, BATCHES - 1) && LIST(which, cpu, 1) ->
            batch = LIST(which, cpu, 1);
            LIST(which, cpu, 1) = 0
        :: else ->
            batch = LIST(which, cpu, 0);
            LIST(which, cpu, 0) = 0
        fi;
        hand_over_batch(batch, LISTED, CARRIED)
    }
}

inline tide__generation_steal(which, cpu, batch)
{
    tide__generation_take(which, (cpu + 1) % SHARDS, batch)
}

inline tide__generation_take_any(which, cpu, batch)
{
    tide__generation_take(which, cpu, batch);
    if
    :: !batch /* by the hint there is nothing */
    #if SHARDS == 2
    :: atomic { !batch -> tide__generation_steal(which, cpu, batch) }
    #endif
    :: batch
    fi
}

/* The pops above the count are left out, so words repeat sooner than the code's. */
inline take_from_stack(which, cpu, o)
{
    do
    :: atomic {
        n = WORD(which, cpu);
        if
        :: !n -> o = 0; break
        :: else -> o = ITEM(which, cpu, n - 1)
        fi
    }
    #ifdef FAULT_TAKE_WITHOUT_EXCHANGE
        atomic { WORD(which, cpu) = n - 1; hand_over(o, STACKED, CARRIED); n = 0; break }
    #else
        if
        :: atomic { WORD(which, cpu) == n ->
                    WORD(which, cpu) = n - 1;
                    ITEM(which, cpu, n - 1) = 0;
                    hand_over(o, STACKED, CARRIED); n = 0; break }
        :: atomic { WORD(which, cpu) != n -> n = 0; o = 0 }
        fi
    #endif
    od
}

inline take_from_stacks(which, cpu, o)
{
    take_from_stack(which, cpu, o);
    if
    :: !o -> take_from_stack(which, (cpu + 1) % CPUS, o)
    :: o
    fi
}

inline take_from_batches(which, cpu, o)
{
    tide__generation_take_any(which, cpu, batch);
    if
    :: batch ->
        atomic { o = batch_newest(batch); batch = batch_rest(batch) };
        if
        :: batch -> tide__generation_put_back(which, cpu, batch)
        :: else
        fi
    :: else
    fi
}

inline tide__generation_take_one(which, cpu, o)
{
    if
    :: take_from_stacks(which, cpu, o)
    :: true /* by the hint they are drained */
    fi;
    if
    :: !o -> take_from_batches(which, cpu, o)
    :: else
    fi
}

/* An epoch destroys what was put two swaps ago, or before. */
#define check_age(o) assert(drains || age[o] == 2)

/* All takes and one end of the object are a step: nobody else is here, or it would show. */
inline clear_stack(which, cpu)
{
    do
    :: atomic { WORD(which, cpu) ->
                take_from_stack(which, cpu, object);
                check_age(object);
                tide__pool_destroy_object(object);
                object = 0 }
    :: atomic { !WORD(which, cpu) -> break }
    od
}

inline clear_batches(which, cpu)
{
    do
    :: atomic { LIST(which, cpu, 0) ->
                tide__generation_take(which, cpu, batch);
                check_age(batch_newest(batch));
                tide__pool_destroy_batch(batch) }
    :: atomic { !LIST(which, cpu, 0) -> break }
    od
}

inline tide__generation_clear(which)
{
    clear_stack(which, 0);
    clear_batches(which, 0);
    if
    :: used == CPUS ->
        clear_stack(which, 1)
        #if SHARDS == 2
        ; clear_batches(which, 1)
        #endif
    :: else
    fi
}

inline tide__generation_add_young(batch)
{
    atomic { reader_enter(); gen_young = primary };
    tide__generation_add(gen_young, 0, batch);
    atomic { gen_young = 0; reader_leave() }
}

/* One object, for a keep_min of one. */
inline tide__generation_keep(which)
{
    tide__generation_take_one(which, 0, object);
    if
    :: object ->
        atomic { batch = batch_with(0, object); object = 0 };
        tide__generation_add_young(batch)
    :: else
    fi
}
