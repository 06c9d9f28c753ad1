// xmalloc: blocks that one thread takes and another frees, as Lever and Boreham's malloc-test has them (USENIX 2000).
//
// Each thread takes a batch of blocks and puts it into a queue, which all share. Then it takes the batch that has been there
// the longest, mostly another's, and frees that. Nobody waits for a batch: a thread takes none out before it has put one in.

#include "patterns.h"
#include <pthread.h>
#include <stdlib.h>

// AHEAD: batches that lie in the queue before the first thread begins.
enum { BATCH = 128, BATCHES = 60000, AHEAD = 64, SIZES = 7 };

struct batch {
  struct batch *next;
  void *blocks[BATCH];
};

static struct {
  pthread_mutex_t mutex;
  struct batch *first, **last;
} queue = {PTHREAD_MUTEX_INITIALIZER, NULL, &queue.first};

static struct part {
  struct worker worker;
  int batches;
} parts[MOST_THREADS];

static void put(struct batch *batch) {
  batch->next = NULL;
  pthread_mutex_lock(&queue.mutex);
  *queue.last = batch;
  queue.last = &batch->next;
  pthread_mutex_unlock(&queue.mutex);
}

static struct batch *taken(void) {
  pthread_mutex_lock(&queue.mutex);
  struct batch *batch = queue.first;
  if (batch != NULL && (queue.first = batch->next) == NULL)
    queue.last = &queue.first;
  pthread_mutex_unlock(&queue.mutex);
  return batch;
}

// From 8 bytes to 1 KiB; each doubling is as likely as the others.
static struct batch *produced(struct worker *own) {
  struct batch *batch = malloc(sizeof *batch);
  if (batch == NULL)
    fail("no memory");
  for (int index = 0; index < BATCH; index++) {
    uint32_t random = drawn(own);
    size_t least = (size_t)8 << random % SIZES;
    batch->blocks[index] = make(own, least + random / SIZES % (least + 1));
  }
  return batch;
}

static void consume(struct worker *own, struct batch *batch) {
  for (int index = 0; index < BATCH; index++)
    drop(own, batch->blocks[index]);
  free(batch);
}

static void *produce_and_consume(void *argument) {
  struct part *part = argument;
  struct worker *own = &part->worker;
  for (int count = 0; count < part->batches; count++) {
    put(produced(own));
    consume(own, taken());
  }
  add_up(own);
  return NULL;
}

void xmalloc(struct work work) {
  struct worker own = new_worker(MOST_THREADS);
  for (int index = 0; index < AHEAD; index++)
    put(produced(&own));
  for (int index = 0; index < work.threads; index++) {
    parts[index].worker = new_worker((unsigned)index);
    parts[index].batches = BATCHES / work.share / work.threads;
  }
  in_threads(work.threads, produce_and_consume, parts, sizeof *parts);
  for (struct batch *batch; (batch = taken()) != NULL;)
    consume(&own, batch);
  add_up(&own);
}
