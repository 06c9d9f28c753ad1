// iso: the rules of ISO C (C23) and what libraries rely on beyond its words.

#include "rules.h"
#include <stdalign.h>
#include <stdio.h>

static enum verdict malloc_aligns(void) {
  void *kept[8] = {NULL};
  for (size_t bytes = 1; bytes <= 4096; bytes += 1 + bytes / 8) {
    void *ptr = malloc(bytes);
    EXPECT(ptr != NULL, "malloc(%zu) gave NULL", bytes);
    EXPECT(is_aligned(ptr, alignof(max_align_t)), "malloc(%zu) is not aligned", bytes);
    free(kept[bytes % 8]);
    kept[bytes % 8] = ptr;
  }
  for (int index = 0; index < 8; index++)
    free(kept[index]);
  return says(PASS, "multiples of %zu", alignof(max_align_t));
}

static enum verdict malloc_does_not_overlap(void) {
  enum { BLOCKS = 200 };
  void *blocks[BLOCKS];
  for (unsigned index = 0; index < BLOCKS; index++) {
    size_t bytes = index * index % 977 + 1;
    EXPECT((blocks[index] = malloc(bytes)) != NULL, "malloc(%zu) gave NULL", bytes);
    stamp(blocks[index], bytes, index);
  }
  for (unsigned index = 0; index < BLOCKS; index++)
    EXPECT(holds(blocks[index], index * index % 977 + 1, index), "block %u was overwritten", index);
  for (unsigned index = 0; index < BLOCKS; index++)
    free(blocks[index]);
  return says(PASS, "%d blocks", BLOCKS);
}

static enum verdict malloc_zero(void) {
  void *first = malloc(opaque_zero), *second = malloc(opaque_zero);
  EXPECT(first != NULL && second != NULL, "NULL");
  EXPECT(first != second, "the same address twice");
  free(first);
  free(second);
  return says(PASS, "two blocks of their own");
}

static enum verdict malloc_no_memory(void) {
  errno = 0;
  EXPECT(hidden(malloc(TOO_MUCH)) == NULL, "got more than the memory has");
  EXPECT(errno == ENOMEM, "NULL with errno %d", errno);
  void *ptr = malloc(100);
  EXPECT(ptr != NULL, "and after it malloc(100) gave NULL");
  free(ptr);
  return says(PASS, "NULL, ENOMEM");
}

static enum verdict malloc_largest(void) {
  static const size_t SIZES[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX - 65536, SIZE_MAX - 16, SIZE_MAX};
  for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
    errno = 0;
    EXPECT(hidden(malloc(SIZES[index] - opaque_zero)) == NULL, "malloc(%zu) gave a block", SIZES[index]);
    EXPECT(errno == ENOMEM, "malloc(%zu) gave NULL with errno %d", SIZES[index], errno);
  }
  return says(PASS, "NULL, ENOMEM");
}

static enum verdict free_null(void) {
  free(hidden(NULL));
  return says(PASS, "nothing happens");
}

static enum verdict calloc_used(void) {
  static const size_t SIZES[] = {1, 24, 100, 1000, 5000, 70000, LARGE};
  for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
    void *used = hidden(malloc(SIZES[index]));
    stamp(used, SIZES[index], 9);
    free(used);
    void *zeroed = hidden(calloc(SIZES[index], 1));
    EXPECT(zeroed != NULL, "calloc(%zu, 1) gave NULL", SIZES[index]);
    EXPECT(is_zero(zeroed, SIZES[index]), "calloc(%zu, 1) is not all zero", SIZES[index]);
    free(zeroed);
  }
  return says(PASS, "all zero");
}

static enum verdict calloc_fresh(void) {
  void *small = hidden(calloc(10, 10)), *large = hidden(calloc(LARGE, 2));
  EXPECT(small != NULL && large != NULL, "NULL");
  EXPECT(is_zero(small, 100) && is_zero(large, 2 * LARGE), "not all zero");
  free(small);
  free(large);
  return says(PASS, "all zero");
}

static enum verdict calloc_overflow(void) {
  static const size_t PAIRS[][2] = {
      {SIZE_MAX / 4 + 2, 4}, {HALF, HALF}, {HALF + 1, HALF + 1}, {SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX, SIZE_MAX}};
  for (size_t index = 0; index < sizeof PAIRS / sizeof *PAIRS; index++) {
    size_t count = PAIRS[index][0] - opaque_zero, bytes = PAIRS[index][1];
    errno = 0;
    EXPECT(hidden(calloc(count, bytes)) == NULL, "calloc(%zu, %zu) gave a block", count, bytes);
    EXPECT(errno == ENOMEM, "calloc(%zu, %zu) gave NULL with errno %d", count, bytes, errno);
  }
  return says(PASS, "NULL, ENOMEM");
}

static enum verdict calloc_zero(void) {
  void *first = calloc(opaque_zero, 10), *second = calloc(10, opaque_zero);
  EXPECT(first != NULL && second != NULL, "NULL");
  EXPECT(first != second, "the same address twice");
  free(first);
  free(second);
  return says(PASS, "two blocks of their own");
}

