// state.h: what the library keeps of its own, beside the heaps, and what its files share.
//
// Owns:  `hot` and `own_heap`, which every call reads; the regions.
// Needs: kernel.h.
//
// A region is a stretch of addresses that the threads share, by the kernel's rules: each has a heap of its own in it. The
// first is got by sbrk, or is reserved by mmap; when it is full, or the system refuses, others are reserved. Nothing but the
// heaps lies in a region below its `span`, but for the holes in that of sbrk.
//
// Regions come and never go while threads run, so whoever looks for one needs no lock: one that is counted is whole.

#ifndef STATE_H
#define STATE_H

#include "kernel.h"

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define EXPORTED __attribute__((visibility("default")))
#define SELDOM __attribute__((noinline, cold))

enum { ALIGNMENT = 16, OS_PAGE = 4096 };

// The first region, for the short way through malloc and free. All is 0 until the library has started, and while a
// trace is recorded: then every call goes the long way.
struct hot {
  Base base;
  // A request of less is for the region. Others have a mapping of their own, or the region may have no room for them.
  size_t limit;
  // Addresses below base + span are the region's, and nobody else's.
  size_t span;
};
extern struct hot hot;
// This thread's heap in the first region; 0: it has none yet.
extern __thread u32 own_heap;

struct region {
  Base base;
  size_t span;
  // What is reserved; 0: it grows by sbrk.
  size_t reserved;
  // What the region had no room for when it was last asked: a bit for each small size, in granules, and larger ones from this
  // size on. How many such requests have passed it since.
  u64 full_small;
  size_t full;
  unsigned passed;
};

enum { MOST_REGIONS = 1024, REGION_ALIGNMENT = 65536 };
extern struct region regions[MOST_REGIONS];
extern unsigned region_count;

// Where somebody else has moved the break: stretches inside the first region that are not ours.
struct range {
  Base from;
  size_t bytes;
};
enum { MOST_HOLES = 64 };
extern struct range holes[MOST_HOLES];
extern unsigned hole_count;

static inline bool is_among(const void *ptr, const struct range *ranges, unsigned count) {
  for (unsigned index = 0; index < count; index++)
    if ((size_t)((Base)ptr - ranges[index].from) < ranges[index].bytes)
      return true;
  return false;
}

// What one thread stores under the lock, and others read without it.
#define SHARED_LOAD(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define SHARED_STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

static inline unsigned regions_now(void) { return SHARED_LOAD(region_count); }

// The region that an address lies in, or NULL. A hole is there before the span that has it.
static inline struct region *region_of(const void *ptr) {
  for (unsigned index = 0, count = regions_now(); index < count; index++)
    if ((size_t)((Base)ptr - regions[index].base) < SHARED_LOAD(regions[index].span))
      return UNLIKELY(SHARED_LOAD(hole_count) != 0) && is_among(ptr, holes, hole_count) ? NULL : &regions[index];
  return NULL;
}

static inline u32 at_of(const struct region *region, const void *ptr) { return (u32)((Base)ptr - region->base); }

// A word of a heap that may not be whole; 0 where there is none.
static inline u32 safe_word(Base base, size_t span, u64 at) {
  return at % sizeof(u32) == 0 && at <= span - sizeof(u32) ? i32_load(base, at) : 0;
}

// The bytes of each block of the slab that an address lies in; 0: it lies in none. As src/kernel/units.ts has it.
static inline u32 slab_block_bytes(Base base, size_t span, u32 at) {
  if (at - COMMON >= common_word(base, AT_MAPPED))
    return 0;
  u32 unit = safe_word(base, span, common_word(base, AT_MAP) + (at >> SLAB_UNIT_LOG2) * (u32)sizeof(u32));
  u32 slab = unit & (FREE_UNIT | OF_CHUNKS) ? 0 : unit & ~UNIT_FLAGS;
  u32 shape = safe_word(base, span, (u64)slab + SLAB_SHAPE), first = safe_word(base, span, (u64)slab + SLAB_FIRST);
  u32 bytes = (shape >> SHAPE_CLASS_SHIFT & SHAPE_CLASS) << GRANULE_LOG2;
  return slab != 0 && at - first < bytes * (shape >> SHAPE_BLOCKS_SHIFT) ? bytes : 0;
}

// regions.c: but for is_passed and is_resident, and what the kernel calls, to be called from inside the lock.
// Begins another region, in which a heap may come to have `least` bytes. false: the system refuses, or there are too many.
bool open_region(bool by_sbrk, size_t least);
// Leaves all regions as they are, for good, and begins another.
void abandon_regions(void);
// Takes `hot` from the first region and the options.
void set_hot(void);
// Lets the short way go where a request of so many bytes has its place, if there is one.
void set_hot_limit(void);
// Whether a region is to be passed, for it has had no room for such a request. Now and then it is not: there may be room again.
bool is_passed(struct region *region, size_t bytes);
// Keeps whether a region had room for a request. Takes the lock if that is new.
void note_room(struct region *region, size_t bytes, bool had_room);
// Whether a whole OS page between two offsets takes memory. Those that were given back, or never written, do not.
bool is_resident(Base base, u32 from, u32 to);

// start.c
// Starts the library if nobody has, and enters if a trace is recorded: that has one order of calls. Gives what `leave` wants.
bool begin_call(void);

// settings.c
struct settings {
  bool sbrk;
  bool stats;
  bool zero_realloc_frees;
  // Whether the threshold follows what is freed, as in glibc.
  bool dynamic;
  size_t map_threshold;
  // How many blocks may have a mapping of their own while a region has room for them.
  size_t most_mapped;
  u32 growth_step, advance_log2, small_limit, trim_threshold;
  // What regions and mappings may have together; SIZE_MAX: no limit.
  size_t footprint_limit;
};
extern struct settings settings;
void read_settings(void);
// A variable of the environment; NULL where another user's program runs with more rights than we have.
const char *secure_setting(const char *name);
// Puts the settings where the heaps of a new region will find them.
void apply_settings(Base base);
void set_map_threshold(size_t bytes);
void set_trim_threshold(size_t bytes);

// limits.c
// What blocks with a mapping of their own have together.
extern struct mapped_total {
  size_t count, bytes, max_bytes;
} mapped_total;
// What regions and mappings have.
size_t footprint(void);
// Counts bytes of mappings, before they are got. false: the limit forbids it.
bool charge(size_t bytes);
void discharge(size_t bytes);
// Lets the regions' own limits follow the settings, and what others have.
void share_limit(void);
// Lets a region, which is counted, have what is left of the limit.
void favour(const struct region *region);

// misuse.c
// Says what was done wrong, by which call and where, and aborts.
_Noreturn void misuse(u32 code, const void *ptr);
// The call that is inside; NULL: malloc or free, which are too short to say so.
extern __thread const char *calling;

#endif
