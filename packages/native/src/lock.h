// lock.h: one lock for what all threads share beside the heaps, which a program with one thread does not take.
//
// Owns:       whether somebody is inside.
// Needs:      glibc 2.32 (__libc_single_threaded), Linux's futex and, since 4.14, MADV_WIPEONFORK.
// Invariants: L1  with more than one thread, whoever changes regions, mappings or settings is inside; so is every call
//                 while a trace is recorded
//             L2  in a child nobody is, and what it allocates from is whole
//
// No block of a region needs it: threads share these by the kernel's rules. A process has its second thread by
// pthread_create, which the only one calls: so nobody is inside at that moment. Who is inside may enter again: the kernel
// asks for memory from there, and while a thread forks, which it does inside, others' handlers may allocate.

#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <sys/single_threaded.h>

static inline bool is_alone(void) { return __libc_single_threaded; }

void lock(void);
void unlock(void);

// Whether it was locked: to be handed to leave.
static inline bool enter(void) {
  if (is_alone())
    return false;
  lock();
  return true;
}

static inline void leave(bool locked) {
  if (locked)
    unlock();
}

// Leaves from inside, for good: before an abort.
void leave_for_good(void);
// Lets fork take the lock last.
void guard_forks(void);

#endif
