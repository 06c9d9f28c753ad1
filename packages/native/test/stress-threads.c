// stress-threads: threads that allocate, hand blocks to one another, end while these live on, and fork.
//
//   stress-threads SEED THREADS LIVES STEPS FORKS    prints "sound". 1: it was not, and what it was is said.
//
// So many threads live at a time. After STEPS each makes the next one of LIVES, which goes on with its blocks, and ends.
// In each life it forks so often. A block is filled with its stamp to the last byte, and all of that is looked at when it
// is handed over, resized and freed.
//
// Owns:       the blocks' records; no word of a block says what it is.
// Invariants: R1  a record is one thread's, or lies in one slot
//             R2  nobody but the thread that has the record looks at its block, or frees it
//             R3  what a thread draws does not depend on others: one thread alone does the same each time

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWN = 256, SLOTS = 64, MOST_THREADS = 64, WORD = sizeof(uint64_t) };
// Blocks of a flood, and of a rush after so many steps; steps of a child, and its threads.
enum { FLOOD = 64, RUSH = 64, RUSH_EVERY = 8, CHILD_STEPS = 500, CHILD_THREADS = 2, CHILD_SECONDS = 60 };

struct block {
  unsigned char *ptr;
  size_t bytes;
  uint64_t stamp;
};

// What the threads have that come one after the other.
struct place {
  uint64_t random;
  int lives, count;
  pthread_t previous;
  struct block *own[OWN];
};

static uint32_t seed;
static int lives, steps, forks;
static struct block pool[MOST_THREADS * OWN + SLOTS];
static struct place places[MOST_THREADS];
static _Atomic(struct block *) slots[SLOTS];
static sem_t ended;
static pthread_key_t at_end;

static void fail(const char *what) {
  dprintf(STDERR_FILENO, "stress-threads: seed %u: %s\n", seed, what);
  _exit(1);
}

static uint32_t next(struct place *place) {
  place->random ^= place->random << 13;
  place->random ^= place->random >> 7;
  place->random ^= place->random << 17;
  return (uint32_t)(place->random >> 32);
}

// Mostly small, seldom large enough for a mapping of its own.
static size_t size_of(uint32_t random) {
  uint32_t kind = random % 1000;
  uint32_t rest = random / 1000;
  return kind < 800 ? rest % 512 : kind < 980 ? rest % 8192 : kind < 998 ? rest % 100000 : rest % 600000;
}

// Mostly less than an OS page, seldom more than any region has.
static size_t alignment_of(uint32_t random) { return random % 64 == 0 ? 131072 : (size_t)16 << random / 64 % 9; }

// Each word of a block differs from its neighbours, and from the same word of another.
static uint64_t word_at(const struct block *block, size_t at) { return block->stamp + at * UINT64_C(0x9e3779b97f4a7c15); }

static void fill(const struct block *block) {
  for (size_t at = 0; at < block->bytes; at += WORD) {
    uint64_t word = word_at(block, at);
    memcpy(block->ptr + at, &word, block->bytes - at < WORD ? block->bytes - at : WORD);
  }
}

static void verify(const struct block *block, size_t bytes) {
  for (size_t at = 0; at < bytes; at += WORD) {
    uint64_t word = word_at(block, at);
    if (memcmp(block->ptr + at, &word, bytes - at < WORD ? bytes - at : WORD) != 0)
      fail("a block was overwritten");
  }
}

static void give_back(struct block *block) {
  verify(block, block->bytes);
  free(block->ptr);
  block->ptr = NULL;
  block->bytes = 0;
}

static void *zeroed(size_t bytes) {
  unsigned char *got = calloc(1, bytes);
  for (size_t index = 0; got != NULL && index < bytes; index++)
    if (got[index] != 0)
      fail("calloc gave a block that is not zero");
  return got;
}

