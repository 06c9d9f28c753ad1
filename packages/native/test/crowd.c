// crowd: what threads do to one another's blocks, and to the heap as a whole.
//
//   crowd NAME [STEPS]    prints what it found

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void free_sized(void *ptr, size_t bytes);
extern void *realloc_in_place(void *ptr, size_t bytes);
extern size_t malloc_footprint(void);
extern void malloc_inspect_all(void (*visit)(void *start, void *end, size_t used, void *arg), void *arg);

enum { KIB = 1024, THREADS = 8, SLOTS = 1024, LOOKS = 50, ROUNDS = 8 };

static int steps = 20000;

static uint32_t next(uint64_t *random) {
  *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*random >> 33);
}

static void run_all(void *(*run)(void *), int count) {
  pthread_t threads[THREADS];
  for (intptr_t index = 0; index < count; index++)
    pthread_create(&threads[index], NULL, run, (void *)(index + 1));
  for (int index = 0; index < count; index++)
    pthread_join(threads[index], NULL);
}

// Threads that end, and still allocate in the last round of their destructors.

static pthread_key_t at_end;

static void end(void *rounds) {
  free(memset(malloc(2000), 1, 2000));
  if ((intptr_t)rounds > 1)
    pthread_setspecific(at_end, (void *)((intptr_t)rounds - 1));
}

static void *end_slowly(void *argument) {
  free(malloc(100));
  pthread_setspecific(at_end, (void *)(intptr_t)ROUNDS);
  return argument;
}

static void last_round(void) {
  pthread_key_create(&at_end, end);
  run_all(end_slowly, 1);
  size_t before = malloc_footprint();
  for (int index = 0; index < 200; index++)
    run_all(end_slowly, 1);
  printf("%zu\n", (malloc_footprint() - before) / KIB);
}

// A block that another thread has made smaller is of its new size.

static void *given[2][3];
static const size_t MADE[] = {5000, 100000, 300}, WANTED[] = {4000, 90000, 200};

static void *make_smaller(void *argument) {
  for (int index = 0; index < 3; index++) {
    void *ptr = realloc(given[0][index], WANTED[index]);
    free_sized(ptr, WANTED[index]);
    ptr = realloc_in_place(given[1][index], WANTED[index]);
    free_sized(given[1][index], ptr == NULL ? MADE[index] : WANTED[index]);
  }
  return argument;
}

static void made_smaller(void) {
  for (int index = 0; index < 3; index++)
    given[0][index] = malloc(MADE[index]), given[1][index] = malloc(MADE[index]);
  run_all(make_smaller, 1);
  printf("1\n");
}

// A thread looks at heaps, and sets parameters, while others allocate, hand blocks over, free them and end.

static _Atomic(unsigned char *) slots[SLOTS];
static atomic_int working, is_right = 1;

static void hand_over(uint64_t *random) {
  size_t bytes = 1 + next(random) % (next(random) % 20 == 0 ? 100000 : 1000);
  unsigned char *got = memset(malloc(bytes), (int)bytes, bytes);
  unsigned char *old = atomic_exchange(&slots[next(random) % SLOTS], got);
  if (old != NULL && next(random) % 4 == 0)
    old = realloc(old, 1 + next(random) % 2000);
  free(old);
}

static void *live_shortly(void *argument) {
  uint64_t random = (uintptr_t)argument;
  for (int index = 0; index < 100; index++)
    hand_over(&random);
  return NULL;
}

static void *work(void *argument) {
  uint64_t random = (uintptr_t)argument;
  for (int index = 0; index < steps; index++) {
    hand_over(&random);
    if (index % 500 == 0)
      run_all(live_shortly, 1);
  }
  working--;
  return NULL;
}

static void add_used(void *start, void *end, size_t used, void *arg) {
  if (used > (size_t)((char *)end - (char *)start))
    is_right = 0;
  *(size_t *)arg += used;
}

