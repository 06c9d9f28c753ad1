// The player of traces of bench/harness/replay.ts, with the caller in WebAssembly.
//
// play and play_touched are timed. play_checked is not: it writes into all blocks, and sums up what it reads again, so that
// an allocator that gives a block twice, or moves it badly, has another sum than its peers.
//
// The host writes a piece of a trace where records() says, and has it played. Blocks stay live from piece to piece.

#include <stdint.h>
#include <stdlib.h>

enum { MOST_RECORDS = 16384, MOST_SLOTS = 1 << 20 };
enum { MALLOC, CALLOC, REALLOC, FREE, ALIGNED };

// what: the call in bits 0 to 2, the exponent of the alignment in bits 3 to 7, the slot in the others.
typedef struct {
  uint32_t what, size;
} record;

static record piece[MOST_RECORDS];
static void *ptrs[MOST_SLOTS];
// Of play_checked only.
static uint32_t sizes[MOST_SLOTS], sum;

record *records(void) { return piece; }
uint32_t most_records(void) { return MOST_RECORDS; }
uint32_t most_slots(void) { return MOST_SLOTS; }

// Inlined into all loops, and nothing else is: the calls of the allocator are what is measured.
static inline __attribute__((always_inline)) void *called(uint32_t what, uint32_t size, void *before) {
  switch (what & 7) {
  case MALLOC:
    return malloc(size);
  case CALLOC:
    return calloc(1, size);
  case REALLOC:
    return realloc(before, size);
  default:
    return aligned_alloc(1u << ((what >> 3) & 31), size);
  }
}

// Plays the first records of the piece. How many were played: fewer when the allocator has returned 0.
uint32_t play(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t what = piece[i].what, slot = what >> 8;
    if ((what & 7) == FREE) {
      free(ptrs[slot]);
      ptrs[slot] = NULL;
      continue;
    }
    void *ptr = called(what, piece[i].size, ptrs[slot]);
    if (ptr == NULL) return i;
    ptrs[slot] = ptr;
  }
  return count;
}

// Writes the first and the last word of a payload, and each 64th byte between.
static inline void touch(void *ptr, uint32_t size, uint32_t value) {
  volatile uint32_t *words = ptr;
  uint32_t last = size / 4 - 1;
  if (size < 4) return;
  for (uint32_t word = 0; word < last; word += 16) words[word] = value;
  words[last] = value;
}

// The same, and touches each payload it gets.
uint32_t play_touched(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t what = piece[i].what, size = piece[i].size, slot = what >> 8;
    if ((what & 7) == FREE) {
      free(ptrs[slot]);
      ptrs[slot] = NULL;
      continue;
    }
    void *ptr = called(what, size, ptrs[slot]);
    if (ptr == NULL) return i;
    ptrs[slot] = ptr;
    touch(ptr, size, i);
  }
  return count;
}

static void add(uint32_t value) { sum = (sum ^ value) * 16777619; }

static void add_words(uint32_t slot, uint32_t bytes) {
  uint32_t *words = ptrs[slot];
  if (bytes < 4) return;
  add(words[0]);
  add(words[bytes / 4 - 1]);
}

static void mark(uint32_t slot, uint32_t size, uint32_t value) {
  uint32_t *words = ptrs[slot];
  sizes[slot] = size;
  if (size < 4) return;
  words[size / 4 - 1] = ~value;
  words[0] = value;
}

// Of a new block: whether it lies as it should, and is zeroed if it should be.
static void add_new(uint32_t what, uint32_t size, void *ptr) {
  uint32_t alignment = (what & 7) == ALIGNED ? 1u << ((what >> 3) & 31) : 8, found = 0;
  if (size >= alignment) add((uintptr_t)ptr & (alignment - 1));
  if ((what & 7) != CALLOC) return;
  for (uint32_t i = 0; i < size; i++) found |= ((unsigned char *)ptr)[i];
  add(found);
}

// As play. What all pieces since the last checksum have in their blocks is summed up.
uint32_t play_checked(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t what = piece[i].what, size = piece[i].size, slot = what >> 8, call = what & 7;
    if (call == FREE || call == REALLOC) add_words(slot, sizes[slot]);
    if (call == FREE) {
      free(ptrs[slot]);
      ptrs[slot] = NULL;
      continue;
    }
    void *ptr = called(what, size, ptrs[slot]);
    if (ptr == NULL) return i;
    ptrs[slot] = ptr;
    if (call == REALLOC) {
      uint32_t kept = size < sizes[slot] ? size : sizes[slot];
      if (kept >= 4) add(*(uint32_t *)ptr);
    } else {
      add_new(what, size, ptr);
    }
    mark(slot, size, what + i);
  }
  return count;
}

// And begins a new one.
uint32_t checksum(void) {
  uint32_t result = sum;
  sum = 0;
  return result;
}

// Frees what is live in the first slots.
void release(uint32_t slots) {
  for (uint32_t slot = 0; slot < slots; slot++) {
    free(ptrs[slot]);
    ptrs[slot] = NULL;
  }
}