static void *aligned(size_t alignment, size_t bytes, uint32_t random) {
  void *got = NULL;
  switch (random % 3) {
  case 0: got = memalign(alignment, bytes); break;
  case 1: got = aligned_alloc(alignment, bytes); break;
  default:
    if (posix_memalign(&got, alignment, bytes) != 0)
      fail("posix_memalign gave no block");
  }
  if ((uintptr_t)got % alignment != 0)
    fail("a block is not aligned");
  return got;
}

static void hold(struct place *place, struct block *block, void *got, size_t bytes) {
  if (got == NULL || (bytes >= 16 && (uintptr_t)got % 16 != 0) || malloc_usable_size(got) < bytes)
    fail("no block, or none of its size");
  *block = (struct block){got, bytes, place->random};
  fill(block);
}

static void take(struct place *place, struct block *block, size_t bytes) {
  uint32_t random = next(place);
  // For 0 bytes other mallocs give an address that is not aligned; rules.c has that.
  if (random % 8 == 1)
    hold(place, block, aligned(alignment_of(random / 32), bytes + 1, random / 8 % 4), bytes + 1);
  else
    hold(place, block, random % 8 == 0 ? zeroed(bytes) : malloc(bytes), bytes);
}

static void resize(struct place *place, struct block *block) {
  uint32_t random = next(place);
  size_t before = block->bytes, bytes = size_of(random) + 1;
  verify(block, before);
  block->ptr = random & 1 ? realloc(block->ptr, bytes) : reallocarray(block->ptr, bytes, 1);
  if (block->ptr == NULL)
    fail("realloc gave no block");
  verify(block, before < bytes ? before : bytes);
  hold(place, block, block->ptr, bytes);
}

// All that can be used is the block's.
static void use_all(struct place *place, struct block *block) {
  verify(block, block->bytes);
  hold(place, block, block->ptr, malloc_usable_size(block->ptr));
}

static struct block *exchanged(struct block *block, uint32_t random) {
  verify(block, block->bytes);
  struct block *got = atomic_exchange(&slots[random % SLOTS], block);
  verify(got, got->bytes);
  return got;
}

static void step(struct place *place, int exchanges) {
  uint32_t random = next(place);
  struct block **own = &place->own[random % (uint32_t)place->count];
  uint32_t kind = random / OWN % 16;
  if (kind == 0 && exchanges)
    *own = exchanged(*own, random / OWN / 16);
  else if (kind <= 4 && (*own)->ptr != NULL)
    resize(place, *own);
  else if (kind == 5 && (*own)->ptr != NULL)
    use_all(place, *own);
  else {
    give_back(*own);
    if (kind != 6)
      take(place, *own, size_of(next(place)));
  }
}

// Nothing is looked at: so a thread is often inside a call when another one forks.
static void rush(struct place *place) {
  void *blocks[RUSH];
  for (int index = 0; index < RUSH; index++)
    blocks[index] = malloc(next(place) % 3000);
  for (int index = 0; index < RUSH; index++)
    free(blocks[index]);
}

static void work(struct place *place, int count, int exchanges) {
  for (int index = 0; index < count; index++) {
    step(place, exchanges);
    if (index % RUSH_EVERY == 0)
      rush(place);
  }
}

static void give_back_all(struct place *place) {
  for (int index = 0; index < place->count; index++)
    give_back(place->own[index]);
}

// The heap grows by some megabytes, and what they were goes in the order of the steps.
static void flood(struct place *place) {
  for (int index = 0; index < FLOOD && index < place->count; index++) {
    give_back(place->own[index]);
    take(place, place->own[index], 16384 + next(place) % 65536);
  }
}

// What a thread leaves to its end: a block for each of two rounds of destructors, which allocate.
static void leave_to_the_end(int rounds) {
  int *left = malloc(sizeof *left);
  if (left == NULL || pthread_setspecific(at_end, left) != 0)
    fail("nothing can be left to a thread's end");
  *left = rounds;
}

