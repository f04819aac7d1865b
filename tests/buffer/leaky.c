/* SPDX-License-Identifier: MIT */
/*
 * leaky.c: a program that forgets its buffers, or, with an argument, does not.
 */
#include "tide_buffer.h"

enum { CHAINS = 64 };

static tide_chain chains[CHAINS];

int main(int argc, char **argv)
{
    for (int i = 0; i < CHAINS; i++)
        if (!tide_chain_append(&chains[i], "x", 1))
            return 1;
    for (int i = 0; i < CHAINS && argc > 1; i++)
        tide_chain_clear(&chains[i]);
    return 0;
}
