// trace-blocks.c: the live blocks of a trace, each with its slot: a hash table from addresses to slots, and a stack of the
// released ones.

#define _GNU_SOURCE
#include "trace-blocks.h"
#include <sys/mman.h>

struct slot {
  void *ptr;
  size_t bytes;
};

enum { FIRST_LOG2 = 12 };

struct slot_totals slot_totals;

// All three have room for 1 << log2 slots; the table for twice as many, so that half of it is free. A cell has a slot's
// number and 1, or 0.
static unsigned log2_room;
static struct slot *slots;
static uint32_t *released, *table;
static uint32_t released_count;

static size_t cell_mask(void) { return ((size_t)2 << log2_room) - 1; }

static size_t home_of(const void *ptr) {
  return ((uintptr_t)ptr / 16 * 0x9e3779b97f4a7c15u) >> (63 - log2_room);
}

static size_t cell_of(const void *ptr) {
  size_t cell = home_of(ptr);
  while (table[cell] != 0 && slots[table[cell] - 1].ptr != ptr)
    cell = (cell + 1) & cell_mask();
  return cell;
}

static void *map(size_t bytes) {
  void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return got == MAP_FAILED ? NULL : got;
}

// An array with room for twice as many, the old ones in it. The old mapping is gone.
static void *doubled(void *old, size_t bytes) {
  void *got = mremap(old, bytes, 2 * bytes, MREMAP_MAYMOVE);
  return got == MAP_FAILED ? NULL : got;
}

static bool widen(void) {
  bool is_first = slots == NULL;
  size_t room = (size_t)1 << (is_first ? FIRST_LOG2 : log2_room);
  uint32_t *wider = map(sizeof *table * 2 * room * (is_first ? 1 : 2));
  slots = is_first ? map(sizeof *slots * room) : doubled(slots, sizeof *slots * room);
  released = is_first ? map(sizeof *released * room) : doubled(released, sizeof *released * room);
  if (wider == NULL || slots == NULL || released == NULL)
    return false;
  if (!is_first)
    munmap(table, sizeof *table * 2 * room);
  table = wider;
  log2_room = is_first ? FIRST_LOG2 : log2_room + 1;
  // It is called when all slots are taken.
  for (uint32_t slot = 0; slot < slot_totals.count; slot++)
    table[cell_of(slots[slot].ptr)] = slot + 1;
  return true;
}

static void add_bytes(size_t before, size_t bytes) {
  slot_totals.live_bytes += bytes - before;
  slot_totals.total_bytes += bytes;
  if (slot_totals.live_bytes > slot_totals.peak_bytes)
    slot_totals.peak_bytes = slot_totals.live_bytes;
}

static void put(uint32_t slot, void *ptr, size_t bytes) {
  slots[slot] = (struct slot){ptr, bytes};
  table[cell_of(ptr)] = slot + 1;
}

// Frees a cell; those behind it that would not be found any more move up.
static void drop(void *ptr) {
  size_t hole = cell_of(ptr);
  for (size_t cell = (hole + 1) & cell_mask(); table[cell] != 0; cell = (cell + 1) & cell_mask()) {
    size_t home = home_of(slots[table[cell] - 1].ptr);
    if (((cell - home) & cell_mask()) < ((cell - hole) & cell_mask()))
      continue;
    table[hole] = table[cell];
    hole = cell;
  }
  table[hole] = 0;
}

uint32_t take_slot(void *ptr, size_t bytes) {
  if (released_count == 0 && (slots == NULL || slot_totals.count == (uint32_t)1 << log2_room) && !widen())
    return NO_SLOT;
  uint32_t slot = released_count > 0 ? released[--released_count] : slot_totals.count++;
  put(slot, ptr, bytes);
  add_bytes(0, bytes);
  return slot;
}

uint32_t slot_of(void *ptr) {
  if (slots == NULL)
    return NO_SLOT;
  uint32_t found = table[cell_of(ptr)];
  return found == 0 ? NO_SLOT : found - 1;
}

void move_slot(uint32_t slot, void *ptr, size_t bytes) {
  add_bytes(slots[slot].bytes, bytes);
  drop(slots[slot].ptr);
  put(slot, ptr, bytes);
}

void release_slot(uint32_t slot) {
  slot_totals.live_bytes -= slots[slot].bytes;
  drop(slots[slot].ptr);
  slots[slot].ptr = NULL;
  released[released_count++] = slot;
}