static void end(void *argument) {
  int rounds = *(int *)argument;
  free(argument);
  free(memset(malloc(3000), 1, 3000));
  if (rounds > 1)
    leave_to_the_end(rounds - 1);
}

// Children. The child of a process with threads has this thread only. It leaves the slots alone: what others were about
// to change when it was made may be half done.

static void *run_in_child(void *argument) {
  struct place *place = argument;
  leave_to_the_end(2);
  work(place, CHILD_STEPS, 0);
  give_back_all(place);
  return NULL;
}

static void serve_child(struct place *place, int part) {
  static struct place halves[CHILD_THREADS];
  pthread_t thread[CHILD_THREADS];
  alarm(CHILD_SECONDS);
  work(place, CHILD_STEPS, 0);
  for (int index = 0; index < CHILD_THREADS; index++) {
    struct place *half = &halves[index];
    half->random = place->random + (uint64_t)index;
    half->count = OWN / CHILD_THREADS;
    memcpy(half->own, place->own + index * half->count, sizeof *half->own * (size_t)half->count);
    if (pthread_create(&thread[index], NULL, run_in_child, half) != 0)
      fail("no thread in a child");
  }
  for (int index = 0; index < CHILD_THREADS; index++)
    pthread_join(thread[index], NULL);
  free(malloc(100));
  if (part % 2 != 0)
    _exit(0);
  exit(0);
}

static void fork_once(struct place *place, int part) {
  pid_t child = fork();
  if (child == 0)
    serve_child(place, part);
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
    fail("a child did not end well");
}

// Threads.

static void *live(void *argument);

static void begin_next(struct place *place) {
  pthread_t thread;
  place->previous = pthread_self();
  if (pthread_create(&thread, NULL, live, place) != 0)
    fail("no thread");
}

// The one before may still be about to end while this one works.
static void *live(void *argument) {
  struct place *place = argument;
  pthread_t previous = place->previous;
  int is_first = place->lives == lives;
  leave_to_the_end(2);
  if (place->lives % 2 == 0)
    flood(place);
  for (int part = 0; part <= forks; part++) {
    work(place, steps / (forks + 1), 1);
    if (part < forks)
      fork_once(place, part);
  }
  if (!is_first)
    pthread_join(previous, NULL);
  if (--place->lives > 0)
    begin_next(place);
  else {
    place->previous = pthread_self();
    sem_post(&ended);
  }
  return NULL;
}

// All that lives at first is of this thread.
static void prepare(int threads) {
  struct block *block = pool;
  struct place maker = {.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
  for (int index = 0; index < threads; index++) {
    places[index] = (struct place){.random = maker.random + (uint64_t)index + 1, .lives = lives, .count = OWN};
    for (int at = 0; at < OWN; at++)
      take(&maker, places[index].own[at] = block++, size_of(next(&maker)));
  }
  for (int at = 0; at < SLOTS; at++) {
    take(&maker, block, size_of(next(&maker)));
    slots[at] = block++;
  }
}

int main(int count, char **arguments) {
  if (count != 6)
    return 2;
  seed = (uint32_t)strtoul(arguments[1], NULL, 10);
  int threads = atoi(arguments[2]);
  lives = atoi(arguments[3]);
  steps = atoi(arguments[4]);
  forks = atoi(arguments[5]);
  if (threads < 1 || threads > MOST_THREADS || lives < 1)
    return 2;
  sem_init(&ended, 0, 0);
  pthread_key_create(&at_end, end);
  prepare(threads);
  for (int index = 0; index < threads; index++)
    begin_next(&places[index]);
  for (int index = 0; index < threads; index++)
    while (sem_wait(&ended) != 0)
      ;
  for (int index = 0; index < threads; index++) {
    pthread_join(places[index].previous, NULL);
    give_back_all(&places[index]);
  }
  for (int index = 0; index < SLOTS; index++)
    give_back(slots[index]);
  printf("sound: %d threads, %d lives of %d steps, %d children\n", threads, lives, steps, threads * lives * forks);
  return 0;
}
