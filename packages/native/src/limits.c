// limits.c: one limit for all regions and mappings.
//
// Owns:       what mappings have together, and how much of the limit each region has, which the kernel keeps to.
// Needs:      the kernel's limit of each region. To be called from inside the lock.
// Invariants: A1  what regions may have, or have, and what mappings have, is together no more than the limit; but for
//                 a map's words, and what regions and mappings had before it was set
//
// One region at a time, the favourite, may take all that is left; others may have what they had when they were looked at. Threads
// grow without the lock. So a region's limit is lowered first, and then it is looked at what it has: the kernel sees the one, or
// this sees the other.

#include "state.h"

struct mapped_total mapped_total;

static unsigned favourite;

size_t footprint(void) {
  size_t bytes = mapped_total.bytes;
  for (unsigned index = 0; index < region_count; index++)
    bytes += mc_malloc_footprint(regions[index].base, COMMON);
  return bytes;
}

static void set_limit(const struct region *region, size_t bytes) {
  set_common_word(region->base, AT_FOOTPRINT_LIMIT, bytes < UNLIMITED ? (u32)bytes : UNLIMITED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// Lowers a region's limit to what it has. What it may have from now on, or has.
static size_t held_by(const struct region *region) {
  size_t most = mc_malloc_footprint(region->base, COMMON);
  set_limit(region, most);
  size_t has = mc_malloc_footprint(region->base, COMMON);
  return has > most ? has : most;
}

void share_limit(void) {
  size_t left = settings.footprint_limit;
  if (left == SIZE_MAX || favourite >= region_count)
    return;
  left -= mapped_total.bytes < left ? mapped_total.bytes : left;
  for (unsigned index = 0; index < region_count; index++) {
    size_t held = index == favourite ? 0 : held_by(&regions[index]);
    left -= held < left ? held : left;
  }
  set_limit(&regions[favourite], left);
}

void favour(const struct region *region) {
  favourite = (unsigned)(region - regions);
  share_limit();
}

bool charge(size_t bytes) {
  if (bytes > PTRDIFF_MAX - mapped_total.bytes)
    return false;
  mapped_total.bytes += bytes;
  share_limit();
  if (settings.footprint_limit != SIZE_MAX && footprint() > settings.footprint_limit) {
    discharge(bytes);
    return false;
  }
  if (mapped_total.bytes > mapped_total.max_bytes)
    mapped_total.max_bytes = mapped_total.bytes;
  return true;
}

void discharge(size_t bytes) {
  mapped_total.bytes -= bytes;
  share_limit();
}
