// The three micro patterns of bench/harness/patterns.ts, with the caller in WebAssembly.
//
// A count is one of pairs of malloc and free. Compiled with -fno-builtin, or clang would leave the pairs out.

#include <stdint.h>
#include <stdlib.h>

enum { CHURN_SLOTS = 16384, FIFO_LIVE = 1024, DRAWN = 1 << 18 };

static uint32_t slots[DRAWN], sizes[DRAWN];
static void *live[CHURN_SLOTS];

static size_t size_of_turn(uint32_t i) { return 16 + (i & 15) * 16; }

// malloc(16 + (i & 15) * 16), free at once.
void pair(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) free(malloc(size_of_turn(i)));
}

// Where the caller writes what churn is to replace, before churn_fill.
uint32_t *drawn_slots(void) { return slots; }
uint32_t *drawn_sizes(void) { return sizes; }

void churn_fill(void) {
  for (int i = 0; i < CHURN_SLOTS; i++) live[i] = malloc(sizes[i]);
}

// Replaces a random one of 16384 blocks, 16 to 1000 bytes.
void churn(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t drawing = i & (DRAWN - 1);
    uint32_t slot = slots[drawing];
    free(live[slot]);
    live[slot] = malloc(sizes[drawing]);
  }
}

void fifo_fill(void) {
  for (uint32_t i = 0; i < FIFO_LIVE; i++) live[i] = malloc(size_of_turn(i));
}

// 1024 live, the oldest freed first; sizes as in pair.
void fifo(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t oldest = i & (FIFO_LIVE - 1);
    free(live[oldest]);
    live[oldest] = malloc(size_of_turn(i));
  }
}
