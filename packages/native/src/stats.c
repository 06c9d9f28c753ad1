// stats.c: mallinfo, malloc_stats, malloc_info, mallopt, malloc_trim, and dlmalloc's footprint.
//
// Owns:  the figures, gathered from regions and mappings, and their sentences.
// Needs: the kernel's walk over its pieces; the totals of limits; blocks, start.

#define _GNU_SOURCE
#include "stats.h"
#include "blocks.h"
#include "heaps.h"
#include "line.h"
#include "lock.h"
#include "state.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>

struct figures {
  size_t footprint, max_footprint, regions;
  // What the heaps have of that: the rest are the words of the regions' maps.
  size_t heaps_bytes;
  size_t live, live_bytes, free, free_bytes, cached, cached_bytes, top_bytes;
  struct mapped_total mapped;
};

static void add_heap(Base base, u32 heap, void *arg) {
  struct figures *all = arg;
  all->live += mc_count_of(base, heap, LIVE);
  all->live_bytes += mc_bytes_of(base, heap, LIVE);
  all->free += mc_count_of(base, heap, FREE);
  all->free_bytes += mc_bytes_of(base, heap, FREE);
  all->cached += mc_count_of(base, heap, CACHED);
  all->cached_bytes += mc_bytes_of(base, heap, CACHED);
  all->top_bytes += mc_bytes_of(base, heap, TOP);
}

static size_t free_of(const struct figures *all) { return all->free_bytes + all->cached_bytes + all->top_bytes; }

// What is free in the heap of another thread that lives is not counted: it may be changing. So it counts as used.
static struct figures take_figures(void) {
  struct figures all = {0};
  bool locked = enter();
  each_idle_heap(add_heap, &all);
  for (unsigned index = 0; index < region_count; index++) {
    Base base = regions[index].base;
    all.footprint += mc_malloc_footprint(base, COMMON);
    all.max_footprint += mc_malloc_max_footprint(base, COMMON);
    for (u32 heap = next_heap(base, COMMON); heap != 0; heap = next_heap(base, heap))
      all.heaps_bytes += shared_word(base, heap + AT_FOOTPRINT);
  }
  // A heap that was idle when it was looked at may have been taken since, and have become smaller.
  if (all.heaps_bytes < free_of(&all))
    all.heaps_bytes = free_of(&all);
  all.regions = region_count;
  all.mapped = mapped_total;
  leave(locked);
  return all;
}

static size_t used_of(const struct figures *all) { return all->heaps_bytes - free_of(all); }

EXPORTED struct mallinfo2 mallinfo2(void) {
  struct figures all = take_figures();
  struct mallinfo2 info = {0};
  info.arena = all.heaps_bytes;
  info.ordblks = all.free + all.regions;
  info.smblks = all.cached;
  info.hblks = all.mapped.count;
  info.hblkhd = all.mapped.bytes;
  info.fsmblks = all.cached_bytes;
  info.fordblks = free_of(&all);
  info.uordblks = used_of(&all);
  info.keepcost = all.top_bytes;
  return info;
}

EXPORTED struct mallinfo mallinfo(void) {
  struct mallinfo2 wide = mallinfo2();
  struct mallinfo info = {0};
  info.arena = (int)wide.arena;
  info.ordblks = (int)wide.ordblks;
  info.smblks = (int)wide.smblks;
  info.hblks = (int)wide.hblks;
  info.hblkhd = (int)wide.hblkhd;
  info.fsmblks = (int)wide.fsmblks;
  info.uordblks = (int)wide.uordblks;
  info.fordblks = (int)wide.fordblks;
  info.keepcost = (int)wide.keepcost;
  return info;
}

static void print_bytes(const char *what, size_t bytes) {
  struct line line = {0};
  put(&line, what);
  put_number(&line, bytes, 10);
  print(&line);
}

// The three lines of dlmalloc's malloc_stats.
EXPORTED void malloc_stats(void) {
  struct figures all = take_figures();
  print_bytes("max system bytes = ", all.max_footprint + all.mapped.max_bytes);
  print_bytes("system bytes     = ", all.footprint + all.mapped.bytes);
  print_bytes("in use bytes     = ", used_of(&all) + all.mapped.bytes);
}