static void *look(void *argument) {
  uint64_t random = (uintptr_t)argument;
  size_t used = 0;
  while (working > 0) {
    // Its own blocks are freed by others while it looks.
    for (int index = 0; index < SLOTS; index++)
      hand_over(&random);
    for (int times = 0; times < LOOKS; times++)
      malloc_inspect_all(add_used, &used);
    struct mallinfo2 info = mallinfo2();
    if (info.uordblks > info.arena || info.fordblks > info.arena)
      is_right = 0;
    malloc_trim(next(&random) % 100000);
    mallopt(M_MMAP_THRESHOLD, 65536 << next(&random) % 3);
    mallopt(M_TRIM_THRESHOLD, (int)(next(&random) % 1000000));
  }
  return NULL;
}

static void *work_or_look(void *argument) { return (intptr_t)argument == 3 ? look(argument) : work(argument); }

static void looked_at(void) {
  working = 2;
  run_all(work_or_look, 3);
  for (int index = 0; index < SLOTS; index++)
    free(slots[index]);
  printf("%d\n", is_right);
}

// All threads together have no more than a limit; and what they have freed is there again.

static atomic_size_t most;
static atomic_int refused;

static void *fill_up(void *argument) {
  enum { OWN = 4000 };
  static void *blocks[THREADS][OWN];
  void **own = blocks[(intptr_t)argument - 1];
  uint64_t random = (uintptr_t)argument;
  for (int index = 0; index < steps; index++) {
    void **block = &own[next(&random) % OWN];
    free(*block);
    *block = malloc(next(&random) % 100 < 5 ? 100000 + next(&random) % 400000 : next(&random) % 4000);
    refused += *block == NULL;
    size_t now = malloc_footprint(), before = most;
    while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
      ;
  }
  for (int index = 0; index < OWN; index++)
    free(own[index]);
  return NULL;
}

static void limited(void) {
  run_all(fill_up, THREADS);
  size_t bytes = 0;
  for (void *got; (got = malloc(1000)) != NULL; bytes += 1000)
    ;
  printf("%zu %d %zu\n", (size_t)most, refused > 0, bytes);
}

// KiB that a thread takes while it has one small block and does nothing.

enum { IDLE = 20 };
static pthread_barrier_t at_rest;

// Of the mapping that an address lies in.
static long resident_around(const void *ptr) {
  char line[512];
  long kib = -1;
  int is_inside = 0;
  FILE *file = fopen("/proc/self/smaps", "r");
  while (kib < 0 && fgets(line, sizeof line, file) != NULL) {
    uintptr_t from, to;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
      is_inside = (uintptr_t)ptr - from < to - from;
    else if (is_inside)
      sscanf(line, "Rss: %ld", &kib);
  }
  fclose(file);
  return kib;
}

static void *rest(void *unused) {
  void *block = malloc(100);
  pthread_barrier_wait(&at_rest);
  pthread_barrier_wait(&at_rest);
  free(block);
  return unused;
}

static void idle(void) {
  void *own = malloc(100);
  resident_around(own);
  long before = resident_around(own);
  pthread_t threads[IDLE];
  pthread_barrier_init(&at_rest, NULL, IDLE + 1);
  for (int index = 0; index < IDLE; index++)
    pthread_create(&threads[index], NULL, rest, NULL);
  pthread_barrier_wait(&at_rest);
  printf("%ld\n", (resident_around(own) - before) / IDLE);
  pthread_barrier_wait(&at_rest);
  for (int index = 0; index < IDLE; index++)
    pthread_join(threads[index], NULL);
  free(own);
}

static const struct {
  const char *name;
  void (*run)(void);
} CASES[] = {
    {"last_round", last_round}, {"made_smaller", made_smaller}, {"looked_at", looked_at}, {"limited", limited}, {"idle", idle}};

int main(int count, char **arguments) {
  if (count == 3)
    steps = atoi(arguments[2]);
  for (size_t index = 0; count >= 2 && index < sizeof CASES / sizeof *CASES; index++)
    if (strcmp(arguments[1], CASES[index].name) == 0) {
      CASES[index].run();
      return 0;
    }
  return 2;
}
