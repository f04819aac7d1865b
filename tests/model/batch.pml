/* SPDX-License-Identifier: MIT */
/*
 * batch.pml: the lists of batches, Treiber stacks of numbers with a tag. Three threads move two
 * batches between two lists, as batches move between the free ones and a generation's.
 *
 * The code's tag wraps after 2^40 changes, which is more than happen here.
 */
#define BATCHES 2
#ifndef THREADS
#define THREADS 3
#endif
#ifndef MOVES
#define MOVES 2
#endif

byte head[2]; /* the number on top, 0: none */
byte tag[2];
byte next[BATCHES + 1];
byte owner[BATCHES + 1]; /* 0: in a list; else the thread that has it */

#ifdef FAULT_NO_TAG
#define next_head(list, number) head[list] = number
#else
#define next_head(list, number) head[list] = number; tag[list]++
#endif

#define READ_HEAD(list) top = head[list]; seen = tag[list]
#define HEAD_IS_SEEN(list) (head[list] == top && tag[list] == seen)

inline tide__batch_push(list, batch)
{
    d_step { READ_HEAD(list) };
    do
    :: next[batch] = top;
        if
        :: d_step { HEAD_IS_SEEN(list) -> owner[batch] = 0; next_head(list, batch) }; break
        :: d_step { !HEAD_IS_SEEN(list) -> READ_HEAD(list) }
        fi
    od;
    top = 0;
    seen = 0
}

inline tide__batch_pop(list, batch)
{
    d_step { READ_HEAD(list) };
    do
    :: !top -> batch = 0; break
    :: top -> below = next[top];
        if
        :: d_step { HEAD_IS_SEEN(list) ->
                    batch = top;
                    assert(owner[batch] == 0);
                    owner[batch] = _pid;
                    next_head(list, below) };
            break
        :: d_step { !HEAD_IS_SEEN(list) -> READ_HEAD(list) }
        fi
    od;
    top = 0;
    seen = 0;
    below = 0
}

/* From either list to either. */
proctype mover()
{
    byte batch, top, seen, below, moves;
    do
    :: moves < MOVES -> moves++;
        if
        :: tide__batch_pop(0, batch)
        :: tide__batch_pop(1, batch)
        fi;
        if
        :: batch -> 
            if
            :: tide__batch_push(0, batch)
            :: tide__batch_push(1, batch)
            fi
        :: !batch
        fi;
        batch = 0
    :: moves == MOVES -> break
    od
}

/* All batches are in the lists, once. */
inline check_end()
{
    for (i : 0 .. 1) {
        top = head[i];
        do
        :: top -> assert(!found[top]); found[top] = true; top = next[top]
        :: !top -> break
        od
    }
    assert(found[1] && found[2])
}

init {
    byte i, top;
    bool found[BATCHES + 1];
    atomic {
        next[2] = 1;
        head[0] = 2;
        for (i : 1 .. THREADS) {
            run mover()
        }
    }
    _nr_pr == 1;
    d_step { check_end() }
}
