// extensions: dlmalloc's and glibc's functions beyond the family.

#include "rules.h"

// Makes the footprint as small as it can be, so that a row finds nothing that another left.
static void settle(void) {
  free(hidden(malloc(1)));
  if (malloc_trim)
    malloc_trim(0);
}

static enum verdict in_place_grows(void) {
  NEEDS(realloc_in_place);
  char *ptr = hidden(malloc(LARGE)), *next = hidden(malloc(LARGE)), *guard = hidden(malloc(LARGE));
  stamp(ptr, LARGE, 1);
  free(next);
  EXPECT(realloc_in_place(ptr, LARGE + LARGE / 2) == ptr, "not into the free block behind");
  EXPECT(holds(ptr, LARGE, 1), "it lost contents");
  EXPECT(malloc_usable_size(ptr) >= LARGE + LARGE / 2, "usable are %zu bytes", malloc_usable_size(ptr));
  free(guard);
  free(ptr);
  return says(PASS, "into the free block behind");
}

static enum verdict in_place_refuses(void) {
  NEEDS(realloc_in_place);
  char *ptr = hidden(malloc(LARGE)), *next = hidden(malloc(LARGE));
  stamp(ptr, LARGE, 2);
  errno = 0;
  EXPECT(realloc_in_place(ptr, 2 * LARGE) == NULL, "over a live block");
  EXPECT(errno == ENOMEM, "NULL with errno %d", errno);
  EXPECT(holds(ptr, LARGE, 2), "the block has changed");
  EXPECT(realloc_in_place(hidden(NULL), 100) == NULL, "of NULL it gave a block");
  free(next);
  free(ptr);
  return says(PASS, "NULL, ENOMEM, the block as it was");
}

static enum verdict in_place_shrinks(void) {
  NEEDS(realloc_in_place);
  char *ptr = hidden(malloc(LARGE));
  stamp(ptr, 100, 3);
  EXPECT(realloc_in_place(ptr, 100) == ptr, "it could not");
  EXPECT(holds(ptr, 100, 3), "it lost contents");
  EXPECT(malloc_usable_size(ptr) < LARGE, "usable are still %zu bytes", malloc_usable_size(ptr));
  free(ptr);
  return says(PASS, "where it lies");
}

static enum verdict mallinfo_sums(void) {
  NEEDS(mallinfo);
  free(malloc(50000));
  struct mallinfo before = mallinfo();
  void *ptr = hidden(malloc(50000));
  struct mallinfo with = mallinfo();
  free(ptr);
  struct mallinfo after = mallinfo();
  EXPECT(before.arena == before.uordblks + before.fordblks, "arena is not the sum of used and free");
  EXPECT(with.arena == with.uordblks + with.fordblks, "with a block, arena is not the sum of used and free");
  EXPECT(with.uordblks >= before.uordblks + 50000, "a block of 50000 bytes adds %d", with.uordblks - before.uordblks);
  EXPECT(with.uordblks < before.uordblks + 50100, "a block of 50000 bytes adds %d", with.uordblks - before.uordblks);
  EXPECT(after.uordblks == before.uordblks, "freed, it leaves %d bytes", after.uordblks - before.uordblks);
  EXPECT(with.keepcost <= with.fordblks, "the top chunk is more than all that is free");
  EXPECT(with.hblks == 0 && with.hblkhd == 0, "there are mapped blocks");
  return says(PASS, "arena = uordblks + fordblks");
}

static enum verdict mallinfo2_same(void) {
  NEEDS(mallinfo2);
  NEEDS(mallinfo);
  free(malloc(10));
  free(malloc(50000));
  struct mallinfo narrow = mallinfo();
  struct mallinfo2 wide = mallinfo2();
  // The fields of one are as wide as those of the other in WebAssembly only.
  const int *fields = (const int *)&narrow;
  const size_t *wide_fields = (const size_t *)&wide;
  for (size_t index = 0; index < sizeof narrow / sizeof *fields; index++)
    EXPECT((size_t)fields[index] == wide_fields[index], "field %zu differs from mallinfo's", index);
  return says(PASS, "the same figures");
}

