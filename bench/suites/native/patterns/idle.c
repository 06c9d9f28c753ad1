// idle: one thread that allocates, alone or beside others that only wait.
//
// Who allocates is the first thread of THREADS. What others cost it is that they are there, and nothing else.

#include "patterns.h"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAIRS = 8000000, BLOCKS = 1000, ROUNDS = 8000 };

static void *wait_for_ever(void *argument) {
  for (;;)
    pause();
  return argument;
}

// They end with the process.
static void begin_others(int threads) {
  pthread_t thread;
  for (int index = 1; index < threads; index++)
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
      fail("no thread");
}

void idle_pair(struct work work) {
  struct worker own = new_worker(0);
  begin_others(work.threads);
  for (int count = 0; count < PAIRS / work.share; count++)
    drop(&own, make(&own, (size_t)(16 + count % 16 * 16)));
  add_up(&own);
}

// A thousand blocks up; freed in another order.
void idle_blocks(struct work work) {
  static void *blocks[BLOCKS];
  struct worker own = new_worker(0);
  begin_others(work.threads);
  for (int round = 0; round < ROUNDS / work.share; round++) {
    for (int index = 0; index < BLOCKS; index++)
      blocks[index] = make(&own, (size_t)(16 + index * 37 % 400));
    for (int index = 0; index < BLOCKS; index++)
      drop(&own, blocks[index * 7 % BLOCKS]);
  }
  add_up(&own);
}
