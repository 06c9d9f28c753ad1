// patterns: what threads do with a malloc that they share, a pattern for each run. The work is fixed.
//
//   patterns NAME THREADS [SHARE]    does it, or one SHARE-th of it; prints the sum of the stamps of all blocks.
//                                    1: a block was lost or overwritten, or there was no memory. 2: bad use
//
// They are ours, written after what larson, xmalloc-test, mimalloc's test-stress and rpmalloc's benchmark are said to do.

#include "patterns.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_ZEROS = 4096 };

static _Atomic uint64_t all_made, all_freed;

void fail(const char *what) {
  fprintf(stderr, "patterns: %s\n", what);
  exit(1);
}

struct worker new_worker(unsigned number) {
  return (struct worker){.random = (number + 1) * UINT64_C(0x9e3779b97f4a7c15)};
}

void add_up(struct worker *own) {
  atomic_fetch_add(&all_made, own->made);
  atomic_fetch_add(&all_freed, own->freed);
  own->made = own->freed = 0;
}

// Blocks. A stamp has the block's bytes below, and something drawn above.

static void *stamped(struct worker *own, unsigned char *block, size_t bytes, uint64_t above) {
  if (block == NULL)
    fail("no memory");
  uint64_t stamp = above << 32 | bytes;
  if (bytes > LEAST_BLOCK)
    block[bytes - 1] = (unsigned char)above;
  __builtin_memcpy(block, &stamp, sizeof stamp);
  own->made += stamp;
  return block;
}

static uint64_t verified(struct worker *own, const unsigned char *block) {
  uint64_t stamp;
  __builtin_memcpy(&stamp, block, sizeof stamp);
  size_t bytes = (uint32_t)stamp;
  if (bytes < LEAST_BLOCK || (bytes > LEAST_BLOCK && block[bytes - 1] != (unsigned char)(stamp >> 32)))
    fail("a block was overwritten");
  own->freed += stamp;
  return stamp;
}

void *make(struct worker *own, size_t bytes) { return stamped(own, malloc(bytes), bytes, drawn(own)); }

void *make_zeroed(struct worker *own, size_t bytes) {
  unsigned char *block = calloc(1, bytes);
  for (size_t index = 0; block != NULL && bytes <= FEW_ZEROS && index < bytes; index++)
    if (block[index] != 0)
      fail("calloc gave a block that is not zero");
  return stamped(own, block, bytes, drawn(own));
}

void *resize(struct worker *own, void *block, size_t bytes) {
  uint64_t stamp = verified(own, block);
  return stamped(own, realloc(block, bytes), bytes, stamp >> 32);
}

void drop(struct worker *own, void *block) {
  if (block == NULL)
    return;
  verified(own, block);
  // Whoever frees it again finds no stamp, if nobody has got the block meanwhile.
  __builtin_memset(block, 0, sizeof(uint64_t));
  free(block);
}

void in_threads(int threads, void *(*body)(void *), void *parts, size_t bytes) {
  pthread_t thread[MOST_THREADS];
  for (int index = 0; index < threads; index++)
    if (pthread_create(&thread[index], NULL, body, (char *)parts + (size_t)index * bytes) != 0)
      fail("no thread");
  for (int index = 0; index < threads; index++)
    pthread_join(thread[index], NULL);
}

static const struct {
  const char *name;
  void (*run)(struct work);
} PATTERNS[] = {
    {"larson", larson}, {"xmalloc", xmalloc},     {"mstress", mstress},
    {"rptest", rptest}, {"idle-pair", idle_pair}, {"idle-blocks", idle_blocks},
};

int main(int count, char **arguments) {
  struct work work = {count > 2 ? atoi(arguments[2]) : 0, count > 3 ? atoi(arguments[3]) : 1};
  if (work.threads < 1 || work.threads > MOST_THREADS || work.share < 1)
    return 2;
  for (size_t index = 0; index < sizeof PATTERNS / sizeof *PATTERNS; index++) {
    if (strcmp(arguments[1], PATTERNS[index].name) != 0)
      continue;
    PATTERNS[index].run(work);
    if (all_made != all_freed)
      fail("a block was lost, or two have had it");
    printf("%016" PRIx64 "\n", all_made);
    return 0;
  }
  return 2;
}
