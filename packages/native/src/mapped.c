// mapped.c: blocks with a mapping of their own; a hash table with open addressing tells their sizes.

#define _GNU_SOURCE
#include "mapped.h"
#include "lock.h"
#include "state.h"
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

struct mapping {
  void *ptr;
  size_t bytes;
};

enum { FIRST_LOG2 = 8 };

// 1 << log2 slots, at most half of them in use; a free one has no ptr.
static struct table {
  size_t log2;
  struct mapping slots[];
} *table;

// A store before it is done before one behind it, also for a child that is made in between.
static void in_order(void) { atomic_thread_fence(memory_order_release); }

static size_t slot_count(void) { return table == NULL ? 0 : (size_t)1 << table->log2; }

static size_t table_bytes(size_t log2) { return sizeof *table + (sizeof *table->slots << log2); }

static size_t home_in(const struct table *in, const void *ptr) {
  return ((uintptr_t)ptr / OS_PAGE * 0x9e3779b97f4a7c15u) >> (64 - in->log2);
}

static size_t after(const struct table *in, size_t slot) { return (slot + 1) & (((size_t)1 << in->log2) - 1); }

// The slot of a block, or the free one where it would be put.
static struct mapping *find_in(struct table *in, const void *ptr) {
  size_t slot = home_in(in, ptr);
  while (in->slots[slot].ptr != NULL && in->slots[slot].ptr != ptr)
    slot = after(in, slot);
  return &in->slots[slot];
}

static struct mapping *find(const void *ptr) { return find_in(table, ptr); }

static void *map(size_t bytes) {
  void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return got == MAP_FAILED ? NULL : got;
}

// Makes room for one more. false: no memory.
static bool reserve_slot(void) {
  size_t count = slot_count();
  if (mapped_total.count < count / 2)
    return true;
  struct table *old = table;
  size_t log2 = count == 0 ? FIRST_LOG2 : old->log2 + 1;
  struct table *wider = map(table_bytes(log2));
  if (wider == NULL)
    return false;
  wider->log2 = log2;
  for (size_t slot = 0; slot < count; slot++)
    if (old->slots[slot].ptr != NULL)
      *find_in(wider, old->slots[slot].ptr) = old->slots[slot];
  in_order();
  table = wider;
  if (count != 0)
    munmap(old, table_bytes(old->log2));
  return true;
}

static void put(void *ptr, size_t bytes) {
  struct mapping *mapping = find(ptr);
  mapping->bytes = bytes;
  in_order();
  mapping->ptr = ptr;
  SHARED_STORE(mapped_total.count, mapped_total.count + 1);
}

// Frees a slot; those behind it that would not be found any more move up.
static void drop(struct mapping *mapping) {
  SHARED_STORE(mapped_total.count, mapped_total.count - 1);
  size_t hole = (size_t)(mapping - table->slots);
  for (size_t slot = after(table, hole); table->slots[slot].ptr != NULL; slot = after(table, slot)) {
    size_t home = home_in(table, table->slots[slot].ptr);
    size_t mask = slot_count() - 1;
    if (((slot - home) & mask) < ((slot - hole) & mask))
      continue;
    // The one that is in the hole is dropped, or stands behind, too.
    table->slots[hole].bytes = table->slots[slot].bytes;
    in_order();
    table->slots[hole].ptr = table->slots[slot].ptr;
    in_order();
    hole = slot;
  }
  table->slots[hole].ptr = NULL;
}

static size_t whole_pages(size_t bytes) {
  size_t pages = (bytes + OS_PAGE - 1) & ~(size_t)(OS_PAGE - 1);
  return pages == 0 ? OS_PAGE : pages;
}

// A mapping at a multiple of an alignment that is larger than a page: cut from a longer one.
static void *map_aligned(size_t bytes, size_t alignment) {
  if (bytes > PTRDIFF_MAX - alignment)
    return NULL;
  Base got = map(bytes + alignment);
  if (got == NULL)
    return NULL;
  size_t lead = -(uintptr_t)got & (alignment - 1);
  if (lead != 0)
    munmap(got, lead);
  munmap(got + lead + bytes, alignment - lead);
  return got + lead;
}

void *map_block(size_t bytes, size_t alignment) {
  if (bytes > PTRDIFF_MAX - OS_PAGE || alignment > PTRDIFF_MAX)
    return NULL;
  size_t whole = whole_pages(bytes);
  bool locked = enter();
  int saved = errno;
  void *got = NULL;
  if (reserve_slot() && charge(whole)) {
    got = alignment <= OS_PAGE ? map(whole) : map_aligned(whole, alignment);
    if (got != NULL)
      put(got, whole);
    else
      discharge(whole);
  }
  errno = saved;
  leave(locked);
  return got;
}

// The block's entry; NULL: it is none.
static struct mapping *mapping_of(const void *ptr) {
  struct mapping *found = table == NULL || ptr == NULL ? NULL : find(ptr);
  return found == NULL || found->ptr == NULL ? NULL : found;
}

size_t mapped_size(const void *ptr) {
  bool locked = enter();
  const struct mapping *mapping = mapping_of(ptr);
  size_t bytes = mapping == NULL ? 0 : mapping->bytes;
  leave(locked);
  return bytes;
}

size_t unmap_block(void *ptr) {
  bool locked = enter();
  struct mapping *mapping = mapping_of(ptr);
  size_t bytes = mapping == NULL ? 0 : mapping->bytes;
  if (bytes != 0) {
    drop(mapping);
    int saved = errno;
    munmap(ptr, bytes);
    errno = saved;
    discharge(bytes);
  }
  leave(locked);
  return bytes;
}

static void *remap(struct mapping *mapping, size_t whole, bool may_move) {
  void *ptr = mapping->ptr;
  size_t has = mapping->bytes, more = whole > has ? whole - has : 0;
  if (whole == has)
    return ptr;
  if (more != 0 && !charge(more))
    return NULL;
  int saved = errno;
  void *got = mremap(ptr, has, whole, may_move ? MREMAP_MAYMOVE : 0);
  errno = saved;
  if (got == MAP_FAILED) {
    discharge(more);
    return NULL;
  }
  drop(mapping);
  put(got, whole);
  discharge(has + more - whole);
  return got;
}

void *remap_block(void *ptr, size_t bytes, bool may_move) {
  if (bytes > PTRDIFF_MAX - OS_PAGE)
    return NULL;
  bool locked = enter();
  struct mapping *mapping = mapping_of(ptr);
  void *got = mapping == NULL ? NULL : remap(mapping, whole_pages(bytes), may_move);
  leave(locked);
  return got;
}
