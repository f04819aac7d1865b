/* SPDX-License-Identifier: MIT */
/*
 * objects.pml: objects and who owns them. What is checked is here: each hand-over of an object
 * names its owner before and after, and fails if that was not the owner.
 */
/* Owners. A carried object is in a batch, or about to be returned, in the hands of one thread. */
#define NOBODY 0 /* not created, or destroyed */
#define HELD 1
#define STACKED 2
#define LISTED 3
#define CARRIED 4
#define PUT 5 /* held by a thread that has begun to put it */

byte owner[OBJECTS + 1];
byte age[OBJECTS + 1]; /* swaps since its put began, up to 2 */

#if defined(DRAINS) && EPOCHERS == 1
byte expected; /* objects that the drain under way must destroy, a bit each */
#define MOVED(o) expected = expected & ~(1 << (o))
#else
#define MOVED(o) skip
#endif

#define hand_over(o, before, after) \
    assert(owner[o] == before); \
    owner[o] = after; \
    MOVED(o)

/* A batch is a number: the newest item in its low digit, the one before in the next. */
#define BATCH_BASE 8
#define batch_newest(batch) ((batch) % BATCH_BASE)
#define batch_rest(batch) ((batch) / BATCH_BASE)
#define batch_with(batch, o) ((batch) * BATCH_BASE + (o))
#define hand_over_batch(batch, before, after) \
    if \
    :: (batch) -> \
        hand_over(batch_newest(batch), before, after); \
        if \
        :: batch_rest(batch) -> hand_over(batch_rest(batch), before, after) \
        :: else \
        fi \
    :: else \
    fi

/* As from a heap: any address that is free. 0 when there is none. */
inline tide__pool_create_object(o)
{
    atomic {
        o = 0;
        do
        :: o == OBJECTS -> o = 0; break
        :: o < OBJECTS -> o++;
            if
            :: owner[o] == NOBODY -> hand_over(o, NOBODY, HELD); break
            :: else
            fi
        od
    }
}

#define tide__pool_destroy_object(o) \
    hand_over(o, CARRIED, NOBODY); \
    age[o] = 0

inline tide__pool_destroy_batch(batch)
{
    do
    :: batch -> tide__pool_destroy_object(batch_newest(batch)); batch = batch_rest(batch)
    :: else -> break
    od
}
