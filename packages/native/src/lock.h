// lock.h: one lock for all, which a program with one thread does not take.
//
// Owns:       whether somebody is inside.
// Needs:      glibc 2.32 (__libc_single_threaded), Linux's futex and, since 4.14, MADV_WIPEONFORK.
// Invariants: L1  with more than one thread, whoever reads or writes the library's state is inside
//             L2  in a child nobody is, and what it allocates from is whole
//
// A process has its second thread by pthread_create, which the only one calls: so nobody is inside at that moment.
// While a thread forks it is inside, and may enter again: others' handlers may allocate.

#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <sys/single_threaded.h>

static inline bool is_alone(void) { return __libc_single_threaded; }

// false: this thread is inside already, for it forks.
bool lock(void);
void unlock(void);

// Whether it was locked: to be handed to leave.
static inline bool enter(void) { return !is_alone() && lock(); }

static inline void leave(bool locked) {
  if (locked)
    unlock();
}

// Leaves from inside, for good: before an abort.
void leave_for_good(void);
// Lets fork take the lock last.
void guard_forks(void);

#endif