static void print_figure(const char *what, size_t bytes, size_t count, const char *unit) {
  struct line line = {0};
  put(&line, "morecore: ");
  put(&line, what);
  put_number(&line, bytes, 12);
  put(&line, " bytes");
  if (unit != NULL) {
    put_number(&line, count, 10);
    put(&line, unit);
  }
  print(&line);
}

void print_stats(void) {
  struct figures all = take_figures();
  print_figure("regions' footprint ", all.footprint, all.regions, settings.sbrk ? " (sbrk)" : " (mmap)");
  print_figure("  at most          ", all.max_footprint, 0, NULL);
  print_figure("live blocks        ", all.live_bytes, all.live, "");
  print_figure("free chunks        ", all.free_bytes, all.free, "");
  print_figure("free blocks of slabs", all.cached_bytes, all.cached, "");
  print_figure("top                ", all.top_bytes, 0, NULL);
  print_figure("own mappings       ", all.mapped.bytes, all.mapped.count, "");
  print_figure("  at most          ", all.mapped.max_bytes, 0, NULL);
}

// glibc's XML, as far as there is something to say.
EXPORTED int malloc_info(int options, FILE *file) {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  struct figures all = take_figures();
  fprintf(file, "<malloc version=\"1\">\n");
  fprintf(file, "<total type=\"fast\" count=\"%zu\" size=\"%zu\"/>\n", all.cached, all.cached_bytes);
  fprintf(file, "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n", all.free + all.regions,
          all.free_bytes + all.top_bytes);
  fprintf(file, "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n", all.mapped.count, all.mapped.bytes);
  fprintf(file, "<system type=\"current\" size=\"%zu\"/>\n", all.footprint);
  fprintf(file, "<system type=\"max\" size=\"%zu\"/>\n", all.max_footprint);
  return fprintf(file, "</malloc>\n") < 0 ? -1 : 0;
}

EXPORTED int malloc_trim(size_t pad) { return long_trim(pad); }

// glibc refuses a larger value of M_MXFAST, and no other value of any parameter.
enum { MOST_FAST = 160 };
// The parameters of <malloc.h> lie between the two.
enum { FIRST_PARAMETER = M_ARENA_MAX, LAST_PARAMETER = M_KEEP };

static bool set_parameter(int parameter, int value) {
  // As in glibc, a negative value is a huge one, and says never.
  size_t size = value < 0 ? UNLIMITED : (size_t)value;
  switch (parameter) {
  case M_TRIM_THRESHOLD: set_trim_threshold(size); break;
  case M_MMAP_THRESHOLD: set_map_threshold(size < OS_PAGE ? OS_PAGE : size); break;
  case M_MMAP_MAX: SHARED_STORE(settings.most_mapped, value < 0 ? 0 : size); break;
  // There is nothing like these here; what glibc takes is taken.
  case M_MXFAST: return size <= MOST_FAST;
  case M_TOP_PAD: break;
  default: return FIRST_PARAMETER <= parameter && parameter <= LAST_PARAMETER && parameter != 0;
  }
  SHARED_STORE(settings.dynamic, false);
  return true;
}

// 1: set, or glibc would have set it; 0: no such parameter, or no such value of it.
EXPORTED int mallopt(int parameter, int value) {
  leave(begin_call());
  bool locked = enter();
  bool is_taken = set_parameter(parameter, value);
  leave(locked);
  return is_taken;
}

EXPORTED size_t malloc_footprint(void) {
  bool locked = enter();
  size_t bytes = footprint();
  leave(locked);
  return bytes;
}

// Regions and mappings need not have had their most at the same time: no less than the peak of both.
EXPORTED size_t malloc_max_footprint(void) {
  bool locked = enter();
  size_t bytes = mapped_total.max_bytes;
  for (unsigned index = 0; index < region_count; index++)
    bytes += mc_malloc_max_footprint(regions[index].base, COMMON);
  leave(locked);
  return bytes;
}

EXPORTED size_t malloc_footprint_limit(void) { return SHARED_LOAD(settings.footprint_limit); }

EXPORTED size_t malloc_set_footprint_limit(size_t bytes) {
  leave(begin_call());
  bool locked = enter();
  SHARED_STORE(settings.footprint_limit, bytes);
  // Without a limit the heaps have none of their own, and share_limit leaves them alone.
  for (unsigned index = 0; index < region_count && bytes == SIZE_MAX; index++)
    set_common_word(regions[index].base, AT_FOOTPRINT_LIMIT, UNLIMITED);
  share_limit();
  leave(locked);
  return bytes;
}
