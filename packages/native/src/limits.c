// limits.c: one limit for all regions and mappings.
//
// Owns:  what mappings have together; mapped.c counts.
// Needs: each region's own limit, which the kernel keeps to. To be called from inside the lock.

#include "state.h"

struct mapped_total mapped_total;

size_t footprint(void) {
  size_t bytes = mapped_total.bytes;
  for (unsigned index = 0; index < region_count; index++)
    bytes += mc_malloc_footprint(regions[index].base, COMMON);
  return bytes;
}

size_t allowance(void) {
  if (settings.footprint_limit == SIZE_MAX)
    return SIZE_MAX;
  size_t bytes = footprint();
  return bytes < settings.footprint_limit ? settings.footprint_limit - bytes : 0;
}

void share_limit(void) {
  if (settings.footprint_limit == SIZE_MAX)
    return;
  size_t more = allowance();
  for (unsigned index = 0; index < region_count; index++) {
    Base base = regions[index].base;
    size_t most = mc_malloc_footprint(base, COMMON) + more;
    set_common_word(base, AT_FOOTPRINT_LIMIT, most < UNLIMITED ? (u32)most : UNLIMITED);
  }
}
