// One thread allocates, another frees, after Lever and Boreham (2000): batches go through a ring between two threads. A thread
// that is alone frees each batch itself.
//
// Who finds the ring full or empty looks again some times, and then sleeps until the other wakes it.

#include "threads.h"

enum { RING = 16, BATCH = 128, LOOKS = 4000 };

typedef struct {
  _Alignas(LINE) _Atomic uint32_t filled;
  _Alignas(LINE) _Atomic uint32_t emptied;
  _Alignas(LINE) _Atomic uint32_t sleepers;
  _Alignas(LINE) void *blocks[RING][BATCH];
} ring;

static ring rings[MOST_THREADS / 2];

static void sleep_while(ring *shared, _Atomic uint32_t *counter, uint32_t seen) {
  for (uint32_t look = 0; look < LOOKS; look++)
    if (*counter != seen) return;
  shared->sleepers++;
  while (*counter == seen) __builtin_wasm_memory_atomic_wait32((int *)counter, seen, -1);
  shared->sleepers--;
}

static void step(ring *shared, _Atomic uint32_t *counter) {
  (*counter)++;
  if (shared->sleepers != 0) __builtin_wasm_memory_atomic_notify((int *)counter, 1);
}

INLINED void fill_batch(thread *own, void **blocks, uint32_t most, bool checked) {
  for (uint32_t i = 0; i < BATCH; i++)
    blocks[i] = take(own, most == 0 ? 64 : 16 + drawn_below(own, most), checked);
}

INLINED void drop_batch(void **blocks, bool checked) {
  for (uint32_t i = 0; i < BATCH; i++) drop(blocks[i], checked);
}

// `most` is 0 for blocks of 64 bytes.
INLINED uint32_t play(thread *own, uint32_t count, uint32_t most, bool checked) {
  uint32_t index = own - threads, batches = count / BATCH;
  ring *shared = &rings[index / 2];
  for (uint32_t batch = 0; batch < batches; batch++) {
    if (thread_count == 1) {
      fill_batch(own, shared->blocks[0], most, checked);
      drop_batch(shared->blocks[0], checked);
    } else if (index % 2 == 0) {
      uint32_t filled = shared->filled;
      sleep_while(shared, &shared->emptied, filled - RING);
      fill_batch(own, shared->blocks[filled % RING], most, checked);
      step(shared, &shared->filled);
    } else {
      uint32_t emptied = shared->emptied;
      sleep_while(shared, &shared->filled, emptied);
      drop_batch(shared->blocks[emptied % RING], checked);
      step(shared, &shared->emptied);
    }
  }
  return index % 2 == 0 ? batches * BATCH : 0;
}

INLINED uint32_t play_xmalloc_64(thread *own, uint32_t turn, uint32_t count, bool checked) {
  return play(own, count, 0, checked);
}

INLINED uint32_t play_xmalloc_mixed(thread *own, uint32_t turn, uint32_t count, bool checked) {
  return play(own, count, 985, checked);
}

PATTERN(xmalloc_64)
PATTERN(xmalloc_mixed)
