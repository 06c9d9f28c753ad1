// lock.c: the lock, and fork.

#define _GNU_SOURCE
#include "lock.h"
#include "state.h"
#include "trace.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN, TAKEN, AWAITED };
enum { SPINS = 64 };

static atomic_int state;

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static bool try_lock(void) {
  int open = OPEN;
  return atomic_load_explicit(&state, memory_order_relaxed) == OPEN &&
         atomic_compare_exchange_strong_explicit(&state, &open, TAKEN, memory_order_acquire, memory_order_relaxed);
}

static SELDOM void await(void) {
  // Most calls are shorter than going to sleep.
  for (int spin = 0; spin < SPINS; spin++) {
    pause_briefly();
    if (try_lock())
      return;
  }
  int saved = errno;
  while (atomic_exchange_explicit(&state, AWAITED, memory_order_acquire) != OPEN)
    syscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, AWAITED, NULL, NULL, 0);
  errno = saved;
}

static SELDOM void wake_one(void) {
  int saved = errno;
  syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  errno = saved;
}

void lock(void) {
  if (UNLIKELY(!try_lock()))
    await();
}

void unlock(void) {
  if (UNLIKELY(atomic_exchange_explicit(&state, OPEN, memory_order_release) == AWAITED))
    wake_one();
}

void leave_for_good(void) { unlock(); }

// No other thread exists in the child, and the one that forked was inside. A trace is its parent's.
static void open_in_child(void) {
  tracing = false;
  atomic_store(&state, OPEN);
}

// Handlers before a fork run in the reverse order of their registration, those after it in order: as the first, this is
// the last to close and the first to open, and the others' handlers may allocate.
void guard_forks(void) { pthread_atfork(lock, unlock, open_in_child); }