static enum verdict realloc_null(void) {
  void *ptr = realloc(hidden(NULL), 100);
  EXPECT(ptr != NULL, "NULL");
  stamp(ptr, 100, 1);
  free(ptr);
  return says(PASS, "a new block");
}

static enum verdict realloc_contents(void) {
  static const size_t SIZES[] = {10, 100, 30, 5000, 4000, LARGE, 70000, 2 * LARGE, 1};
  size_t has = 1;
  char *ptr = malloc(has);
  stamp(ptr, has, 3);
  for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
    void *neighbour = hidden(malloc(50));
    ptr = realloc(ptr, SIZES[index]);
    EXPECT(ptr != NULL, "realloc to %zu gave NULL", SIZES[index]);
    EXPECT(holds(ptr, has < SIZES[index] ? has : SIZES[index], 3), "realloc to %zu lost contents", SIZES[index]);
    stamp(ptr, has = SIZES[index], 3);
    if (index % 2 == 0)
      free(neighbour);
  }
  free(ptr);
  return says(PASS, "kept over %zu sizes", sizeof SIZES / sizeof *SIZES);
}

static enum verdict realloc_zero(void) {
  void *ptr = hidden(malloc(100)), *other = malloc(opaque_zero);
  void *got = realloc(ptr, opaque_zero);
  EXPECT(got != NULL, "NULL");
  EXPECT(got != other, "another block's address");
  free(got);
  free(other);
  return says(PASS, "a smallest block");
}

static enum verdict realloc_no_memory(void) {
  static const size_t SIZES[] = {TOO_MUCH, (size_t)PTRDIFF_MAX + 1, SIZE_MAX};
  char *ptr = hidden(malloc(1000));
  stamp(ptr, 1000, 5);
  for (size_t index = 0; index < sizeof SIZES / sizeof *SIZES; index++) {
    errno = 0;
    EXPECT(hidden(realloc(ptr, SIZES[index])) == NULL, "realloc to %zu gave a block", SIZES[index]);
    EXPECT(errno == ENOMEM, "realloc to %zu gave NULL with errno %d", SIZES[index], errno);
    EXPECT(holds(ptr, 1000, 5), "realloc to %zu changed the block", SIZES[index]);
  }
  ptr = realloc(ptr, 2000);
  EXPECT(ptr != NULL && holds(ptr, 1000, 5), "and after it the block is no longer one");
  free(ptr);
  return says(PASS, "NULL, ENOMEM, the block as it was");
}

static enum verdict aligned_alloc_aligns(void) {
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    void *ptr = aligned_alloc(alignment, alignment * 2);
    EXPECT(ptr != NULL, "aligned_alloc(%zu, %zu) gave NULL", alignment, alignment * 2);
    EXPECT(is_aligned(ptr, alignment), "aligned_alloc(%zu, %zu) is not aligned", alignment, alignment * 2);
    stamp(ptr, alignment * 2, 2);
    free(ptr);
  }
  return says(PASS, "powers of two to 65536");
}

static enum verdict aligned_alloc_any_size(void) {
  void *ptr = aligned_alloc(64, 10), *empty = aligned_alloc(64, opaque_zero);
  EXPECT(ptr != NULL && empty != NULL, "NULL");
  EXPECT(is_aligned(ptr, 64) && is_aligned(empty, 64), "not aligned");
  free(ptr);
  free(empty);
  return says(PASS, "sizes 0 and 10 at 64");
}

static enum verdict aligned_alloc_invalid(void) {
  static const size_t ALIGNMENTS[] = {0, 3, 24, 48, 100, SIZE_MAX};
  for (size_t index = 0; index < sizeof ALIGNMENTS / sizeof *ALIGNMENTS; index++) {
    size_t alignment = ALIGNMENTS[index] + opaque_zero;
    errno = 0;
    EXPECT(hidden(aligned_alloc(alignment, 96)) == NULL, "aligned_alloc(%zu, 96) gave a block", alignment);
    EXPECT(errno == EINVAL, "aligned_alloc(%zu, 96) gave NULL with errno %d", alignment, errno);
  }
  return says(PASS, "NULL, EINVAL");
}

static enum verdict aligned_alloc_no_memory(void) {
  static const size_t ARGUMENTS[][2] = {{64, TOO_MUCH}, {64, SIZE_MAX - 63}, {SIZE_MAX / 2 + 1, 10},
                                         {SIZE_MAX / 4 + 1, 10}};
  for (size_t index = 0; index < sizeof ARGUMENTS / sizeof *ARGUMENTS; index++) {
    size_t alignment = ARGUMENTS[index][0] + opaque_zero, bytes = ARGUMENTS[index][1];
    errno = 0;
    EXPECT(hidden(aligned_alloc(alignment, bytes)) == NULL, "aligned_alloc(%zu, %zu) gave a block", alignment, bytes);
    EXPECT(errno == ENOMEM, "aligned_alloc(%zu, %zu) gave NULL with errno %d", alignment, bytes, errno);
  }
  return says(PASS, "NULL, ENOMEM");
}

