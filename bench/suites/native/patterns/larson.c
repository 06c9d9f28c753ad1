// larson: a server whose threads come and go, as Larson and Krishnan describe it (ISMM 1998).
//
// A thread has an array of blocks and replaces random ones. After a while it hands the array to a thread that it makes, and
// ends. So most blocks are freed by another thread than the one that has taken them, which often is no more.

#include "patterns.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

enum { BLOCKS = 1024, LEAST = 8, MOST = 1000, REPLACED = 20000, LIVES = 320 };

// The threads that go on with one array, one after the other.
struct chain {
  struct worker worker;
  int lives;
  void *blocks[BLOCKS];
};

static struct chain chains[MOST_THREADS];
static sem_t ended;

static void *block_for(struct worker *own) { return make(own, LEAST + drawn(own) % (MOST - LEAST + 1)); }

static void *live(void *argument);

static void begin_next(struct chain *chain) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, live, chain) != 0 || pthread_detach(thread) != 0)
    fail("no thread");
}

static void *live(void *argument) {
  struct chain *chain = argument;
  for (int count = 0; count < REPLACED; count++) {
    void **block = &chain->blocks[drawn(&chain->worker) % BLOCKS];
    drop(&chain->worker, *block);
    *block = block_for(&chain->worker);
  }
  if (--chain->lives > 0)
    begin_next(chain);
  else
    sem_post(&ended);
  return NULL;
}

void larson(struct work work) {
  sem_init(&ended, 0, 0);
  // The first blocks are of the thread that begins it all.
  for (int index = 0; index < work.threads; index++) {
    struct chain *chain = &chains[index];
    chain->worker = new_worker((unsigned)index);
    chain->lives = LIVES / work.share / work.threads;
    for (int block = 0; block < BLOCKS; block++)
      chain->blocks[block] = block_for(&chain->worker);
  }
  for (int index = 0; index < work.threads; index++)
    begin_next(&chains[index]);
  for (int index = 0; index < work.threads; index++)
    while (sem_wait(&ended) != 0)
      ;
  for (int index = 0; index < work.threads; index++) {
    for (int block = 0; block < BLOCKS; block++)
      drop(&chains[index].worker, chains[index].blocks[block]);
    add_up(&chains[index].worker);
  }
}
