// posix: the rules of POSIX.1-2024, and of BSD, SVID, glibc and macOS.

#include "rules.h"


static enum verdict free_keeps_errno(void) {
  void *small = hidden(malloc(10)), *large = hidden(malloc(LARGE));
  errno = 77;
  free(small);
  free(large);
  free(hidden(NULL));
  EXPECT(errno == 77, "errno is %d", errno);
  return says(PASS, "errno as it was");
}

static enum verdict posix_memalign_aligns(void) {
  for (size_t alignment = sizeof(void *); alignment <= SYSTEM_PAGE; alignment *= 2) {
    void *ptr = NULL;
    int error = posix_memalign(&ptr, alignment, 100);
    EXPECT(error == 0 && ptr != NULL, "alignment %zu gave error %d", alignment, error);
    EXPECT(is_aligned(ptr, alignment), "alignment %zu is not kept", alignment);
    free(ptr);
  }
  return says(PASS, "powers of two from %zu to %d", sizeof(void *), SYSTEM_PAGE);
}

static enum verdict posix_memalign_invalid(void) {
  static const size_t ALIGNMENTS[] = {0, 1, 2, 3, 6, 12, 24, 100, SIZE_MAX};
  for (size_t index = 0; index < sizeof ALIGNMENTS / sizeof *ALIGNMENTS; index++) {
    void *untouched = (void *)ALIGNMENTS, *ptr = untouched;
    int error = posix_memalign(&ptr, ALIGNMENTS[index], 100);
    EXPECT(error == EINVAL, "alignment %zu gave %d", ALIGNMENTS[index], error);
    EXPECT(ptr == untouched, "alignment %zu changed *memptr", ALIGNMENTS[index]);
  }
  return says(PASS, "EINVAL, *memptr untouched");
}

static enum verdict posix_memalign_no_memory(void) {
  static const size_t ARGUMENTS[][2] = {{64, TOO_MUCH}, {64, SIZE_MAX}, {SIZE_MAX / 2 + 1, 10}, {SIZE_MAX / 4 + 1, SIZE_MAX / 2}};
  for (size_t index = 0; index < sizeof ARGUMENTS / sizeof *ARGUMENTS; index++) {
    void *untouched = (void *)ARGUMENTS, *ptr = untouched;
    int error = posix_memalign(&ptr, ARGUMENTS[index][0], ARGUMENTS[index][1]);
    EXPECT(error == ENOMEM, "(%zu, %zu) gave %d", ARGUMENTS[index][0], ARGUMENTS[index][1], error);
    EXPECT(ptr == untouched, "(%zu, %zu) changed *memptr", ARGUMENTS[index][0], ARGUMENTS[index][1]);
  }
  return says(PASS, "ENOMEM, *memptr untouched");
}

static enum verdict posix_memalign_errno(void) {
  void *ptr = NULL;
  errno = 77;
  posix_memalign(&ptr, 24, 100);
  posix_memalign(&ptr, 64, TOO_MUCH);
  EXPECT(errno == 77, "errno is %d", errno);
  return says(PASS, "errno as it was");
}

static enum verdict posix_memalign_zero(void) {
  void *ptr = NULL;
  EXPECT(posix_memalign(&ptr, 64, opaque_zero) == 0, "an error");
  EXPECT(ptr != NULL && is_aligned(ptr, 64), "no aligned block");
  free(ptr);
  return says(PASS, "a block of its own");
}

static enum verdict reallocarray_product(void) {
  int *numbers = reallocarray(hidden(NULL), 100, sizeof *numbers);
  EXPECT(numbers != NULL && malloc_usable_size(numbers) >= 100 * sizeof *numbers, "no block of 100 numbers");
  stamp(numbers, 100 * sizeof *numbers, 4);
  numbers = reallocarray(numbers, 5000, sizeof *numbers);
  EXPECT(numbers != NULL && holds(numbers, 100 * sizeof *numbers, 4), "it lost contents");
  free(numbers);
  return says(PASS, "as realloc to the product");
}

