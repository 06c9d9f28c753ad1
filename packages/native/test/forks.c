// forks: children that allocate, however they were made.
//
//   forks NAME    prints what the children answered

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern pthread_mutex_t library_mutex;
extern volatile int is_waited_for;
extern void (*volatile in_handler)(void);

enum { COUNT = 90, THREADS = 3, CHILDREN = 12, MIB = 1 << 20 };

static volatile int has_begun, is_over;
static unsigned char *blocks[COUNT];

static size_t size_of(int index) { return 50 + (size_t)index * 90; }

static void check(int index) {
  for (size_t at = 0; at < size_of(index); at++)
    if (blocks[index][at] != (unsigned char)index)
      _exit(1);
}

// Uses, resizes and frees what its parent had, and allocates anew.
static void serve_child(void) {
  alarm(50);
  for (int index = 0; index < COUNT; index++) {
    check(index);
    if (malloc_usable_size(blocks[index]) < size_of(index))
      _exit(2);
    if (index % 3 == 0)
      blocks[index] = realloc(blocks[index], size_of(index) + 20000);
    check(index);
    free(blocks[index]);
  }
  for (int round = 0; round < 1000; round++)
    free(memset(malloc((size_t)round * 7 + 1), 1, (size_t)round * 7 + 1));
  free(malloc(4 * MIB));
  _exit(0);
}

static int answer_of(pid_t child) {
  int status = -1;
  if (child == 0)
    serve_child();
  return waitpid(child, &status, 0) == child ? status : -1;
}

static void *allocate(void *argument) {
  void *own[64] = {0};
  for (uint32_t random = (uint32_t)(uintptr_t)argument; !is_over; random = random * 1664525 + 1013904223) {
    void **block = &own[random >> 26];
    size_t bytes = (random >> 8) % 50 == 0 ? 200000 : (random >> 8) % 3000;
    has_begun = 1;
    if (random >> 16 & 1)
      *block = realloc(*block, bytes + 1);
    else {
      free(*block);
      *block = malloc(bytes);
    }
  }
  return NULL;
}

static void *hold_mutex(void *argument) {
  pthread_mutex_lock(&library_mutex);
  has_begun = 1;
  while (!is_waited_for)
    sched_yield();
  free(malloc(100));
  free(malloc(MIB));
  pthread_mutex_unlock(&library_mutex);
  return argument;
}

static void *wait_for_end(void *argument) {
  has_begun = 1;
  while (!is_over)
    sched_yield();
  return argument;
}

static pthread_t begun(void *(*run)(void *), uintptr_t argument) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, (void *)argument);
  while (!has_begun)
    sched_yield();
  return thread;
}

static void with_handlers(void) {
  pthread_t other = begun(wait_for_end, 0);
  printf("%d\n", answer_of(fork()));
  is_over = 1;
  pthread_join(other, NULL);
}

static void with_a_mutex_held(void) {
  pthread_t other = begun(hold_mutex, 0);
  printf("%d\n", answer_of(fork()));
  pthread_join(other, NULL);
}

static int inner = -1;

static void fork_in_handler(void) {
  in_handler = NULL;
  inner = answer_of((pid_t)syscall(SYS_fork));
}

static void within_a_fork(void) {
  pthread_t other = begun(wait_for_end, 0);
  in_handler = fork_in_handler;
  int outer = answer_of(fork());
  printf("%d %d\n", outer, inner);
  is_over = 1;
  pthread_join(other, NULL);
}

static pid_t by_fork(void) { return (pid_t)syscall(SYS_fork); }
static pid_t by_clone(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0); }

static void while_others_allocate(pid_t (*make)(void)) {
  pthread_t others[THREADS];
  for (uintptr_t index = 0; index < THREADS; index++)
    others[index] = begun(allocate, index + 1);
  int failed = 0;
  for (int child = 0; child < CHILDREN; child++)
    failed += answer_of(make()) != 0;
  is_over = 1;
  for (int index = 0; index < THREADS; index++)
    pthread_join(others[index], NULL);
  printf("%d\n", failed);
}

static void raw_fork(void) { while_others_allocate(by_fork); }
static void raw_clone(void) { while_others_allocate(by_clone); }
static void forks(void) { while_others_allocate(fork); }

static const struct {
  const char *name;
  void (*run)(void);
} CASES[] = {
    {"with_handlers", with_handlers}, {"with_a_mutex_held", with_a_mutex_held}, {"within_a_fork", within_a_fork},
    {"raw_fork", raw_fork},           {"raw_clone", raw_clone},                 {"forks", forks},
};

int main(int count, char **arguments) {
  for (int index = 0; index < COUNT; index++)
    blocks[index] = memset(malloc(size_of(index)), index, size_of(index));
  for (size_t index = 0; count == 2 && index < sizeof CASES / sizeof *CASES; index++)
    if (strcmp(arguments[1], CASES[index].name) == 0) {
      CASES[index].run();
      return 0;
    }
  return 2;
}
