// Threads that come and go, after mimalloc's test-stress: zeroed blocks about as large as powers of two, some resized, some
// exchanged with a table that all threads have. At its end a thread frees what it has; what lies in the table outlives it.

#include "threads.h"

enum { LIVE = 1024, TRANSFERS = 1024 };

static _Atomic(void *) transfers[TRANSFERS];

// 16 bytes half of the time, 32 a quarter, up to 8192; one in four is up to twice as large.
INLINED uint32_t drawn_size(thread *own) {
  uint32_t bytes = 16u << __builtin_ctz(drawn(own) | 1 << 9);
  return drawn_below(own, 4) == 0 ? bytes + drawn_below(own, bytes) : bytes;
}

INLINED void *zeroed(thread *own, bool checked) {
  uint32_t bytes = drawn_size(own);
  void *ptr = calloc(1, bytes);
  if (checked && ptr != NULL) check_zero(ptr, bytes);
  return written(own, ptr, bytes, checked);
}

INLINED void *resized(thread *own, void *ptr, bool checked) {
  uint32_t bytes = drawn_size(own);
  void *moved = realloc(ptr, bytes);
  if (checked && moved != NULL && ptr != NULL) check_filled(moved, bytes);
  return written(own, moved, bytes, checked);
}

INLINED uint32_t play_mstress(thread *own, uint32_t turn, uint32_t count, bool checked) {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < count; i++) {
    void **slot = &own->slots[drawn_below(own, LIVE)];
    uint32_t choice = drawn_below(own, 8);
    if (choice < 2) {
      *slot = atomic_exchange(&transfers[drawn_below(own, TRANSFERS)], *slot);
      continue;
    }
    taken++;
    if (choice == 2) {
      *slot = resized(own, *slot, checked);
    } else {
      drop(*slot, checked);
      *slot = zeroed(own, checked);
    }
  }
  for (uint32_t i = 0; i < LIVE; i++) {
    drop(own->slots[i], checked);
    own->slots[i] = NULL;
  }
  return taken;
}

void finish_mstress(void) {
  for (uint32_t i = 0; i < TRANSFERS; i++) free(atomic_exchange(&transfers[i], NULL));
}

PATTERN(mstress)
