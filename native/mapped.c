// mapped.c: blocks with a mapping of their own; a hash table with open addressing tells their sizes.

#define _GNU_SOURCE
#include "mapped.h"
#include "state.h"
#include <errno.h>
#include <sys/mman.h>

struct mapping {
  void *ptr;
  size_t bytes;
};

enum { FIRST_LOG2 = 8 };

// 1 << log2 places, at most half of them in use; a free one has no ptr.
static struct table {
  struct mapping *places;
  unsigned log2;
} table;

struct mapped_total mapped_total;

static size_t place_count(void) { return table.places == NULL ? 0 : (size_t)1 << table.log2; }

static size_t home_of(const void *ptr) {
  return ((uintptr_t)ptr / OS_PAGE * 0x9e3779b97f4a7c15u) >> (64 - table.log2);
}

static size_t after(size_t place) { return (place + 1) & (place_count() - 1); }

// The place of a block, or the free one where it would be put.
static struct mapping *find(const void *ptr) {
  size_t place = home_of(ptr);
  while (table.places[place].ptr != NULL && table.places[place].ptr != ptr)
    place = after(place);
  return &table.places[place];
}

static void *map(size_t bytes) {
  void *got = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return got == MAP_FAILED ? NULL : got;
}

// Makes room for one more. false: no memory.
static bool reserve_place(void) {
  if (table.places != NULL && mapped_total.count < place_count() / 2)
    return true;
  struct table old = table;
  size_t count = place_count();
  unsigned log2 = count == 0 ? FIRST_LOG2 : old.log2 + 1;
  struct mapping *places = map(sizeof *places << log2);
  if (places == NULL)
    return false;
  table = (struct table){places, log2};
  for (size_t place = 0; place < count; place++)
    if (old.places[place].ptr != NULL)
      *find(old.places[place].ptr) = old.places[place];
  if (count != 0)
    munmap(old.places, sizeof *old.places << old.log2);
  return true;
}

static void put(void *ptr, size_t bytes) {
  *find(ptr) = (struct mapping){ptr, bytes};
  mapped_total.count++;
  mapped_total.bytes += bytes;
  if (mapped_total.bytes > mapped_total.max_bytes)
    mapped_total.max_bytes = mapped_total.bytes;
  share_limit();
}

// Frees a place; those behind it that would not be found any more move up.
static void drop(struct mapping *mapping) {
  mapped_total.count--;
  mapped_total.bytes -= mapping->bytes;
  size_t hole = (size_t)(mapping - table.places);
  for (size_t place = after(hole); table.places[place].ptr != NULL; place = after(place)) {
    size_t home = home_of(table.places[place].ptr);
    size_t mask = place_count() - 1;
    if (((place - home) & mask) < ((place - hole) & mask))
      continue;
    table.places[hole] = table.places[place];
    hole = place;
  }
  table.places[hole].ptr = NULL;
  share_limit();
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
  if (whole > allowance())
    return NULL;
  int saved = errno;
  void *got = NULL;
  if (reserve_place())
    got = alignment <= OS_PAGE ? map(whole) : map_aligned(whole, alignment);
  errno = saved;
  if (got != NULL)
    put(got, whole);
  return got;
}

size_t mapped_size(const void *ptr) { return table.places == NULL || ptr == NULL ? 0 : find(ptr)->bytes * (find(ptr)->ptr != NULL); }

void unmap_block(void *ptr) {
  struct mapping *mapping = find(ptr);
  size_t bytes = mapping->bytes;
  drop(mapping);
  int saved = errno;
  munmap(ptr, bytes);
  errno = saved;
}

void *remap_block(void *ptr, size_t bytes, bool may_move) {
  if (bytes > PTRDIFF_MAX - OS_PAGE)
    return NULL;
  struct mapping *mapping = find(ptr);
  size_t whole = whole_pages(bytes);
  if (whole == mapping->bytes)
    return ptr;
  if (whole > mapping->bytes && whole - mapping->bytes > allowance())
    return NULL;
  int saved = errno;
  void *got = mremap(ptr, mapping->bytes, whole, may_move ? MREMAP_MAYMOVE : 0);
  errno = saved;
  if (got == MAP_FAILED)
    return NULL;
  drop(mapping);
  put(got, whole);
  return got;
}

void each_mapped(void (*visit)(void *ptr, size_t bytes, void *arg), void *arg) {
  for (size_t place = 0; place < place_count(); place++)
    if (table.places[place].ptr != NULL)
      visit(table.places[place].ptr, table.places[place].bytes, arg);
}
