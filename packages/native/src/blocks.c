// blocks.c: the long ways to a block and back.

#include "blocks.h"
#include "heaps.h"
#include "lock.h"
#include "mapped.h"
#include "misuse.h"
#include "others.h"
#include "state.h"
#include "trace.h"
#include <errno.h>

// glibc's bounds of the threshold.
static const size_t MOST_THRESHOLD = (size_t)32 << 20;

// What a region's first heap and the words of its map take at once.
enum { LEAST_REGION = 2 * REGION_ALIGNMENT };

// What an allocation is asked for.
struct request {
  size_t bytes, alignment;
  bool zeroed;
};

static u32 take(Base base, u32 heap, const struct request *request) {
  u32 bytes = (u32)request->bytes;
  if (request->alignment > ALIGNMENT)
    return mc_memalign(base, heap, (u32)request->alignment, bytes);
  return request->zeroed ? mc_calloc(base, heap, 1, bytes) : mc_malloc(base, heap, bytes);
}

static bool fits_a_region(const struct request *request) {
  return request->bytes <= MAX_REQUEST && request->alignment <= REGION_ALIGNMENT;
}

static size_t needed_for(const struct request *request) {
  return request->alignment > ALIGNMENT ? request->bytes + request->alignment : request->bytes;
}

static void *from_region(struct region *region, const struct request *request, size_t needed) {
  u32 heap = heap_in(region);
  u32 at = heap == 0 ? 0 : take(region->base, heap, request);
  note_room(region, needed, at != 0);
  return at == 0 ? NULL : region->base + at;
}

bool has_one_more(unsigned count, size_t needed) {
  bool locked = enter();
  bool has = region_count > count;
  // What the region and its first heap have, whatever the limit, is counted before they are there.
  if (!has && charge(needed + LEAST_REGION)) {
    has = open_region(false, needed) && heap_in(&regions[count]) != 0;
    discharge(needed + LEAST_REGION);
  }
  leave(locked);
  return has;
}

// From the regions that there are, or one more. Those that have been full are passed, unless nothing else is left.
static void *from_regions(const struct request *request) {
  if (!fits_a_region(request))
    return NULL;
  size_t needed = needed_for(request);
  unsigned count = regions_now();
  void *got = NULL;
  for (unsigned index = 0; index < count && got == NULL; index++)
    if (!is_passed(&regions[index], needed))
      got = from_region(&regions[index], request, needed);
  if (got == NULL && has_one_more(count, needed))
    got = from_region(&regions[count], request, needed);
  for (unsigned index = 0; index < count && got == NULL; index++)
    got = from_region(&regions[index], request, needed);
  return got;
}

static void *from_anywhere(const struct request *request) {
  size_t bytes = request->bytes, alignment = request->alignment;
  bool is_mapped =
      bytes >= SHARED_LOAD(settings.map_threshold) && SHARED_LOAD(mapped_total.count) < SHARED_LOAD(settings.most_mapped);
  bool is_large = is_mapped || alignment > REGION_ALIGNMENT;
  void *got = is_large ? map_block(bytes, alignment) : from_regions(request);
  if (got != NULL)
    return got;
  // The other way, whatever the reason: too many mappings, or no place for a region.
  if (is_large)
    return alignment > REGION_ALIGNMENT ? NULL : from_regions(request);
  return map_block(bytes, alignment);
}

struct trim {
  u32 pad;
  bool any;
};

static void trim_heap(Base base, u32 heap, void *arg) {
  struct trim *trim = arg;
  trim->any |= mc_malloc_trim(base, heap, trim->pad) != 0;
}

// Takes what heaps keep at their ends out of the footprint, as far as no other thread is using them. false: they keep nothing.
static bool trim_heaps(size_t pad) {
  struct trim trim = {pad > MAX_REQUEST ? MAX_REQUEST : (u32)pad, false};
  each_idle_heap(trim_heap, &trim);
  return trim.any;
}

// From any of the regions, each of which may have what is left of the limit when it is asked.
static void *from_favourites(const struct request *request) {
  void *got = NULL;
  for (unsigned index = 0, count = fits_a_region(request) ? regions_now() : 0; index < count && got == NULL; index++) {
    bool locked = enter();
    favour(&regions[index]);
    leave(locked);
    got = from_region(&regions[index], request, needed_for(request));
  }
  return got;
}

// What one heap keeps at its end, another or a mapping may need, if all have one limit; and what one region may have, another.
static void *within_the_limit(const struct request *request) {
  bool any = trim_heaps(0);
  if (!any && regions_now() < 2)
    return NULL;
  void *got = from_favourites(request);
  return got != NULL ? got : from_anywhere(request);
}

struct last_try {
  const struct request *request;
  void *got;
};

static void take_from(Base base, u32 heap, void *arg) {
  struct last_try *last = arg;
  u32 at = last->got != NULL ? 0 : take(base, heap, last->request);
  if (at != 0)
    last->got = base + at;
}