static enum verdict stats_print(void) {
  NEEDS(malloc_stats);
  NEEDS(mallinfo2);
  struct mallinfo2 before = mallinfo2();
  malloc_stats();
  struct mallinfo2 after = mallinfo2();
  EXPECT(memcmp(&before, &after, sizeof before) == 0, "it allocates");
  return says(PASS, "without allocating");
}

static enum verdict trim_lowers(void) {
  NEEDS(malloc_trim);
  NEEDS(malloc_footprint);
  settle();
  // More than any hole can have, and not so much that a native malloc gives it a mapping of its own.
  size_t bytes = malloc_footprint() + 65536 < 120000 ? malloc_footprint() + 65536 : 120000;
  void *ptr = hidden(malloc(bytes));
  free(ptr);
  size_t before = malloc_footprint();
  EXPECT(malloc_trim(0) == 1, "it had nothing to give back");
  EXPECT(malloc_footprint() < before, "the footprint is as it was");
  EXPECT(malloc_trim(0) == 0, "and again it gave back");
  ptr = malloc(bytes);
  EXPECT(ptr != NULL, "and what was given back cannot be got again");
  free(ptr);
  return says(PASS, "1, then 0");
}

static enum verdict footprint_grows(void) {
  NEEDS(malloc_footprint);
  NEEDS(malloc_max_footprint);
  settle();
  size_t before = malloc_footprint();
  void *ptr = hidden(malloc(3 * LARGE));
  size_t with = malloc_footprint();
  EXPECT(with >= before + 2 * LARGE, "it grew by %zu", with - before);
  EXPECT(malloc_max_footprint() >= with, "its peak is below it");
  free(ptr);
  if (malloc_trim)
    malloc_trim(0);
  EXPECT(malloc_max_footprint() >= with, "its peak was forgotten");
  return says(PASS, "with its peak");
}

static enum verdict limit_holds(void) {
  NEEDS(malloc_footprint_limit);
  NEEDS(malloc_set_footprint_limit);
  settle();
  EXPECT(malloc_footprint_limit() == SIZE_MAX, "at first it is %zu", malloc_footprint_limit());
  size_t limit = malloc_footprint() + LARGE;
  EXPECT(malloc_set_footprint_limit(limit) == limit, "setting it gave %zu", malloc_footprint_limit());
  errno = 0;
  EXPECT(hidden(malloc(3 * LARGE)) == NULL, "it does not hold");
  EXPECT(errno == ENOMEM, "NULL with errno %d", errno);
  EXPECT(malloc_footprint() <= limit, "the footprint is %zu", malloc_footprint());
  malloc_set_footprint_limit(SIZE_MAX);
  void *ptr = malloc(3 * LARGE);
  EXPECT(ptr != NULL, "SIZE_MAX does not lift it");
  free(ptr);
  return says(PASS, "NULL, ENOMEM beyond it");
}

static enum verdict limit_zero(void) {
  NEEDS(malloc_set_footprint_limit);
  settle();
  EXPECT(malloc_set_footprint_limit(0) == 0, "setting it gave %zu", malloc_footprint_limit());
  EXPECT(hidden(malloc(2 * LARGE)) == NULL, "it means no limit");
  EXPECT(malloc_footprint_limit() == 0, "it is %zu", malloc_footprint_limit());
  malloc_set_footprint_limit(SIZE_MAX);
  return says(PASS, "never grows");
}

// Whether blocks lie side by side: each begins at the first place behind the one before where a block can begin.
static int are_side_by_side(void **blocks, size_t count, const size_t *sizes) {
  for (size_t index = 1; index < count; index++) {
    size_t gap = (char *)blocks[index] - (char *)blocks[index - 1] - sizes[index - 1];
    if (gap > 2 * _Alignof(max_align_t))
      return 0;
  }
  return 1;
}

enum { COUNT = 8 };

