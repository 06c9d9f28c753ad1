// rptest: random sizes and lifetimes, part of the blocks freed by another thread, as rpmalloc's benchmark is described.
//
// In each turn a thread replaces random ones of its blocks. One in three of those that go is not freed, but put into a parcel
// for the next thread. A thread looks for parcels once a turn; one that is still there when the next comes is freed by its
// sender. So no more parcels wait than there are slots, however the threads are scheduled.

#include "patterns.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { BLOCKS = 1024, TURNS = 24000, REPLACED = 192, PARCEL = REPLACED, CROSSING = 3, INBOX = 16, SHIFTS = 13 };

struct parcel {
  int count;
  void *blocks[PARCEL];
};

static struct part {
  struct worker worker;
  int turns;
  _Alignas(LINE) _Atomic(struct parcel *) inbox[INBOX];
  struct part *next;
  void *blocks[BLOCKS];
} parts[MOST_THREADS];

// From 8 bytes to 64 KiB. The lesser of two draws is the doubling, so half have less than 128 bytes.
static size_t bytes_of(struct worker *own) {
  uint32_t random = drawn(own), first = random % SHIFTS, second = random / SHIFTS % SHIFTS;
  size_t least = (size_t)8 << (first < second ? first : second);
  return least + drawn(own) % least;
}

static void open_parcel(struct worker *own, struct parcel *parcel) {
  if (parcel == NULL)
    return;
  for (int index = 0; index < parcel->count; index++)
    drop(own, parcel->blocks[index]);
  free(parcel);
}

static void replace_some(struct part *part, struct parcel *parcel) {
  struct worker *own = &part->worker;
  for (int count = 0; count < REPLACED; count++) {
    uint32_t random = drawn(own);
    void **block = &part->blocks[random % BLOCKS];
    if (random / BLOCKS % CROSSING == 0 && *block != NULL)
      parcel->blocks[parcel->count++] = *block;
    else
      drop(own, *block);
    *block = make(own, bytes_of(own));
  }
}

static void *take_turns(void *argument) {
  struct part *part = argument;
  for (int turn = 0; turn < part->turns; turn++) {
    struct parcel *parcel = malloc(sizeof *parcel);
    if (parcel == NULL)
      fail("no memory");
    parcel->count = 0;
    replace_some(part, parcel);
    open_parcel(&part->worker, atomic_exchange(&part->next->inbox[turn % INBOX], parcel));
    for (int index = 0; index < INBOX; index++)
      if (atomic_load_explicit(&part->inbox[index], memory_order_relaxed) != NULL)
        open_parcel(&part->worker, atomic_exchange(&part->inbox[index], NULL));
  }
  for (int index = 0; index < BLOCKS; index++)
    drop(&part->worker, part->blocks[index]);
  add_up(&part->worker);
  return NULL;
}

void rptest(struct work work) {
  for (int index = 0; index < work.threads; index++) {
    parts[index].worker = new_worker((unsigned)index);
    parts[index].turns = TURNS / work.share / work.threads;
    parts[index].next = &parts[(index + 1) % work.threads];
  }
  in_threads(work.threads, take_turns, parts, sizeof *parts);
  struct worker own = new_worker(MOST_THREADS);
  for (int index = 0; index < work.threads; index++)
    for (int slot = 0; slot < INBOX; slot++)
      open_parcel(&own, parts[index].inbox[slot]);
  add_up(&own);
}