static SELDOM void *as_a_last_resort(const struct request *request) {
  void *got = SHARED_LOAD(settings.footprint_limit) == SIZE_MAX ? NULL : within_the_limit(request);
  if (got != NULL || !fits_a_region(request))
    return got;
  // What threads that have ended left between their blocks.
  struct last_try last = {request, NULL};
  each_idle_heap(take_from, &last);
  return last.got;
}

static void *allocate(size_t bytes, size_t alignment, bool zeroed) {
  struct request request = {bytes, alignment, zeroed};
  void *got = from_anywhere(&request);
  return LIKELY(got != NULL) ? got : as_a_last_resort(&request);
}

// Lets the threshold follow a mapping that was freed.
static SELDOM void raise_threshold(size_t bytes) {
  bool locked = enter();
  // mallopt may have come in between.
  if (settings.dynamic && bytes > settings.map_threshold)
    set_map_threshold(bytes);
  leave(locked);
}

// false: it was none.
static bool give_back_mapped(void *ptr) {
  size_t bytes = unmap_block(ptr);
  if (SHARED_LOAD(settings.dynamic) && bytes > SHARED_LOAD(settings.map_threshold) && bytes <= MOST_THRESHOLD)
    raise_threshold(bytes);
  return bytes != 0;
}

// The owner of an address that lies in no region and has no mapping of ours.
static enum owner other_owner(void *ptr) {
  enum owner owner = owner_of(ptr);
  if (owner == NOBODY)
    misuse(bytes_outside(ptr), ptr);
  return owner;
}

static void give_back(void *ptr) {
  struct region *region = region_of(ptr);
  if (LIKELY(region != NULL))
    mc_free(region->base, heap_or_common(region), at_of(region, ptr));
  else if (!give_back_mapped(ptr) && other_owner(ptr) == C_LIBRARY)
    library_free(ptr);
}

static size_t usable_size(void *ptr) {
  struct region *region = region_of(ptr);
  if (region != NULL)
    return mc_malloc_usable_size(region->base, heap_or_common(region), at_of(region, ptr));
  size_t bytes = mapped_size(ptr);
  return bytes != 0 ? bytes : size_at_owner(other_owner(ptr), ptr);
}

void *long_malloc(size_t bytes) {
  bool locked = begin_call();
  void *got = allocate(bytes, ALIGNMENT, false);
  if (UNLIKELY(tracing) && got != NULL)
    trace_taken(TRACE_MALLOC, got, bytes, 0);
  end_visit();
  leave(locked);
  return got;
}

void *long_calloc(size_t bytes) {
  bool locked = begin_call();
  void *got = allocate(bytes, ALIGNMENT, true);
  if (UNLIKELY(tracing) && got != NULL)
    trace_taken(TRACE_CALLOC, got, bytes, 0);
  end_visit();
  leave(locked);
  return got;
}

void *long_memalign(size_t alignment, size_t bytes) {
  bool locked = begin_call();
  void *got = allocate(bytes, alignment, false);
  if (UNLIKELY(tracing) && got != NULL)
    trace_taken(TRACE_ALIGNED, got, bytes, alignment);
  end_visit();
  leave(locked);
  return got;
}

void long_free(void *ptr) {
  if (ptr == NULL)
    return;
  bool locked = begin_call();
  if (UNLIKELY(tracing))
    trace_given_back(ptr);
  give_back(ptr);
  leave(locked);
}

// Another block with the contents of this one, which is given back. NULL: no memory, and it is as it was.
static void *moved(void *ptr, size_t has, size_t bytes) {
  void *got = allocate(bytes, ALIGNMENT, false);
  if (got == NULL)
    return NULL;
  memcpy(got, ptr, has < bytes ? has : bytes);
  give_back(ptr);
  return got;
}

static void *resize_mapped(void *ptr, size_t has, size_t bytes) {
  // A block that has become small does not keep a mapping, and shrinking fails only for want of another place.
  if (bytes < SHARED_LOAD(settings.map_threshold) / 2) {
    void *got = moved(ptr, has, bytes);
    if (got != NULL)
      return got;
  }
  return remap_block(ptr, bytes, true);
}

static void *resize_others(void *ptr, size_t bytes) {
  enum owner owner = other_owner(ptr);
  return owner == C_LIBRARY ? library_realloc(ptr, bytes) : moved(ptr, size_at_owner(owner, ptr), bytes);
}

static void *resize(void *ptr, size_t bytes) {
  struct region *region = region_of(ptr);
  if (region == NULL) {
    size_t has = mapped_size(ptr);
    return has == 0 ? resize_others(ptr, bytes) : resize_mapped(ptr, has, bytes);
  }
  u32 at = at_of(region, ptr), heap = heap_in(region);
  if (heap != 0 && bytes < SHARED_LOAD(settings.map_threshold)) {
    u32 got = mc_realloc(region->base, heap, at, (u32)bytes);
    if (got != 0)
      return region->base + got;
  } else if (heap != 0 && bytes <= MAX_REQUEST && mc_realloc_in_place(region->base, heap, at, (u32)bytes) != 0)
    return ptr;
  return moved(ptr, usable_size(ptr), bytes);
}