static enum verdict independent_calloc_gives(void) {
  NEEDS(independent_calloc);
  static const size_t SIZES[COUNT] = {40, 40, 40, 40, 40, 40, 40, 40};
  void *used = malloc(2000), *given[COUNT];
  stamp(used, 2000, 7);
  free(used);
  EXPECT(independent_calloc(COUNT, 40, given) == given, "the array that was given is not the answer");
  void **own = independent_calloc(COUNT, 40, NULL);
  EXPECT(own != NULL, "NULL without an array");
  EXPECT(are_side_by_side(given, COUNT, SIZES) && are_side_by_side(own, COUNT, SIZES), "not side by side");
  for (size_t index = 0; index < COUNT; index++)
    EXPECT(is_zero(given[index], 40) && is_zero(own[index], 40), "block %zu is not zero", index);
  for (size_t index = 0; index < COUNT; index++) {
    free(given[index * 3 % COUNT]);
    free(own[index]);
  }
  free(own);
  return says(PASS, "side by side, zero, each freed alone");
}

static enum verdict independent_comalloc_gives(void) {
  NEEDS(independent_comalloc);
  size_t sizes[COUNT] = {1, 100, 16, 0, 5000, 24, 40, 1000};
  void *given[COUNT];
  EXPECT(independent_comalloc(COUNT, sizes, given) == given, "the array that was given is not the answer");
  EXPECT(are_side_by_side(given, COUNT, sizes), "not side by side");
  for (unsigned index = 0; index < COUNT; index++) {
    EXPECT(malloc_usable_size(given[index]) >= sizes[index], "block %u is too small", index);
    stamp(given[index], sizes[index], index);
  }
  for (unsigned index = 0; index < COUNT; index++)
    EXPECT(holds(given[index], sizes[index], index), "block %u was overwritten", index);
  for (size_t index = 0; index < COUNT; index++)
    free(given[index * 3 % COUNT]);
  return says(PASS, "side by side, each freed alone");
}

static enum verdict independent_refuses(void) {
  NEEDS(independent_calloc);
  NEEDS(independent_comalloc);
  void *given[2] = {given, given};
  errno = 0;
  EXPECT(independent_calloc(65536, 65537, NULL) == NULL, "a product that overflows gave blocks");
  EXPECT(errno == ENOMEM, "a product that overflows gave errno %d", errno);
  size_t sums[][2] = {{SIZE_MAX - 100, 200}, {PTRDIFF_MAX, PTRDIFF_MAX}, {PTRDIFF_MAX - 20, PTRDIFF_MAX}};
  for (size_t index = 0; index < sizeof sums / sizeof *sums; index++) {
    errno = 0;
    EXPECT(independent_comalloc(2, sums[index], given) == NULL, "sum %zu, which overflows, gave blocks", index);
    EXPECT(errno == ENOMEM, "sum %zu, which overflows, gave errno %d", index, errno);
  }
  EXPECT(given[0] == given && given[1] == given, "the array was changed");
  return says(PASS, "NULL, ENOMEM, the array untouched");
}

static enum verdict bulk_free_frees(void) {
  NEEDS(bulk_free);
  NEEDS(mallinfo2);
  enum { BLOCKS = 100 };
  void *blocks[BLOCKS];
  // It gives back what earlier rows left unused, too.
  settle();
  size_t before = mallinfo2().uordblks;
  for (size_t index = 0; index < BLOCKS; index++)
    blocks[index] = index % 10 == 0 ? NULL : hidden(malloc(index * 10));
  size_t left = bulk_free(blocks, BLOCKS);
  EXPECT(left == 0, "it left %zu", left);
  for (size_t index = 0; index < BLOCKS; index++)
    EXPECT(blocks[index] == NULL, "entry %zu is not cleared", index);
  EXPECT(mallinfo2().uordblks == before, "not all is free");
  return says(PASS, "all freed and cleared");
}

struct tally {
  char *last_end;
  size_t used_regions, free_regions, used_bytes;
  int in_order;
};

static void visit(void *start, void *end, size_t used, void *argument) {
  struct tally *tally = argument;
  if ((char *)start < tally->last_end || end <= start || used > (size_t)((char *)end - (char *)start))
    tally->in_order = 0;
  tally->last_end = end;
  *(used != 0 ? &tally->used_regions : &tally->free_regions) += 1;
  tally->used_bytes += used;
}

