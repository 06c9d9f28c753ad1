// regions.c: where heaps lie, and how they get memory and give it back.
//
// Owns:       the regions.
// Needs:      sbrk, mmap; the lock.
// Invariants: R1  all that the kernel was given of a region lies below its span, and was zero when it was given
//             R2  a span is a multiple of the kernel's unit, so that the kernel knows when what it gets follows
//                 what it had
//             R3  a region that is counted is whole, as is a hole; both are counted last, and a span grows last of all
//
// sbrk's region has what lies between its base and the break. Others may move the break too: the kernel then goes on
// behind theirs. A reserved region is made accessible as it grows, and costs nothing but addresses before.

#define _GNU_SOURCE
#include "heaps.h"
#include "lock.h"
#include "others.h"
#include "state.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

struct hot hot;
struct region regions[MOST_REGIONS];
unsigned region_count;
struct range holes[MOST_HOLES];
unsigned hole_count;

// So often is a region asked for what it had no room for: seldom enough to cost little, and freed memory is found again.
enum { ASKED_AGAIN = 64 };

static const size_t MOST_RESERVED = (size_t)1 << 32, LEAST_RESERVED = (size_t)1 << 18;

// The map has a word for each of the kernel's units; what is common and what begins a heap have less than the second.
enum { MAPPED_BY_A_BYTE = SLAB_UNIT / sizeof(u32), ENDS = 3 * REGION_ALIGNMENT };

// RLIMIT_AS, when it was last asked for.
static rlim_t address_limit = RLIM_INFINITY;

static uintptr_t rounded_up(uintptr_t value, uintptr_t unit) { return (value + unit - 1) & ~(unit - 1); }

void set_hot(void) {
  if (region_count == 0)
    return;
  hot.base = regions[0].base;
  SHARED_STORE(hot.span, regions[0].span);
  set_hot_limit();
}

// The bit of a small size in a region's `full_small`; 0: it is none.
static u64 small_bit(size_t bytes) {
  size_t granules = (bytes + GRANULE - 1) / GRANULE;
  return granules < 64 ? (u64)1 << granules : 0;
}

// Where the first region has no room for some small sizes, every request goes the long way, and 0 bytes fail there.
void set_hot_limit(void) {
  size_t full = regions[0].full_small != 0 ? 1 : regions[0].full;
  if (hot.base != NULL)
    SHARED_STORE(hot.limit, settings.map_threshold < full ? settings.map_threshold : full);
}

static bool is_full(const struct region *region, size_t bytes) {
  u64 bit = small_bit(bytes);
  return bit != 0 ? (SHARED_LOAD(region->full_small) & bit) != 0 : bytes >= SHARED_LOAD(region->full);
}

bool is_passed(struct region *region, size_t bytes) {
  if (!is_full(region, bytes))
    return false;
  return __atomic_add_fetch(&region->passed, 1, __ATOMIC_RELAXED) % ASKED_AGAIN != 0;
}

void note_room(struct region *region, size_t bytes, bool had_room) {
  if (had_room != is_full(region, bytes))
    return;
  u64 bit = small_bit(bytes);
  bool locked = enter();
  if (had_room) {
    SHARED_STORE(region->full_small, 0);
    SHARED_STORE(region->full, SIZE_MAX);
  } else if (bit != 0)
    SHARED_STORE(region->full_small, region->full_small | bit);
  else
    SHARED_STORE(region->full, bytes);
  if (region == regions)
    set_hot_limit();
  leave(locked);
}

static void widen(struct region *region, size_t span) {
  // Behind a hole the short way does not look.
  if (region == regions && hot.span == region->span && hole_count == 0)
    SHARED_STORE(hot.span, span);
  SHARED_STORE(region->span, span);
}

// Moves the break so that `bytes` of it are ours, from a multiple of the unit on, and gives that. NULL: refused.
static Base move_break(Base base, size_t bytes) {
  Base now = sbrk(0);
  if (now == (Base)-1 || now < base)
    return NULL;
  size_t skipped = rounded_up((uintptr_t)now, REGION_ALIGNMENT) - (uintptr_t)now;
  // If another thread moved it in between, what was got is of no use; that it is lost is better than a second try for
  // ever.
  return sbrk((intptr_t)(skipped + bytes)) == (void *)now ? now + skipped : NULL;
}

static u32 grow_by_sbrk(struct region *region, u32 bytes) {
  uintptr_t now = (uintptr_t)sbrk(0);
  size_t from = rounded_up(now, REGION_ALIGNMENT) - (uintptr_t)region->base;
  if (now < (uintptr_t)region->base + region->span || from > ADDRESS_END || bytes > ADDRESS_END - from)
    return 0;
  if (from != region->span && hole_count == MOST_HOLES)
    return 0;
  Base got = move_break(region->base, bytes);
  if (got == NULL)
    return 0;
  from = (size_t)(got - region->base);
  if (from != region->span) {
    holes[hole_count] = (struct range){region->base + region->span, from - region->span};
    SHARED_STORE(hole_count, hole_count + 1);
  }
  widen(region, from + bytes);
  return (u32)from;
}

// Asks for RLIMIT_AS. If the program has lowered it, reservations from before may be more than it leaves.
// What is not in use of them is given back, and the system says of each new one whether it is allowed.
static void ask_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == address_limit)
    return;
  bool is_lower = limit.rlim_cur < address_limit;
  address_limit = limit.rlim_cur;
  for (unsigned index = 0; index < region_count && is_lower; index++) {
    struct region *region = &regions[index];
    if (region->reserved > region->span && munmap(region->base + region->span, region->reserved - region->span) == 0)
      region->reserved = region->span;
  }
}