void *long_realloc(void *ptr, size_t bytes) {
  bool locked = begin_call();
  calling = "realloc";
  // The block's number is looked up before its address may be another's.
  void *got = resize(ptr, bytes);
  calling = NULL;
  if (UNLIKELY(tracing) && got != NULL)
    trace_resized(ptr, got, bytes);
  end_visit();
  leave(locked);
  return got;
}

void *long_realloc_in_place(void *ptr, size_t bytes) {
  bool locked = begin_call();
  struct region *region = region_of(ptr);
  void *got = NULL;
  calling = "realloc_in_place";
  if (region == NULL) {
    size_t has = usable_size(ptr);
    if (mapped_size(ptr) != 0)
      got = remap_block(ptr, bytes, false);
    else if (bytes <= has)
      got = ptr;
  } else if (bytes <= MAX_REQUEST && heap_in(region) != 0 &&
             mc_realloc_in_place(region->base, heap_in(region), at_of(region, ptr), (u32)bytes) != 0)
    got = ptr;
  calling = NULL;
  if (UNLIKELY(tracing) && got != NULL && bytes != 0)
    trace_resized(ptr, got, bytes);
  end_visit();
  leave(locked);
  return got;
}

// Of a block that lies in no region. A mapping of its own has whole pages: a size within the last of them cannot be told
// from the right one. What others rounded up to is unknown.
static void check_size_outside(void *ptr, size_t bytes) {
  size_t has = mapped_size(ptr);
  bool is_short = has != 0 && has >= bytes && has - bytes >= OS_PAGE + (bytes == 0);
  if (is_short || bytes > usable_size(ptr))
    misuse(SIZE_MISMATCH, ptr);
}

void long_free_sized(void *ptr, size_t bytes, const char *call) {
  if (ptr == NULL)
    return;
  bool locked = begin_call();
  calling = call;
  struct region *region = region_of(ptr);
  if (region == NULL)
    check_size_outside(ptr, bytes);
  else if (bytes > MAX_REQUEST)
    misuse(SIZE_MISMATCH, ptr);
  if (UNLIKELY(tracing))
    trace_given_back(ptr);
  if (region != NULL)
    mc_free_sized(region->base, heap_or_common(region), at_of(region, ptr), (u32)bytes);
  else
    give_back(ptr);
  calling = NULL;
  leave(locked);
}

void long_free_aligned_sized(void *ptr, size_t alignment, size_t bytes) {
  static const char CALL[] = "free_aligned_sized";
  if (ptr == NULL)
    return;
  bool locked = begin_call();
  calling = CALL;
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || ((uintptr_t)ptr & (alignment - 1)) != 0)
    misuse(ALIGNMENT_MISMATCH, ptr);
  calling = NULL;
  leave(locked);
  long_free_sized(ptr, bytes, CALL);
}

size_t long_usable_size(void *ptr, const char *call) {
  if (ptr == NULL)
    return 0;
  bool locked = begin_call();
  calling = call;
  size_t bytes = usable_size(ptr);
  calling = NULL;
  leave(locked);
  return bytes;
}

size_t long_good_size(size_t bytes) {
  if (bytes > PTRDIFF_MAX - OS_PAGE)
    return 0;
  bool locked = begin_call();
  bool is_large = bytes >= SHARED_LOAD(settings.map_threshold) || regions_now() == 0;
  size_t whole = (bytes + OS_PAGE - 1) & ~(size_t)(OS_PAGE - 1);
  size_t good = is_large ? whole : mc_malloc_good_size(regions[0].base, heap_or_common(&regions[0]), (u32)bytes);
  leave(locked);
  return good;
}

// Lets the system have the whole pages inside free chunks. Their header, links and footer stay. *arg: whether it had not all.
static void release_holes(Base base, u32 heap, void *arg) {
  enum { LINKS = 12, FOOT = 4 };
  bool *any = arg;
  for (u32 at = mc_first_piece(base, heap); at != 0; at = mc_next_piece(base, heap, at)) {
    u32 bytes = mc_piece_bytes(base, heap, at);
    if (mc_piece_state(base, heap, at) != FREE || bytes < 2 * OS_PAGE)
      continue;
    *any |= is_resident(base, at + LINKS, at + bytes - FOOT);
    kernel_release(base, at + LINKS, at + bytes - FOOT);
  }
}

int long_trim(size_t pad) {
  bool locked = begin_call();
  bool any = trim_heaps(pad);
  each_idle_heap(release_holes, &any);
  leave(locked);
  return any;
}
