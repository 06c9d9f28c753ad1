// crowd: what threads do to one another's blocks, and to the heap as a whole.
//
//   crowd NAME    prints what it found

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern void free_sized(void *ptr, size_t bytes);
extern void *realloc_in_place(void *ptr, size_t bytes);
extern size_t malloc_footprint(void);

enum { KIB = 1024, THREADS = 8, ROUNDS = 8 };

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

static const struct {
  const char *name;
  void (*run)(void);
} CASES[] = {
    {"last_round", last_round}, {"made_smaller", made_smaller}};

int main(int count, char **arguments) {
  for (size_t index = 0; count == 2 && index < sizeof CASES / sizeof *CASES; index++)
    if (strcmp(arguments[1], CASES[index].name) == 0) {
      CASES[index].run();
      return 0;
    }
  return 2;
}
