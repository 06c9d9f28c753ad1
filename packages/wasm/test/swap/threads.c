// A program of threads with wasi-libc's dlmalloc, compiled with a lock, without a C library. -I names the folders of dlmalloc's
// sources and of bench/programs/c/threads.
//
// NO_LOCK dlmalloc is compiled for one thread.
// MUTEX   the lock is six words, as musl's pthread_mutex_t, taken and given by functions; else one word, taken on the spot.
// NO_ROOM where the first memory is malloc's is known at run time only.
// BREAK   sbrk keeps a break, as Emscripten's does; else it is memory.grow. INLINE  it becomes a part of its callers.
// BESIDE  it calls morecore's malloc besides its own.
// FORK, LOOK, TAKE, BREAK_SHOWN  something else uses dlmalloc's lock, its state's last word, sbrk, or the break.

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifdef NO_LOCK
#define USE_LOCKS 0
#define MALLOC_FAILURE_ACTION
#elif defined MUTEX
typedef struct {
  int type;
  _Atomic int taken;
  int more[4];
} mutex;

__attribute__((noinline)) static int mutex_lock(mutex *lock) {
  while (atomic_exchange(&lock->taken, 1) != 0) __builtin_wasm_memory_atomic_wait32((int *)&lock->taken, 1, -1);
  return 0;
}
__attribute__((noinline)) static void mutex_unlock(mutex *lock) {
  atomic_store(&lock->taken, 0);
  __builtin_wasm_memory_atomic_notify((int *)&lock->taken, 1);
}

#define USE_LOCKS 2
#define MLOCK_T mutex
#define INITIAL_LOCK(lock) ((lock)->taken = 0)
#define DESTROY_LOCK(lock) (0)
#define ACQUIRE_LOCK(lock) mutex_lock(lock)
#define TRY_LOCK(lock) (!mutex_lock(lock))
#define RELEASE_LOCK(lock) mutex_unlock(lock)
static mutex malloc_global_mutex;
#define MALLOC_FAILURE_ACTION
#else
#include "dlmalloc-lock.h"
#endif
#ifdef NO_ROOM
// dlmalloc's declaration of the linker's symbol becomes one of a function that gives its address.
#define __heap_base (*heap_start())
unsigned char *volatile known_start;
__attribute__((noinline)) unsigned char *heap_start(void) { return known_start; }
#endif
#include <dlmalloc.c>

enum { PAGE_LOG2 = 16, THREADS = 8, STACK_BYTES = 16384 };
const int __ENOMEM = 48, __EINVAL = 28;
long sysconf(int name) { return 1L << PAGE_LOG2; }

#ifdef BREAK
extern unsigned char heap_begins __asm__("__heap_base");
static _Atomic uintptr_t program_break = (uintptr_t)&heap_begins;

#ifdef INLINE
__attribute__((always_inline)) inline
#else
__attribute__((noinline))
#endif
void *sbrk(intptr_t bytes) {
  uintptr_t from = program_break;
  for (;;) {
    uintptr_t to = from + (uintptr_t)bytes;
    uintptr_t size = __builtin_wasm_memory_size(0) << PAGE_LOG2;
    uintptr_t pages = to > size ? (to - size + STACK_BYTES * 4 - 1) >> PAGE_LOG2 : 0;
    if (pages > 0 && __builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return (void *)-1;
    if (atomic_compare_exchange_strong(&program_break, &from, to)) return (void *)from;
  }
}
#else
void *sbrk(intptr_t bytes) {
  if (bytes == 0) return (void *)(__builtin_wasm_memory_size(0) << PAGE_LOG2);
  uintptr_t pages = __builtin_wasm_memory_grow(0, (uintptr_t)bytes >> PAGE_LOG2);
  return pages == SIZE_MAX ? (void *)-1 : (void *)(pages << PAGE_LOG2);
}
#endif

// Something that the module begins with, and each thread's stack.
static const char *volatile greeting = "begun";
int greets(void) { return greeting[0] == 'b' && greeting[4] == 'n'; }
static _Alignas(16) unsigned char stacks[THREADS][STACK_BYTES];
void *stack_of(uint32_t index) { return stacks[index] + STACK_BYTES; }

#ifdef FORK
static void before_fork(void) { ACQUIRE_LOCK(&gm->mutex); }
static void after_fork(void) { RELEASE_LOCK(&gm->mutex); }
void (*volatile fork_handlers[])(void) = {before_fork, after_fork};
void run_handlers(void) { for (int index = 0; index < 2; index++) fork_handlers[index](); }
#endif
#ifdef LOOK
int flags_of_first_segment(void) { return *(volatile int *)&gm->seg.sflags; }
#endif
#ifdef BESIDE
__attribute__((import_module("morecore"), import_name("mc_malloc"))) void *mc_malloc(size_t bytes);
void *of_morecore(size_t bytes) { return mc_malloc(bytes); }
#endif
#ifdef BREAK_SHOWN
uintptr_t break_now(void) { return program_break; }
#endif
#ifdef TAKE
void *take(int pages) { return sbrk(pages << PAGE_LOG2); }
#endif