static u32 grow_reserved(struct region *region, u32 bytes) {
  size_t from = region->span;
  ask_limit();
  if (bytes > region->reserved - from || mprotect(region->base + from, bytes, PROT_READ | PROT_WRITE) != 0)
    return 0;
  widen(region, from + bytes);
  return (u32)from;
}

// The region that begins there, which may not be counted yet.
static struct region *region_at(Base base) {
  struct region *region = regions;
  while (region->base != base)
    region++;
  return region;
}

u32 kernel_grow(Base base, u32 bytes) {
  int saved = errno;
  bool locked = enter();
  struct region *region = region_at(base);
  u32 from = region->reserved == 0 ? grow_by_sbrk(region, bytes) : grow_reserved(region, bytes);
  leave(locked);
  errno = saved;
  return from;
}

u32 kernel_pages(Base base) { return (u32)(SHARED_LOAD(region_at(base)->span) >> 16); }

// The heap may use it again at any time; until then it is nobody's memory. What it reads then is zero.
void kernel_release(Base base, u32 from, u32 to) {
  uintptr_t first = rounded_up((uintptr_t)base + from, OS_PAGE);
  uintptr_t end = ((uintptr_t)base + to) & ~(uintptr_t)(OS_PAGE - 1);
  if (first >= end)
    return;
  int saved = errno;
  madvise((void *)first, end - first, MADV_DONTNEED);
  errno = saved;
}

bool is_resident(Base base, u32 from, u32 to) {
  unsigned char pages[256];
  uintptr_t at = rounded_up((uintptr_t)base + from, OS_PAGE);
  uintptr_t end = ((uintptr_t)base + to) & ~(uintptr_t)(OS_PAGE - 1);
  int saved = errno;
  bool any = false;
  for (size_t bytes; at < end && !any; at += bytes) {
    bytes = end - at < sizeof pages * OS_PAGE ? end - at : sizeof pages * OS_PAGE;
    bool known = mincore((void *)at, bytes, pages) == 0;
    for (size_t page = 0; page < bytes / OS_PAGE; page++)
      any |= !known || (pages[page] & 1) != 0;
  }
  errno = saved;
  return any;
}

static bool begin_by_sbrk(struct region *region) {
  Base base = move_break(NULL, REGION_ALIGNMENT);
  if (base == NULL)
    return false;
  *region = (struct region){.base = base, .span = REGION_ALIGNMENT, .full = SIZE_MAX};
  return true;
}

// As much as one heap can have, or a fair part of what the process may.
static size_t most_reserved(void) {
  ask_limit();
  size_t part = address_limit / 4 & ~(size_t)(REGION_ALIGNMENT - 1);
  return address_limit == RLIM_INFINITY || part > MOST_RESERVED ? MOST_RESERVED : part;
}

// Addresses at a multiple of the unit, cut from more. NULL: refused.
static Base reserve(size_t bytes) {
  Base got = mmap(NULL, bytes + REGION_ALIGNMENT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED)
    return NULL;
  Base base = (Base)rounded_up((uintptr_t)got, REGION_ALIGNMENT);
  if (base != got)
    munmap(got, (size_t)(base - got));
  munmap(base + bytes, REGION_ALIGNMENT - (size_t)(base - got));
  return base;
}

static bool begin_reserved(struct region *region, size_t least) {
  size_t bytes = most_reserved();
  for (; bytes >= LEAST_RESERVED && bytes >= least; bytes = (bytes / 2) & ~(size_t)(REGION_ALIGNMENT - 1)) {
    Base base = reserve(bytes);
    if (base == NULL)
      continue;
    *region = (struct region){.base = base, .span = REGION_ALIGNMENT, .reserved = bytes, .full = SIZE_MAX};
    if (mprotect(base, REGION_ALIGNMENT, PROT_READ | PROT_WRITE) == 0)
      return true;
    munmap(base, bytes);
    return false;
  }
  return false;
}

// Up to which address a region's memory may come. What is common has a map of all that. Of a large region, whose map would
// have whole pages of the kernel's, so much is left out that the map and the header together have them.
static u32 most_of(const struct region *region) {
  size_t bytes = region->reserved != 0 ? region->reserved : most_reserved();
  size_t header = (COMMON + COMMON_BYTES + CACHE_LINE) * (size_t)MAPPED_BY_A_BYTE;
  return (u32)(bytes / MAPPED_BY_A_BYTE < REGION_ALIGNMENT ? bytes : bytes - rounded_up(header, REGION_ALIGNMENT));
}

bool open_region(bool by_sbrk, size_t least) {
  if (region_count == MOST_REGIONS)
    return false;
  int saved = errno;
  struct region *region = &regions[region_count];
  bool is_there = (by_sbrk && begin_by_sbrk(region)) || begin_reserved(region, least + least / MAPPED_BY_A_BYTE + ENDS);
  errno = saved;
  if (!is_there || mc_begin_shared(region->base, COMMON, most_of(region)) == 0)
    return false;
  apply_settings(region->base);
  SHARED_STORE(region_count, region_count + 1);
  favour(region);
  return true;
}

// The addresses are kept, for blocks of them may still be freed.
void abandon_regions(void) {
  for (unsigned index = 0; index < region_count; index++)
    abandon(regions[index].base, regions[index].span);
  region_count = hole_count = 0;
  hot = (struct hot){0};
  forget_heaps();
  if (open_region(false, 0))
    set_hot();
}