static enum verdict reallocarray_overflow(void) {
  static const size_t PAIRS[][2] = {{SIZE_MAX / 4 + 2, 4}, {HALF, HALF}, {2, SIZE_MAX}, {HALF, HALF / 8 * 5}};
  void *ptr = hidden(malloc(100));
  stamp(ptr, 100, 8);
  for (size_t index = 0; index < sizeof PAIRS / sizeof *PAIRS; index++) {
    errno = 0;
    void *got = reallocarray(ptr, PAIRS[index][0], PAIRS[index][1]);
    EXPECT(got == NULL, "(%zu, %zu) gave a block", PAIRS[index][0], PAIRS[index][1]);
    EXPECT(errno == ENOMEM, "(%zu, %zu) gave NULL with errno %d", PAIRS[index][0], PAIRS[index][1], errno);
    EXPECT(holds(ptr, 100, 8), "(%zu, %zu) changed the block", PAIRS[index][0], PAIRS[index][1]);
  }
  free(ptr);
  return says(PASS, "NULL, ENOMEM, the block as it was");
}

static enum verdict memalign_aligns(void) {
  NEEDS(memalign);
  for (size_t alignment = 1; alignment <= SYSTEM_PAGE; alignment *= 2) {
    void *ptr = memalign(alignment, 100);
    EXPECT(ptr != NULL && is_aligned(ptr, alignment), "memalign(%zu, 100) is not aligned", alignment);
    free(ptr);
  }
  return says(PASS, "powers of two to %d", SYSTEM_PAGE);
}

static enum verdict memalign_rounds(void) {
  NEEDS(memalign);
  void *ptr = memalign(24, 100), *wide = memalign(1000, 100), *none = memalign(opaque_zero, 100);
  EXPECT(ptr != NULL && wide != NULL && none != NULL, "NULL");
  EXPECT(is_aligned(ptr, 32), "24 is not rounded up to 32");
  EXPECT(is_aligned(wide, 1024), "1000 is not rounded up to 1024");
  free(ptr);
  free(wide);
  free(none);
  return says(PASS, "24 to 32, 1000 to 1024");
}

static enum verdict memalign_refuses(void) {
  NEEDS(memalign);
  errno = 0;
  EXPECT(hidden(memalign(SIZE_MAX / 2 + 2 + opaque_zero, 10)) == NULL, "an alignment above 2^31 gave a block");
  EXPECT(errno == EINVAL, "an alignment above 2^31 gave errno %d", errno);
  errno = 0;
  EXPECT(hidden(memalign(64, TOO_MUCH)) == NULL, "got more than the memory has");
  EXPECT(errno == ENOMEM, "no memory gave errno %d", errno);
  return says(PASS, "NULL, EINVAL or ENOMEM");
}

static enum verdict valloc_aligns(void) {
  NEEDS(valloc);
  void *ptr = valloc(100);
  EXPECT(ptr != NULL && is_aligned(ptr, SYSTEM_PAGE), "no block at a " PAGE_WORD);
  free(ptr);
  errno = 0;
  EXPECT(hidden(valloc(TOO_MUCH)) == NULL && errno == ENOMEM, "no memory gave errno %d", errno);
  return says(PASS, "multiples of %d", SYSTEM_PAGE);
}

static enum verdict pvalloc_rounds(void) {
  NEEDS(pvalloc);
  void *ptr = pvalloc(SYSTEM_PAGE + 1);
  EXPECT(ptr != NULL && is_aligned(ptr, SYSTEM_PAGE), "no block at a " PAGE_WORD);
  EXPECT(malloc_usable_size(ptr) >= 2 * SYSTEM_PAGE, "usable are %zu bytes", malloc_usable_size(ptr));
  free(ptr);
  errno = 0;
  EXPECT(hidden(pvalloc(SIZE_MAX - 10)) == NULL, "a size that overflows gave a block");
  EXPECT(errno == ENOMEM, "a size that overflows gave errno %d", errno);
  return says(PASS, "whole " PAGE_WORD "s");
}

