// patterns.h: what the patterns with threads have in common: a thread's random numbers, stamped blocks, and the sum of all.
//
// Owns:       struct worker, and what lies in a block: its stamp in the first word, a byte of that at the end.
// Needs:      a malloc; compiled with -fno-builtin, or the compiler would leave calls out.
// Invariants: P1  what a pattern makes depends on seeds only: not on the allocator, nor on who comes first
//             P2  the stamps of all blocks that were freed have the sum of those that were made, or the program ends with 1
//
// A block that two have got, or that somebody else has written to, breaks P2 or its own last byte.

#ifndef PATTERNS_H
#define PATTERNS_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_THREADS = 64, LINE = 128, LEAST_BLOCK = sizeof(uint64_t) };

// On lines of the cache of its own.
struct worker {
  _Alignas(LINE) uint64_t random;
  uint64_t made, freed;
};

// So many threads do the work together; `share` is 1 for all of it, n for an n-th.
struct work {
  int threads, share;
};

void larson(struct work);
void xmalloc(struct work);
void mstress(struct work);
void rptest(struct work);
void idle_pair(struct work);
void idle_blocks(struct work);

// Ends the program with 1.
_Noreturn void fail(const char *what);

// A worker of any number has its own random numbers.
struct worker new_worker(unsigned number);
// Adds what a worker has done to the sum. It starts from 0 again.
void add_up(struct worker *own);

// Blocks of LEAST_BLOCK bytes or more. Only the stamp and the last byte are written.
void *make(struct worker *own, size_t bytes);
// The same by calloc, whose zeros are looked at where they are few.
void *make_zeroed(struct worker *own, size_t bytes);
// The same by realloc. What is between stamp and last byte stays.
void *resize(struct worker *own, void *block, size_t bytes);
// NULL is nothing.
void drop(struct worker *own, void *block);

// Runs `body` in so many threads at once, each with its part, and waits for their ends. Parts lie `bytes` apart.
void in_threads(int threads, void *(*body)(void *), void *parts, size_t bytes);

// Marsaglia's xorshift, the upper half.
static inline uint32_t drawn(struct worker *own) {
  own->random ^= own->random << 13;
  own->random ^= own->random >> 7;
  own->random ^= own->random << 17;
  return (uint32_t)(own->random >> 32);
}

#endif
