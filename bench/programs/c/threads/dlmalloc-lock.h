// The lock of wasi-libc's dlmalloc where there is no C library: musl's way, a word, some looks, then a sleep. Included before it.
//
// 0: free; 1: taken; 2: taken, and somebody may sleep.

#include <stdatomic.h>

typedef _Atomic int dlmalloc_lock;
enum { DLMALLOC_LOOKS = 100 };

static void dlmalloc_wait(dlmalloc_lock *lock) {
  for (int look = 0; look < DLMALLOC_LOOKS; look++) {
    int expected = 0;
    if (*lock == 0 && atomic_compare_exchange_strong(lock, &expected, 1)) return;
  }
  while (atomic_exchange(lock, 2) != 0) __builtin_wasm_memory_atomic_wait32((int *)lock, 2, -1);
}

static inline int dlmalloc_acquire(dlmalloc_lock *lock) {
  int expected = 0;
  if (!atomic_compare_exchange_strong(lock, &expected, 1)) dlmalloc_wait(lock);
  return 0;
}

static inline int dlmalloc_try(dlmalloc_lock *lock) {
  int expected = 0;
  return atomic_compare_exchange_strong(lock, &expected, 1);
}

static inline void dlmalloc_release(dlmalloc_lock *lock) {
  if (atomic_exchange(lock, 0) == 2) __builtin_wasm_memory_atomic_notify((int *)lock, 1);
}

#define USE_LOCKS 2
#define MLOCK_T dlmalloc_lock
#define INITIAL_LOCK(lock) (*(lock) = 0)
#define DESTROY_LOCK(lock) (0)
#define ACQUIRE_LOCK(lock) dlmalloc_acquire(lock)
#define TRY_LOCK(lock) dlmalloc_try(lock)
#define RELEASE_LOCK(lock) dlmalloc_release(lock)
static dlmalloc_lock malloc_global_mutex;
#define MALLOC_FAILURE_ACTION
