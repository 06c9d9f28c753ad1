// bulk.c: dlmalloc's functions on many blocks at once, and its walk over all.
//
// Gives:  dlmalloc's calls on many blocks.
// Needs:  the kernel's own, whose lists are arrays of 32-bit addresses in a region; blocks.h for what lies elsewhere.
//
// The blocks of one call lie side by side, so in one region, whatever the threshold for mappings.

#include "blocks.h"
#include "heaps.h"
#include "lock.h"
#include "state.h"
#include "trace.h"
#include <errno.h>

// What is asked for: `count` zeroed blocks of `bytes`, or, if there are sizes, blocks of these.
struct order {
  size_t count, bytes;
  const size_t *sizes;
};

// An array in a region. 0: no memory.
static u32 take_list(Base base, u32 heap, size_t count) {
  return count > MAX_REQUEST / sizeof(u32) ? 0 : mc_malloc(base, heap, (u32)(count * sizeof(u32)));
}

static void set_entry(Base base, u32 list, size_t index, u32 value) {
  i32_store(base, list + (u32)(index * sizeof(u32)), value);
}

// The blocks' addresses, in an array that is to be freed. 0: no memory.
static u32 take(Base base, u32 heap, const struct order *order) {
  if (order->sizes == NULL)
    return mc_independent_calloc(base, heap, (u32)order->count, (u32)order->bytes, 0);
  u32 sizes = take_list(base, heap, order->count);
  if (sizes == 0)
    return 0;
  for (size_t index = 0; index < order->count; index++)
    set_entry(base, sizes, index, (u32)order->sizes[index]);
  u32 list = mc_independent_comalloc(base, heap, (u32)order->count, sizes, 0);
  mc_free(base, heap, sizes);
  return list;
}

// Moves the addresses to the caller's array.
static void hand_over(Base base, u32 heap, u32 list, const struct order *order, void **result) {
  for (size_t index = 0; index < order->count; index++) {
    result[index] = base + i32_load(base, list + (u32)(index * sizeof(u32)));
    if (UNLIKELY(tracing))
      trace_taken(order->sizes == NULL ? TRACE_CALLOC : TRACE_MALLOC, result[index],
                  order->sizes == NULL ? order->bytes : order->sizes[index], 0);
  }
  mc_free(base, heap, list);
}

static bool take_in(const struct region *region, const struct order *order, void **result) {
  u32 heap = heap_in(region);
  u32 list = heap == 0 ? 0 : take(region->base, heap, order);
  if (list != 0)
    hand_over(region->base, heap, list, order, result);
  return list != 0;
}

// In one of the regions that there are, or in one more.
static bool take_anywhere(const struct order *order, void **result) {
  bool locked = begin_call(), is_done = false;
  unsigned count = regions_now();
  for (unsigned index = 0; index < count && !is_done; index++)
    is_done = take_in(&regions[index], order, result);
  if (!is_done && has_one_more(count, 0))
    is_done = take_in(&regions[count], order, result);
  end_visit();
  leave(locked);
  return is_done;
}

static void **independent(const struct order *order, void **given) {
  void **result = given != NULL ? given : long_malloc(order->count * sizeof(void *));
  if (result == NULL || order->count == 0 || take_anywhere(order, result))
    return result;
  if (given == NULL)
    long_free(result);
  return NULL;
}

static void **or_no_memory(void **got) {
  if (got == NULL)
    errno = ENOMEM;
  return got;
}

EXPORTED void **independent_calloc(size_t count, size_t bytes, void **given) {
  struct order order = {count, bytes, NULL};
  size_t total;
  bool is_much = __builtin_mul_overflow(count, bytes, &total) || total > MAX_REQUEST || count > MAX_REQUEST;
  return or_no_memory(is_much ? NULL : independent(&order, given));
}

EXPORTED void **independent_comalloc(size_t count, const size_t *sizes, void **given) {
  struct order order = {count, 0, sizes};
  size_t total = 0;
  bool is_much = count > MAX_REQUEST;
  for (size_t index = 0; index < count && !is_much; index++)
    is_much = __builtin_add_overflow(total, sizes[index], &total) || total > MAX_REQUEST;
  return or_no_memory(is_much ? NULL : independent(&order, given));
}

// Frees those blocks of an array that lie in a region, and clears their entries. Without memory for a list it does nothing.
static void free_in(struct region *region, void **array, size_t count) {
  size_t found = 0;
  for (size_t index = 0; index < count; index++)
    found += array[index] != NULL && region_of(array[index]) == region;
  u32 heap = found == 0 ? 0 : heap_in(region);
  u32 list = heap == 0 ? 0 : take_list(region->base, heap, found);
  if (list == 0)
    return;
  found = 0;
  for (size_t index = 0; index < count; index++) {
    if (array[index] == NULL || region_of(array[index]) != region)
      continue;
    if (UNLIKELY(tracing))
      trace_given_back(array[index]);
    set_entry(region->base, list, found++, at_of(region, array[index]));
    array[index] = NULL;
  }
  mc_bulk_free(region->base, heap, list, (u32)found);
  mc_free(region->base, heap, list);
  // The list may have been the only block of a slab.
  mc_bulk_free(region->base, heap, list, 0);
}

// All are looked at before the first is freed, and before a list could lie where a block was.
EXPORTED size_t bulk_free(void **array, size_t count) {
  for (size_t index = 0; index < count; index++)
    long_usable_size(array[index], "bulk_free");
  bool locked = begin_call();
  for (unsigned index = 0, regions_there = regions_now(); index < regions_there; index++)
    free_in(&regions[index], array, count);
  end_visit();
  leave(locked);
  for (size_t index = 0; index < count; index++) {
    long_free(array[index]);
    array[index] = NULL;
  }
  return 0;
}

typedef void visitor(void *start, void *end, size_t used, void *arg);

struct visit {
  visitor *visit;
  void *arg;
};

// The kernel's own pieces are passed over. A piece with a header begins one word before its payload. Another thread may free a
// block while it is looked at: so it is not asked about as if it were surely live.
static void visit_piece(Base base, u32 heap, u32 at, const struct visit *visit) {
  u32 state = mc_piece_state(base, heap, at);
  u32 start = (at + HEADER_WORD) & ~(u32)(ALIGNMENT - 1), end = at + mc_piece_bytes(base, heap, at);
  if (state != OVERHEAD && start < end)
    visit->visit(base + start, base + end, state == LIVE ? end - start : 0, visit->arg);
}

static void visit_heap(Base base, u32 heap, void *arg) {
  for (u32 at = mc_first_piece(base, heap), next; at != 0; at = next) {
    next = mc_next_piece(base, heap, at);
    visit_piece(base, heap, at, arg);
  }
}

// As dlmalloc's: without blocks that have a mapping of their own. Nor does it see the heaps of other threads that live: they
// may be changing them. `visit` must not allocate or free.
EXPORTED void malloc_inspect_all(visitor *visit, void *arg) {
  struct visit each = {visit, arg};
  bool locked = begin_call();
  each_idle_heap(visit_heap, &each);
  leave(locked);
}
