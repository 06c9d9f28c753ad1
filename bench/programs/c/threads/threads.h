// What the patterns with several threads have in common: each thread's state, its blocks, and what is written into them.
//
// All instances of the module share the memory, and with it all that is static here. A pattern is a function of the thread's
// number, of the turn and of a count of steps; it returns how many blocks it has taken. Its other half, NAME_checked, fills each
// block that it takes, and reads it before it frees it. Compiled with -fno-builtin, or clang would leave calls out.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST_THREADS = 8, SLOTS = 4096, LINE = 128, LARGEST = 65536 };

// Blocks that one thread hands to another at once.
enum { PARCEL_BLOCKS = 64 };
typedef struct parcel {
  struct parcel *next;
  void *blocks[PARCEL_BLOCKS];
} parcel;

// On lines of the cache of its own.
typedef struct {
  _Alignas(LINE) uint32_t random;
  _Alignas(LINE) _Atomic(parcel *) mail;
  _Alignas(LINE) void *slots[SLOTS];
} thread;

extern thread threads[MOST_THREADS];
extern uint32_t thread_count;

// The host throws, with words for the code.
enum { NO_MEMORY = 1, OVERWRITTEN = 2, NOT_ZERO = 3 };
__attribute__((import_module("host"), import_name("fail"), noreturn)) extern void host_fail(uint32_t code);

#define INLINED static inline __attribute__((always_inline))

// Marsaglia's xorshift.
INLINED uint32_t drawn(thread *own) {
  uint32_t x = own->random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return own->random = x;
}

INLINED uint32_t drawn_below(thread *own, uint32_t limit) { return ((uint64_t)drawn(own) * limit) >> 32; }

// The bytes, and then words that are all different, and differ from those of other blocks.
static inline void fill(void *ptr, uint32_t bytes, uint32_t tag) {
  uint32_t *words = ptr;
  words[0] = bytes;
  for (uint32_t i = 1; i < bytes / 4; i++) words[i] = tag + i;
}

// Of a filled block, which has at least 8 bytes: the first of them, as realloc has kept them.
static inline void check_filled(void *ptr, uint32_t kept) {
  uint32_t *words = ptr, bytes = words[0] < kept ? words[0] : kept;
  if (words[0] < 8 || words[0] > LARGEST) host_fail(OVERWRITTEN);
  for (uint32_t i = 2; i < bytes / 4; i++)
    if (words[i] != words[1] + i - 1) host_fail(OVERWRITTEN);
}

static inline void check_zero(void *ptr, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++)
    if (((unsigned char *)ptr)[i] != 0) host_fail(NOT_ZERO);
}

// A program writes into what it gets: here at least the first word.
INLINED void *written(thread *own, void *ptr, uint32_t bytes, bool checked) {
  if (ptr == NULL) host_fail(NO_MEMORY);
  if (checked) fill(ptr, bytes, drawn(own));
  else *(uint32_t *)ptr = bytes;
  return ptr;
}

INLINED void *take(thread *own, uint32_t bytes, bool checked) {
  return written(own, malloc(bytes), bytes, checked);
}

// A filled block is spoilt, so that it cannot be dropped twice.
INLINED void drop(void *ptr, bool checked) {
  if (checked && ptr != NULL) {
    check_filled(ptr, LARGEST);
    *(uint32_t *)ptr = 0;
  }
  free(ptr);
}

INLINED void replace(thread *own, void **slot, uint32_t bytes, bool checked) {
  drop(*slot, checked);
  *slot = take(own, bytes, checked);
}

// The two functions of a pattern that is written as play_NAME.
#define PATTERN(name)                                                                                                  \
  uint32_t name(uint32_t index, uint32_t turn, uint32_t count) {                                                       \
    return play_##name(&threads[index], turn, count, false);                                                           \
  }                                                                                                                    \
  uint32_t name##_checked(uint32_t index, uint32_t turn, uint32_t count) {                                             \
    return play_##name(&threads[index], turn, count, true);                                                            \
  }