static enum verdict cfree_frees(void) {
  NEEDS(cfree);
  cfree(hidden(calloc(3, 5)));
  cfree(hidden(NULL));
  return says(PASS, "as free");
}

static enum verdict usable_size(void) {
  EXPECT(malloc_usable_size(hidden(NULL)) == 0, "of NULL it is %zu", malloc_usable_size(hidden(NULL)));
  for (size_t bytes = 0; bytes < 100000; bytes = bytes * 3 / 2 + 1) {
    char *ptr = hidden(malloc(bytes)), *after = hidden(malloc(bytes));
    size_t usable = malloc_usable_size(ptr);
    EXPECT(usable >= bytes, "of malloc(%zu) it is %zu", bytes, usable);
    stamp(after, bytes, 1);
    stamp(ptr, usable, 2);
    EXPECT(holds(after, bytes, 1), "of malloc(%zu) not all is the block's own", bytes);
    ptr = realloc(ptr, bytes + 1);
    EXPECT(ptr != NULL && holds(ptr, bytes, 2), "realloc of malloc(%zu) lost contents", bytes);
    free(ptr);
    free(after);
  }
  return says(PASS, "at least what was asked for, all of it usable");
}

static enum verdict good_size(void) {
  NEEDS(malloc_good_size);
  for (size_t bytes = 0; bytes < 100000; bytes = bytes * 3 / 2 + 1) {
    void *ptr = malloc(bytes);
    size_t good = malloc_good_size(bytes), usable = malloc_usable_size(ptr);
    EXPECT(good == usable, "of %zu it is %zu, and %zu are usable", bytes, good, usable);
    free(ptr);
  }
  EXPECT(malloc_good_size(SIZE_MAX) == 0, "of SIZE_MAX it is %zu", malloc_good_size(SIZE_MAX));
  return says(PASS, "what is usable of such a block");
}

const struct row posix_rows[] = {
    {"A1.free.errno", "`free` leaves `errno` alone (POSIX.1-2024)", free_keeps_errno, NULL},
    {"A1.posix_memalign.aligned", "`posix_memalign` aligns", posix_memalign_aligns, NULL},
    {"A1.posix_memalign.invalid", "`posix_memalign`, no power of two or below " POINTER_WORD ": `EINVAL`, `*memptr` untouched", posix_memalign_invalid, NULL},
    {"A1.posix_memalign.no-memory", "`posix_memalign`, no memory: `ENOMEM`, `*memptr` untouched", posix_memalign_no_memory, NULL},
    {"A1.posix_memalign.errno", "`posix_memalign` leaves `errno` alone", posix_memalign_errno, NULL},
    {"A1.posix_memalign.zero", "`posix_memalign` of 0 bytes is a block of its own", posix_memalign_zero, NULL},
    {"A1.reallocarray.product", "`reallocarray` (POSIX.1-2024) is `realloc` to the product", reallocarray_product, NULL},
    {"A1.reallocarray.overflow", "`reallocarray` whose product is too large: `NULL`, `ENOMEM`, the block as it was", reallocarray_overflow, NULL},
    {"A1.memalign.aligned", "`memalign` aligns", memalign_aligns, NULL},
    {"A1.memalign.rounded", "`memalign` rounds an alignment up to a power of two", memalign_rounds, NULL},
    {"A1.memalign.refused", "`memalign` above " MEMALIGN_WORD ": `EINVAL`; no memory: `ENOMEM`", memalign_refuses, NULL},
    {"A1.valloc", "`valloc` aligns to a " PAGE_WORD, valloc_aligns, NULL},
    {"A1.pvalloc", "`pvalloc` rounds up to " PAGE_WORD "s; overflow: `NULL`, `ENOMEM`", pvalloc_rounds, NULL},
    {"A1.cfree", "`cfree` is `free`", cfree_frees, NULL},
    {"A1.malloc_usable_size", "`malloc_usable_size`: all of it may be used; 0 of `NULL`", usable_size, NULL},
    {"A1.malloc_good_size", "`malloc_good_size` is the usable size to come", good_size, NULL},
    {NULL, NULL, NULL, NULL}};
