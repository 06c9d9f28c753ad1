// forks-library: what libraries do around a fork, in handlers that their constructor registers, before the first malloc.

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

pthread_mutex_t library_mutex = PTHREAD_MUTEX_INITIALIZER;
volatile int is_waited_for;
void (*volatile in_handler)(void);

static void before(void) {
  free(malloc(100));
  is_waited_for = 1;
  pthread_mutex_lock(&library_mutex);
  if (in_handler != NULL)
    in_handler();
}

static void after(void) {
  pthread_mutex_unlock(&library_mutex);
  free(malloc(300000));
}

__attribute__((constructor)) static void register_handlers(void) { pthread_atfork(before, after, after); }
