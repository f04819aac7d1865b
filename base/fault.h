/* SPDX-License-Identifier: MIT */
/*
 * fault.h: faults that test builds of the library put into its critical steps.
 *
 * TIDE_FAULT_DELAY=n spins n times inside each sequence, between the load of a stack's word and
 * the commit, so that whatever can go wrong there does. TIDE_FAULT_NO_FENCE leaves out the
 * fence that makes an epoch safe: such a build must fail its tests. Both are unset in every
 * build that is installed.
 */
#ifndef TIDE_BASE_FAULT_H
#define TIDE_BASE_FAULT_H

#ifdef TIDE_FAULT_DELAY
#define TIDE__FAULT_DELAY TIDE_FAULT_DELAY
#else
#define TIDE__FAULT_DELAY 0
#endif

#ifdef TIDE_FAULT_NO_FENCE
#define TIDE__FAULT_NO_FENCE 1
#else
#define TIDE__FAULT_NO_FENCE 0
#endif

#endif
