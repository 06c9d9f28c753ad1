// lock.c: the lock, fork, and children that are made without fork's handlers.

#define _GNU_SOURCE
#include "lock.h"
#include "state.h"
#include "trace.h"
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN, TAKEN, AWAITED };
enum { SPINS = 64 };

static atomic_int state;

// How often this thread has entered.
static __thread unsigned depth __attribute__((tls_model("initial-exec")));

// What the kernel clears in a child that has its own memory, however it was made: a page of zeros there.
enum { NEW, BEGINNING, KNOWN };
static union {
  atomic_int state;
  unsigned char page[OS_PAGE];
} process __attribute__((aligned(OS_PAGE)));

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

// The first time in a process that somebody enters. If it is a child, and not fork's own, a thread that it does not have may
// have been inside: what that one was about to change is left alone for good.
static SELDOM void begin_process(void) {
  int new = NEW;
  if (atomic_compare_exchange_strong(&process.state, &new, BEGINNING)) {
    if (atomic_load(&state) != OPEN) {
      abandon_regions();
      atomic_store(&state, OPEN);
    }
    tracing = false;
    atomic_store(&process.state, KNOWN);
  }
  while (atomic_load(&process.state) != KNOWN)
    pause_briefly();
}

void lock(void) {
  if (depth++ != 0)
    return;
  if (UNLIKELY(atomic_load_explicit(&process.state, memory_order_acquire) != KNOWN))
    begin_process();
  if (UNLIKELY(!try_lock()))
    await();
}

void unlock(void) {
  if (--depth == 0 && UNLIKELY(atomic_exchange_explicit(&state, OPEN, memory_order_release) == AWAITED))
    wake_one();
}

void leave_for_good(void) {
  if (depth == 0)
    return;
  depth = 1;
  unlock();
}

// Fork's handlers.

static void before_fork(void) { lock(); }

static void after_fork(void) { unlock(); }

// No other thread exists in the child, and the one that forked was inside. A trace is its parent's.
static void after_fork_in_child(void) {
  tracing = false;
  unlock();
  atomic_store(&process.state, KNOWN);
}

typedef void handler(void);
typedef int registrar(handler *before, handler *after, handler *in_child, void *library);
extern void *__dso_handle __attribute__((visibility("hidden")));

// The C library's own, behind ours.
static registrar *real_registrar(void) {
  static registrar *found;
  if (found == NULL)
    found = (registrar *)dlsym(RTLD_NEXT, "__register_atfork");
  return found;
}

static registrar *with_our_handlers(void) {
  static atomic_flag done = ATOMIC_FLAG_INIT;
  registrar *next = real_registrar();
  if (next != NULL && !atomic_flag_test_and_set(&done))
    next(before_fork, after_fork, after_fork_in_child, __dso_handle);
  return next;
}

void guard_forks(void) {
  with_our_handlers();
  atomic_store(&process.state, KNOWN);
  madvise(&process, sizeof process, MADV_WIPEONFORK);
}

// What pthread_atfork is made of. Handlers before a fork run in the reverse order of their registration, those after it
// in order. Ours are registered before the first of others: so they are the last to close the lock and the first to open
// it, and neither others' handlers nor threads that these wait for find it closed.
EXPORTED int __register_atfork(handler *before, handler *after, handler *in_child, void *library) {
  registrar *next = with_our_handlers();
  return next == NULL ? ENOMEM : next(before, after, in_child, library);
}