static enum verdict aligned_realloc(void) {
  char *neighbour = malloc(10);
  char *ptr = hidden(aligned_alloc(4096, 1000));
  EXPECT(ptr != NULL, "NULL");
  stamp(ptr, 1000, 6);
  free(neighbour);
  ptr = realloc(ptr, 9000);
  EXPECT(ptr != NULL && holds(ptr, 1000, 6), "grown, it lost contents");
  ptr = realloc(ptr, 500);
  EXPECT(ptr != NULL && holds(ptr, 500, 6), "shrunk, it lost contents");
  free(ptr);
  return says(PASS, "as any block");
}

static enum verdict free_sized_frees(void) {
  NEEDS(free_sized);
  for (size_t bytes = 0; bytes < 3000; bytes = bytes * 2 + 1)
    free_sized(hidden(malloc(bytes)), bytes);
  free_sized(hidden(calloc(7, 9)), 63);
  free_sized(hidden(realloc(malloc(10), 500)), 500);
  free_sized(hidden(NULL), 100);
  return says(PASS, "of malloc, calloc, realloc, NULL");
}

static enum verdict free_aligned_sized_frees(void) {
  NEEDS(free_aligned_sized);
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2)
    free_aligned_sized(hidden(aligned_alloc(alignment, 3 * alignment)), alignment, 3 * alignment);
  free_aligned_sized(hidden(NULL), 64, 100);
  return says(PASS, "of aligned_alloc, NULL");
}

static enum verdict library_blocks(void) {
  char *copy = strdup("a copy"), *part = strndup("a part", 3), *printed = NULL;
  EXPECT(copy != NULL && part != NULL, "NULL");
  EXPECT(asprintf(&printed, "%d printed", 1) == 9, "asprintf failed");
  EXPECT(malloc_usable_size(copy) >= 7 && malloc_usable_size(part) >= 3, "they are no blocks of this heap");
  EXPECT(malloc_usable_size(printed) >= 10, "asprintf's is no block of this heap");
  copy = realloc(copy, 100);
  EXPECT(copy != NULL && strcmp(copy, "a copy") == 0, "realloc lost the copy");
  free(copy);
  free(part);
  free(printed);
  return says(PASS, "strdup, strndup, asprintf");
}

const struct row iso_rows[] = {
    {"A1.malloc.aligned", "every block is aligned for `max_align_t`", malloc_aligns, NULL},
    {"A1.malloc.apart", "blocks do not overlap", malloc_does_not_overlap, NULL},
    {"A1.malloc.zero", "`malloc(0)` is a block of its own", malloc_zero, NULL},
    {"A1.malloc.no-memory", "no memory: `NULL`, `ENOMEM`, and the heap goes on", malloc_no_memory, NULL},
    {"A1.malloc.largest", "above `PTRDIFF_MAX`: `NULL`, `ENOMEM`", malloc_largest, NULL},
    {"A1.free.null", "`free(NULL)` does nothing", free_null, NULL},
    {"A1.calloc.used", "`calloc` clears memory that was used", calloc_used, NULL},
    {"A1.calloc.fresh", "`calloc` of fresh memory is zero", calloc_fresh, NULL},
    {"A1.calloc.overflow", "`calloc` whose product overflows: `NULL`, `ENOMEM`", calloc_overflow, NULL},
    {"A1.calloc.zero", "`calloc(0, n)` and `calloc(n, 0)` are blocks of their own", calloc_zero, NULL},
    {"A1.realloc.null", "`realloc(NULL, n)` is `malloc(n)`", realloc_null, NULL},
    {"A1.realloc.contents", "`realloc` keeps the contents", realloc_contents, NULL},
    {"A1.realloc.zero", "`realloc(p, 0)` gives a smallest block, not `NULL`", realloc_zero, NULL},
    {"A1.realloc.no-memory", "a `realloc` that fails: `NULL`, `ENOMEM`, the block as it was", realloc_no_memory, NULL},
    {"A1.aligned_alloc.aligned", "`aligned_alloc` aligns", aligned_alloc_aligns, NULL},
    {"A1.aligned_alloc.any-size", "`aligned_alloc` takes any size (C23)", aligned_alloc_any_size, NULL},
    {"A1.aligned_alloc.invalid", "`aligned_alloc`, no power of two: `NULL`, `EINVAL`", aligned_alloc_invalid, NULL},
    {"A1.aligned_alloc.no-memory", "`aligned_alloc`, no memory: `NULL`, `ENOMEM`", aligned_alloc_no_memory, NULL},
    {"A1.aligned_alloc.realloc", "an aligned block can be given to `realloc` and `free`", aligned_realloc, NULL},
    {"A1.free_sized", "`free_sized` (C23) frees, and takes `NULL`", free_sized_frees, NULL},
    {"A1.free_aligned_sized", "`free_aligned_sized` (C23) frees, and takes `NULL`", free_aligned_sized_frees, NULL},
    {"A1.library", "what the C library allocates is of this heap", library_blocks, NULL},
    {NULL, NULL, NULL, NULL}};
