// heaps.c: threads come to a region, and leave it.

#define _GNU_SOURCE
#include "heaps.h"
#include "lock.h"
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

__thread u32 own_heap __attribute__((tls_model("initial-exec")));

// In the regions behind the first, one word for each: a page, which few threads need.
static __thread u32 *further_heaps __attribute__((tls_model("initial-exec")));
enum { FURTHER_BYTES = MOST_REGIONS * sizeof(u32) };

static pthread_key_t at_end;
static bool has_key;
// Whether this thread's end has begun. There are only so many rounds of destructors, and what comes in the last is not heard
// of any more: so from here on the thread has heaps during a call only.
static __thread bool is_ending __attribute__((tls_model("initial-exec")));

// The thread's word for a region; NULL: no memory for it.
static u32 *word_for(const struct region *region) {
  if (region == regions)
    return &own_heap;
  if (further_heaps == NULL) {
    int saved = errno;
    void *got = mmap(NULL, FURTHER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    errno = saved;
    if (got == MAP_FAILED)
      return NULL;
    further_heaps = got;
  }
  return &further_heaps[region - regions];
}

static u32 known_heap(const struct region *region) {
  if (region == regions)
    return own_heap;
  return further_heaps == NULL ? 0 : further_heaps[region - regions];
}

static void leave_heaps(void) {
  for (unsigned index = 0, count = regions_now(); index < count; index++) {
    u32 heap = known_heap(&regions[index]);
    if (heap == 0)
      continue;
    *word_for(&regions[index]) = 0;
    mc_leave(regions[index].base, heap);
  }
  if (further_heaps != NULL)
    munmap(further_heaps, FURTHER_BYTES);
  further_heaps = NULL;
}

static void end_thread(void *unused) {
  (void)unused;
  is_ending = true;
  leave_heaps();
}

void prepare_heaps(void) { has_key = pthread_key_create(&at_end, end_thread) == 0; }

void end_visit(void) {
  if (UNLIKELY(is_ending))
    leave_heaps();
}

static SELDOM u32 come(const struct region *region, u32 *word) {
  *word = mc_join(region->base, COMMON);
  // The first thread's end is the program's. To remember the key may allocate, which finds the heap.
  if (*word != 0 && has_key && !is_ending && !is_alone())
    pthread_setspecific(at_end, &regions);
  return *word;
}

u32 heap_in(const struct region *region) {
  u32 *word = word_for(region);
  if (word == NULL)
    return 0;
  return LIKELY(*word != 0) ? *word : come(region, word);
}

u32 heap_or_common(const struct region *region) {
  u32 heap = known_heap(region);
  return heap != 0 ? heap : COMMON;
}

void forget_heaps(void) {
  own_heap = 0;
  if (further_heaps != NULL)
    memset(further_heaps, 0, FURTHER_BYTES);
}

u32 next_heap(Base base, u32 heap) {
  return heap == COMMON ? common_word(base, AT_FIRST_HEAP) : shared_word(base, heap - NEXT_HEAP);
}

void each_idle_heap(void (*visit)(Base base, u32 heap, void *arg), void *arg) {
  for (unsigned index = 0, count = regions_now(); index < count; index++) {
    Base base = regions[index].base;
    u32 own = known_heap(&regions[index]);
    for (u32 heap = next_heap(base, COMMON); heap != 0; heap = next_heap(base, heap)) {
      any_u32 *thread = (any_u32 *)(base + heap - THREAD);
      u32 nobody = NO_THREAD, some = own == 0 ? 1 : shared_word(base, own - THREAD);
      if (heap == own)
        visit(base, heap, arg);
      else if (__atomic_compare_exchange_n(thread, &nobody, some, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        visit(base, heap, arg);
        mc_leave(base, heap);
      }
    }
  }
}
