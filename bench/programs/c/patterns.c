// Micro patterns whose caller is in WebAssembly: the three of bench/harness/patterns.ts, and five of their own.
//
// A count is one of pairs of malloc and free; of strings, one of calls of realloc. A pattern with a fill is filled first,
// once. What a pattern does begins again after at most 6144, so that counts of as many are alike; but churn goes on through
// what was drawn. Compiled with -fno-builtin, or clang would leave the pairs out.

#include <stdint.h>
#include <stdlib.h>

enum { CHURN_SLOTS = 16384, FIFO_LIVE = 1024, DRAWN = 1 << 18 };
enum { STACK_DEPTH = 384, STACK256_DEPTH = 256, CYCLE_BLOCKS = 6144, STRINGS = 16, STRING_STEPS = 192 };

static uint32_t slots[DRAWN], sizes[DRAWN];
static void *live[CHURN_SLOTS];
static uint32_t drawing;
static uint32_t lengths[STRINGS], steps[STRINGS];

static size_t size_of_turn(uint32_t i) { return 16 + (i & 15) * 16; }

// malloc(16 + (i & 15) * 16), free at once.
void pair(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) free(malloc(size_of_turn(i)));
}

// Where the caller writes what churn is to replace and cycle takes, before either.
uint32_t *drawn_slots(void) { return slots; }
uint32_t *drawn_sizes(void) { return sizes; }

void churn_fill(void) {
  for (int i = 0; i < CHURN_SLOTS; i++) live[i] = malloc(sizes[i]);
}

// Replaces a random one of 16384 blocks, 16 to 1000 bytes.
void churn(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t slot = slots[drawing];
    free(live[slot]);
    live[slot] = malloc(sizes[drawing]);
    drawing = (drawing + 1) & (DRAWN - 1);
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

// One size, 256 blocks up, and down again.
void stack256(uint32_t count) {
  for (uint32_t i = 0; i < count; i += STACK256_DEPTH) {
    for (int k = 0; k < STACK256_DEPTH; k++) live[k] = malloc(64);
    for (int k = STACK256_DEPTH; k-- > 0;) free(live[k]);
  }
}

// The same above the small sizes: 300 to 1000 bytes, 384 blocks up, and down again.
void large_stack(uint32_t count) {
  for (uint32_t i = 0; i < count; i += STACK_DEPTH) {
    for (int k = 0; k < STACK_DEPTH; k++) live[k] = malloc(300 + (k * 113) % 701);
    for (int k = STACK_DEPTH; k-- > 0;) free(live[k]);
  }
}

// 16 strings, each in its turn longer by 16 to 31 bytes, four times; one of 4512 bytes begins again.
void strings(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t string = (i >> 2) & (STRINGS - 1);
    if (steps[string] == STRING_STEPS) {
      free(live[string]);
      live[string] = NULL;
      lengths[string] = steps[string] = 0;
    }
    lengths[string] += 16 + (steps[string]++ & 15);
    live[string] = realloc(live[string], lengths[string]);
  }
}

// A small block and one of 2000 to 9000 bytes, freed in the same order; nothing else is live.
void alternate(uint32_t count) {
  for (uint32_t i = 0; i < count; i += 2) {
    void *small = malloc(size_of_turn(i >> 1));
    void *large = malloc(2000 + ((i >> 1) & 7) * 1000);
    free(small);
    free(large);
  }
}

// A heap that fills to 3 MiB and empties: 6144 blocks of churn's sizes, the youngest freed first.
void cycle(uint32_t count) {
  for (uint32_t i = 0; i < count; i += CYCLE_BLOCKS) {
    for (int k = 0; k < CYCLE_BLOCKS; k++) live[k] = malloc(sizes[k]);
    for (int k = CYCLE_BLOCKS; k-- > 0;) free(live[k]);
  }
}
