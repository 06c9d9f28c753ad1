// double-frees: a block that is freed twice, by two threads or by one that has not made it. A process for each case.
//
//   double-frees                prints the cases' names and what they do
//   double-frees NAME BYTES     does it; prints the block's address before, and "unnoticed" if it gets to its end

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AROUND = 20 };

static size_t bytes;
static unsigned char *block;

static void *make(void *unused) {
  // Others of its size lie around it.
  for (int index = 0; index < AROUND; index++)
    memset(malloc(bytes), 1, bytes);
  block = memset(malloc(bytes), 1, bytes);
  for (int index = 0; index < AROUND; index++)
    memset(malloc(bytes), 1, bytes);
  printf("%p\n", (void *)block);
  fflush(stdout);
  return unused;
}

static void *free_it(void *unused) {
  free(block);
  return unused;
}

static void *free_it_twice(void *unused) {
  free(block);
  free(block);
  return unused;
}

static void *resize_it(void *unused) {
  block = realloc(block, bytes + 100);
  return unused;
}

static void *measure_it(void *unused) {
  bytes += malloc_usable_size(block);
  return unused;
}

// Threads that are there from the beginning: making one between two frees would allocate.
static struct helper {
  sem_t begin, end;
  void *(*run)(void *);
} helpers[2];

static void *help(void *argument) {
  struct helper *helper = argument;
  for (;;) {
    sem_wait(&helper->begin);
    helper->run(NULL);
    sem_post(&helper->end);
  }
  return NULL;
}

static void begin_helpers(void) {
  pthread_t thread;
  for (int index = 0; index < 2; index++) {
    sem_init(&helpers[index].begin, 0, 0);
    sem_init(&helpers[index].end, 0, 0);
    pthread_create(&thread, NULL, help, &helpers[index]);
  }
}

static void in(int index, void *(*run)(void *)) {
  helpers[index].run = run;
  sem_post(&helpers[index].begin);
  sem_wait(&helpers[index].end);
}

static void make_in_one_that_ends(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, make, NULL);
  pthread_join(thread, NULL);
}

static void here_then_there(void) { make(NULL); free_it(NULL); in(0, free_it); }
static void there_then_here(void) { make(NULL); in(0, free_it); free_it(NULL); }
static void there_twice(void) { make(NULL); in(0, free_it_twice); }
static void in_two_others(void) { make(NULL); in(0, free_it); in(1, free_it); }
static void of_an_ended_thread(void) { make_in_one_that_ends(); free_it_twice(NULL); }
static void of_an_ended_thread_in_two(void) { make_in_one_that_ends(); in(0, free_it); in(1, free_it); }
static void resized_here(void) { make(NULL); in(0, free_it); resize_it(NULL); }
static void resized_there(void) { make(NULL); free_it(NULL); in(0, resize_it); }
static void measured_here(void) { make(NULL); in(0, free_it); measure_it(NULL); }
static void measured_there(void) { make(NULL); free_it(NULL); in(0, measure_it); }

static const struct { const char *name, *call, *words; void (*run)(void); } CASES[] = {
#define CASE(name, call, words) {#name, call, words, name}
    CASE(here_then_there, "free", "freed by its thread, then by another"),
    CASE(there_then_here, "free", "freed by another thread, then by its own"),
    CASE(there_twice, "free", "freed twice by another thread"),
    CASE(in_two_others, "free", "freed by two other threads, one after the other"),
    CASE(of_an_ended_thread, "free", "made by a thread that has ended, freed twice by the first"),
    CASE(of_an_ended_thread_in_two, "free", "made by a thread that has ended, freed by two others"),
    CASE(resized_here, "realloc", "freed by another thread, resized by its own"),
    CASE(resized_there, "realloc", "freed by its thread, resized by another"),
    CASE(measured_here, "malloc_usable_size", "freed by another thread, its size asked by its own"),
    CASE(measured_there, "malloc_usable_size", "freed by its thread, its size asked by another"),
};

int main(int count, char **arguments) {
  for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++)
    if (count != 3)
      printf("%s\t%s\t%s\n", CASES[index].name, CASES[index].call, CASES[index].words);
    else if (strcmp(arguments[1], CASES[index].name) == 0) {
      bytes = strtoul(arguments[2], NULL, 10);
      begin_helpers();
      CASES[index].run();
      puts("unnoticed");
    }
  return 0;
}
