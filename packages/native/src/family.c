// family.c: C's malloc family: the short ways, and what the standards say of arguments and errno.
//
// Gives:  the functions that a program calls; each takes a short way or a long one.
// Needs:  blocks.h for the long ways.
//
// A short way asks three things in two comparisons. Has the library started, with no trace being recorded
// (else `hot` is all 0)? Is it the first region's business? Has this thread a heap there? errno is written only
// where a function answers with it.

#include "blocks.h"
#include "state.h"
#include <errno.h>

static inline void *or_no_memory(void *got) {
  if (UNLIKELY(got == NULL))
    errno = ENOMEM;
  return got;
}

static inline bool is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

static inline size_t offset_of(const void *ptr) { return (size_t)((Base)ptr - hot.base); }

static SELDOM void *malloc_slow(size_t bytes) { return or_no_memory(long_malloc(bytes)); }

EXPORTED void *malloc(size_t bytes) {
  if (LIKELY(bytes < SHARED_LOAD(hot.limit) && own_heap != 0)) {
    u32 at = mc_malloc(hot.base, own_heap, (u32)bytes);
    if (LIKELY(at != 0))
      return hot.base + at;
  }
  return malloc_slow(bytes);
}

EXPORTED void free(void *ptr) {
  size_t at = offset_of(ptr);
  if (LIKELY(at < SHARED_LOAD(hot.span) && own_heap != 0))
    mc_free(hot.base, own_heap, (u32)at);
  else
    long_free(ptr);
}

static SELDOM void *calloc_slow(size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  return or_no_memory(long_calloc(total));
}

EXPORTED void *calloc(size_t count, size_t bytes) {
  size_t total;
  if (LIKELY(!__builtin_mul_overflow(count, bytes, &total) && total < SHARED_LOAD(hot.limit) && own_heap != 0)) {
    u32 at = mc_calloc(hot.base, own_heap, 1, (u32)total);
    if (LIKELY(at != 0))
      return hot.base + at;
  }
  return calloc_slow(count, bytes);
}

static SELDOM void *realloc_slow(void *ptr, size_t bytes) {
  if (ptr == NULL)
    return malloc_slow(bytes);
  if (bytes == 0 && settings.zero_realloc_frees) {
    long_free(ptr);
    return NULL;
  }
  return or_no_memory(long_realloc(ptr, bytes));
}

EXPORTED void *realloc(void *ptr, size_t bytes) {
  size_t at = offset_of(ptr);
  // A request of 0, which wraps, goes the long way.
  if (LIKELY(bytes - 1 < SHARED_LOAD(hot.limit) - 1 && at < SHARED_LOAD(hot.span) && own_heap != 0)) {
    calling = "realloc";
    u32 got = mc_realloc(hot.base, own_heap, (u32)at, (u32)bytes);
    calling = NULL;
    if (LIKELY(got != 0))
      return hot.base + got;
  }
  return realloc_slow(ptr, bytes);
}

EXPORTED void *reallocarray(void *ptr, size_t count, size_t bytes) {
  size_t total;
  if (__builtin_mul_overflow(count, bytes, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(ptr, total);
}

// Blocks with an alignment.

EXPORTED void *aligned_alloc(size_t alignment, size_t bytes) {
  if (!is_power_of_two(alignment)) {
    errno = EINVAL;
    return NULL;
  }
  return or_no_memory(long_memalign(alignment, bytes));
}

// The error is the answer, and errno is left alone.
EXPORTED int posix_memalign(void **result, size_t alignment, size_t bytes) {
  if (alignment < sizeof(void *) || !is_power_of_two(alignment))
    return EINVAL;
  void *got = long_memalign(alignment, bytes);
  if (got == NULL)
    return ENOMEM;
  *result = got;
  return 0;
}

// An alignment that is no power of two is rounded up to one; above the last there is none.
EXPORTED void *memalign(size_t alignment, size_t bytes) {
  if (alignment > SIZE_MAX / 2 + 1) {
    errno = EINVAL;
    return NULL;
  }
  size_t power = ALIGNMENT;
  while (power < alignment)
    power *= 2;
  return or_no_memory(long_memalign(power, bytes));
}

EXPORTED void *valloc(size_t bytes) { return or_no_memory(long_memalign(OS_PAGE, bytes)); }

EXPORTED void *pvalloc(size_t bytes) {
  size_t whole = (bytes + OS_PAGE - 1) & ~(size_t)(OS_PAGE - 1);
  return or_no_memory(whole < bytes ? NULL : long_memalign(OS_PAGE, whole));
}

// C23.

EXPORTED void free_sized(void *ptr, size_t bytes) { long_free_sized(ptr, bytes, "free_sized"); }

EXPORTED void free_aligned_sized(void *ptr, size_t alignment, size_t bytes) {
  long_free_aligned_sized(ptr, alignment, bytes);
}

EXPORTED size_t malloc_usable_size(void *ptr) { return long_usable_size(ptr, "malloc_usable_size"); }

EXPORTED size_t malloc_good_size(size_t bytes) { return long_good_size(bytes); }

EXPORTED void *realloc_in_place(void *ptr, size_t bytes) {
  return ptr == NULL ? NULL : or_no_memory(long_realloc_in_place(ptr, bytes));
}

EXPORTED void cfree(void *ptr) __attribute__((alias("free")));