static enum verdict inspect_visits(void) {
  NEEDS(malloc_inspect_all);
  struct tally before = {NULL, 0, 0, 0, 1}, after = before;
  void *small = hidden(malloc(100)), *hole = hidden(malloc(LARGE)), *large = hidden(malloc(5000));
  free(hole);
  malloc_inspect_all(visit, &after);
  free(small);
  free(large);
  malloc_inspect_all(visit, &before);
  EXPECT(before.in_order && after.in_order, "regions overlap, or are out of order");
  EXPECT(after.used_regions == before.used_regions + 2, "it shows %zu used regions for 2 blocks", after.used_regions);
  EXPECT(after.used_bytes >= before.used_bytes + 5100, "it shows %zu used bytes", after.used_bytes);
  EXPECT(after.free_regions >= 2, "it does not show the hole and the top");
  return says(PASS, "every block and hole, in order");
}

static enum verdict mallopt_of(int parameter, int expected) {
  NEEDS(mallopt);
  int answer = mallopt(parameter, 65536);
  EXPECT(answer == expected, "it gave %d", answer);
  return says(PASS, "%d", expected);
}

static enum verdict mallopt_trim_threshold(void) { return mallopt_of(-1, THRESHOLDS); }
static enum verdict mallopt_granularity(void) { return mallopt_of(-2, GRANULARITY); }
static enum verdict mallopt_mmap_threshold(void) { return mallopt_of(-3, THRESHOLDS); }
static enum verdict mallopt_svid(void) { return mallopt_of(1, 0); }

const struct row extension_rows[] = {
    {"A2.realloc_in_place.grows", "`realloc_in_place` grows into free memory", in_place_grows, NULL},
    {"A2.realloc_in_place.refuses", "`realloc_in_place` that cannot: `NULL`, `ENOMEM`, the block as it was", in_place_refuses, NULL},
    {"A2.realloc_in_place.shrinks", "`realloc_in_place` shrinks", in_place_shrinks, NULL},
    {"A2.mallinfo.sums", "`mallinfo`: `arena` = `uordblks` + `fordblks`, and follows the blocks", mallinfo_sums, NULL},
    {"A2.mallinfo2", "`mallinfo2` has the same figures", mallinfo2_same, NULL},
    {"A2.malloc_stats", "`malloc_stats` prints without allocating", stats_print, NULL},
    {"A2.malloc_trim", "`malloc_trim`: 1 if it lowered the footprint, else 0", trim_lowers, NULL},
    {"A2.malloc_footprint", "`malloc_footprint` and its peak", footprint_grows, NULL},
    {"A2.malloc_footprint_limit", "`malloc_set_footprint_limit` holds: `NULL`, `ENOMEM`", limit_holds, NULL},
    {"A2.malloc_footprint_limit.zero", "a limit of 0: the footprint never grows", limit_zero, NULL},
    {"A2.independent_calloc", "`independent_calloc`: side by side, zero, each freed alone", independent_calloc_gives, NULL},
    {"A2.independent_comalloc", "`independent_comalloc`: side by side, each freed alone", independent_comalloc_gives, NULL},
    {"A2.independent.overflow", "both, when the sum is too large: `NULL`, `ENOMEM`, the array untouched", independent_refuses, NULL},
    {"A2.bulk_free", "`bulk_free` frees all, clears the array, skips `NULL`s, gives 0", bulk_free_frees, NULL},
    {"A2.malloc_inspect_all", "`malloc_inspect_all` shows every block and hole, in order", inspect_visits, NULL},
    {"A2.mallopt.trim-threshold", "`mallopt(M_TRIM_THRESHOLD, …)`: " THRESHOLDS_WORD, mallopt_trim_threshold, NULL},
    {"A2.mallopt.granularity", "`mallopt(M_GRANULARITY, …)`: " GRANULARITY_WORD, mallopt_granularity, NULL},
    {"A2.mallopt.mmap-threshold", "`mallopt(M_MMAP_THRESHOLD, …)`: " THRESHOLDS_WORD, mallopt_mmap_threshold, NULL},
    {"A2.mallopt.svid", "`mallopt` with SVID's parameters: 0, not set", mallopt_svid, NULL},
    {NULL, NULL, NULL, NULL}};
