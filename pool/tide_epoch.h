/* SPDX-License-Identifier: MIT */
/*
 * tide_epoch.h: epochs, which age what the pools of a process hold.
 *
 * An epoch plays the part that a garbage collection cycle plays for Go's sync.Pool: what every
 * pool caches becomes its victim generation, and what was the victim generation before is
 * destroyed. An object that nobody gets for two epochs is gone; one taken from the victim
 * generation and put back is young again.
 */
#ifndef TIDE_EPOCH_H
#define TIDE_EPOCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts the next epoch for all pools and returns when the objects that it dropped are
 * destroyed, in the calling thread, by their pools' hooks. Other threads' gets and puts go on
 * meanwhile: no lock that they could meet is held. MT-safe; not for signal handlers. May be
 * called from a hook. Must not be called inside a read-side section of liburcu-bp. */
void tide_epoch_advance(void);

/* How many epochs have been started in this process, from 0. MT-safe, async-signal-safe. */
uint64_t tide_epoch_current(void);

#ifdef __cplusplus
}
#endif

#endif
