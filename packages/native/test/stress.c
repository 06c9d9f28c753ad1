// stress: many threads that allocate, hand blocks to one another, resize and free them, while some of them fork.
//
//   stress THREADS ROUNDS FORKS    prints "sound"; the bytes of each block are verified before it changes
//

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWN = 256, SHARED = 64, MOST_THREADS = 64 };

struct block {
  unsigned char *ptr;
  size_t bytes;
  unsigned char stamp;
};

static int rounds, forks;
static pthread_mutex_t exchange = PTHREAD_MUTEX_INITIALIZER;
static struct block shared[SHARED];

static void fail(const char *what) {
  dprintf(STDERR_FILENO, "stress: %s\n", what);
  _exit(1);
}

static uint32_t next(uint32_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  return *seed ^= *seed << 5;
}

// Mostly small, seldom large enough for a mapping of its own.
static size_t size_of(uint32_t random) {
  uint32_t kind = random % 1000;
  uint32_t rest = random / 1000;
  return kind < 800 ? rest % 512 : kind < 980 ? rest % 8192 : kind < 998 ? rest % 100000 : rest % 600000;
}

static void verify(const struct block *block, size_t bytes) {
  for (size_t index = 0; index < bytes; index++)
    if (block->ptr[index] != block->stamp)
      fail("a block was overwritten");
}

static void give_back(struct block *block) {
  if (block->ptr == NULL)
    return;
  verify(block, block->bytes);
  free(block->ptr);
  block->ptr = NULL;
}

static void take(struct block *block, uint32_t random, uint32_t *seed) {
  size_t bytes = size_of(next(seed));
  void *got = NULL;
  switch (random % 8) {
  case 0:
    got = calloc(1, bytes);
    for (size_t index = 0; got != NULL && index < bytes; index++)
      if (((unsigned char *)got)[index] != 0)
        fail("calloc gave a block that is not zero");
    break;
  case 1:
    if (posix_memalign(&got, 64 << random / 8 % 8, bytes) != 0 || (uintptr_t)got % (64 << random / 8 % 8) != 0)
      fail("posix_memalign gave no aligned block");
    break;
  default: got = malloc(bytes);
  }
  if (got == NULL || (bytes >= 16 && (uintptr_t)got % 16 != 0) || malloc_usable_size(got) < bytes)
    fail("no block, or none of its size");
  *block = (struct block){got, bytes, (unsigned char)random};
  memset(got, block->stamp, bytes);
}

static void resize(struct block *block, uint32_t *seed) {
  size_t bytes = size_of(next(seed)) + 1;
  unsigned char *got = realloc(block->ptr, bytes);
  if (got == NULL)
    fail("realloc gave no block");
  block->ptr = got;
  verify(block, block->bytes < bytes ? block->bytes : bytes);
  block->bytes = bytes;
  memset(got, block->stamp, bytes);
}

static void swap(struct block *own, uint32_t random) {
  pthread_mutex_lock(&exchange);
  struct block other = shared[random % SHARED];
  shared[random % SHARED] = *own;
  *own = other;
  pthread_mutex_unlock(&exchange);
}

static void work(struct block *own, uint32_t *seed, int count, int swaps) {
  for (int round = 0; round < count; round++) {
    uint32_t random = next(seed);
    struct block *block = &own[random % OWN];
    random /= OWN;
    if (block->ptr != NULL && random % 4 == 0)
      resize(block, seed);
    else {
      give_back(block);
      take(block, random, seed);
    }
    if (swaps && random % 16 == 1)
      swap(block, next(seed));
  }
}

// The child of a process with threads has this thread only, and all blocks. It leaves the shared ones alone: another
// thread may have been about to change them.
static void fork_once(struct block *own, uint32_t seed) {
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    work(own, &seed, 2000, 0);
    for (int index = 0; index < OWN; index++)
      give_back(&own[index]);
    _exit(0);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
    fail("a child did not end well");
}

static void *run(void *argument) {
  uint32_t seed = (uint32_t)(uintptr_t)argument * 2654435761u + 1;
  struct block own[OWN] = {0};
  int parts = forks + 1;
  for (int part = 0; part < parts; part++) {
    work(own, &seed, rounds / parts, 1);
    if (part < forks)
      fork_once(own, seed);
  }
  for (int index = 0; index < OWN; index++)
    give_back(&own[index]);
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 4)
    return 2;
  int threads = atoi(arguments[1]);
  rounds = atoi(arguments[2]);
  forks = atoi(arguments[3]);
  pthread_t thread[MOST_THREADS];
  for (int index = 0; index < threads; index++)
    if (pthread_create(&thread[index], NULL, run, (void *)(uintptr_t)(index + 1)) != 0)
      fail("no thread");
  for (int index = 0; index < threads; index++)
    pthread_join(thread[index], NULL);
  for (int index = 0; index < SHARED; index++)
    give_back(&shared[index]);
  printf("sound: %d threads, %d rounds each, %d children\n", threads, rounds, threads * forks);
  return 0;
}
