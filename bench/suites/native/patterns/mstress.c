// mstress: trees of objects that threads build, keep, and hand to one another, as mimalloc's test-stress does.
//
// All threads live at the same time, end, and are made anew. A thread builds trees: arrays of pointers that grow by realloc,
// to arrays and to leaves of mixed sizes. It exchanges some with slots that all share, and keeps some to its end. Then these
// go into the slots, too, and what lay there is freed.

#include "patterns.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { LIVES = 48, TREES = 192000, OWN = 128, KEPT = 256, SHARED = 256, ROOM = 4, MOST_CHILDREN = 16, INNER = 4 };

// What make has put into the first word stays there.
struct tree {
  uint64_t stamp;
  uint32_t count, room;
  void *children[];
};

static struct part {
  struct worker worker;
  int trees;
  struct tree *own[OWN], *kept[KEPT];
} parts[MOST_THREADS];

static _Atomic(struct tree *) shared[SHARED];

// A word behind the children has the last byte. An address has 0 in its lowest bit, 1 says: it is a leaf's.
static size_t bytes_of(uint32_t room) { return sizeof(struct tree) + (room + 1) * sizeof(void *); }
static void *as_leaf(void *block) { return (void *)((uintptr_t)block | 1); }
static int is_leaf(void *child) { return (uintptr_t)child & 1; }
static void *leaf_of(void *child) { return (void *)((uintptr_t)child & ~(uintptr_t)1); }

// Mostly some words; one in a hundred a hundred times that, one in a thousand a thousand times.
static size_t leaf_bytes(uint32_t random) {
  size_t bytes = (1 + random % 8) * sizeof(void *);
  uint32_t kind = random / 8 % 1000;
  return kind == 0 ? bytes * 1000 : kind <= 10 ? bytes * 100 : bytes;
}

static void *new_leaf(struct worker *own) {
  uint32_t random = drawn(own);
  size_t bytes = leaf_bytes(random / 4);
  return as_leaf(random % 4 == 0 ? make_zeroed(own, bytes) : make(own, bytes));
}

static struct tree *with_child(struct worker *own, struct tree *tree, void *child) {
  if (tree->count == tree->room) {
    uint32_t room = tree->room * 2;
    tree = resize(own, tree, bytes_of(room));
    tree->room = room;
  }
  tree->children[tree->count++] = child;
  return tree;
}

static struct tree *new_tree(struct worker *own, int depth, uint32_t children) {
  struct tree *tree = make(own, bytes_of(ROOM));
  tree->count = 0;
  tree->room = ROOM;
  while (children-- > 0) {
    int is_inner = depth > 0 && drawn(own) % INNER == 0;
    tree = with_child(own, tree, is_inner ? (void *)new_tree(own, depth - 1, drawn(own) % ROOM) : new_leaf(own));
  }
  return tree;
}

static void drop_tree(struct worker *own, struct tree *tree) {
  if (tree == NULL)
    return;
  for (uint32_t index = 0; index < tree->count; index++)
    if (is_leaf(tree->children[index]))
      drop(own, leaf_of(tree->children[index]));
    else
      drop_tree(own, tree->children[index]);
  drop(own, tree);
}

// What is drawn does not depend on what lies in the slots.
static void step(struct part *part) {
  struct worker *own = &part->worker;
  uint32_t random = drawn(own);
  struct tree **place = &part->own[random / 4 % OWN];
  struct tree **kept = &part->kept[random / 4 / OWN % KEPT];
  if (random % 4 == 0)
    *place = atomic_exchange(&shared[random / 4 / OWN % SHARED], *place);
  if (random % 4 == 1 && *kept == NULL) {
    *kept = *place;
    *place = NULL;
  }
  drop_tree(own, *place);
  *place = new_tree(own, 2, drawn(own) % MOST_CHILDREN);
}

static void *live(void *argument) {
  struct part *part = argument;
  for (int count = 0; count < part->trees; count++)
    step(part);
  for (int index = 0; index < OWN; index++) {
    drop_tree(&part->worker, part->own[index]);
    part->own[index] = NULL;
  }
  for (int index = 0; index < KEPT; index++) {
    drop_tree(&part->worker, atomic_exchange(&shared[index % SHARED], part->kept[index]));
    part->kept[index] = NULL;
  }
  add_up(&part->worker);
  return NULL;
}

void mstress(struct work work) {
  for (int index = 0; index < work.threads; index++) {
    parts[index].worker = new_worker((unsigned)index);
    parts[index].trees = TREES / LIVES / work.share / work.threads;
  }
  for (int life = 0; life < LIVES; life++)
    in_threads(work.threads, live, parts, sizeof *parts);
  struct worker own = new_worker(MOST_THREADS);
  for (int index = 0; index < SHARED; index++)
    drop_tree(&own, shared[index]);
  add_up(&own);
}
