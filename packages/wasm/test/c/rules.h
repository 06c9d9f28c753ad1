// rules.h: what the rows of the table of C's rules are made of.
//
// A row is a function that tries one rule and answers PASS, FAIL or MISSING, with what it found in words. Where an
// allocator lacks a function that is no part of ISO C or POSIX, its address is NULL here, and the row is MISSING.

#ifndef RULES_H
#define RULES_H

#define _GNU_SOURCE
#include "morecore.h"
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum verdict { FAIL, PASS, MISSING };

struct row {
  const char *id;
  const char *rule;
  enum verdict (*run)(void);
  // Of a row that must end the program: what it says on stderr first. Else NULL.
  const char *last_words;
};

// Rows end with one whose id is NULL.
extern const struct row iso_rows[], posix_rows[], extension_rows[], misuse_rows[];

// Notes what was found, and gives the verdict back.
enum verdict says(enum verdict verdict, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Ends the row unless a condition holds.
#define EXPECT(condition, ...)                                                                                       \
  do                                                                                                                 \
    if (!(condition))                                                                                                \
      return says(FAIL, __VA_ARGS__);                                                                                \
  while (0)
#define NEEDS(function)                                                                                              \
  do                                                                                                                 \
    if (!(function))                                                                                                 \
      return says(MISSING, "no " #function);                                                                         \
  while (0)

// More than there can be: in WebAssembly the program's memory ends at 16 MiB (test/support/c-program.ts), natively the
// addresses end at 2^47. What the system calls a page.
// LARGE comes from no cache and no page of small blocks, and has no mapping of its own. And whether mallopt has thresholds
// to set, and what it answers to dlmalloc's M_GRANULARITY.
#ifdef __wasm__
#define TOO_MUCH ((size_t)64 << 20)
#define SYSTEM_PAGE 65536
#define PAGE_WORD "wasm page"
#define POINTER_WORD "4"
#define MEMALIGN_WORD "2^31"
#define LARGE (1 << 20)
#define THRESHOLDS 0
#define THRESHOLDS_WORD "0, not set"
#define GRANULARITY 0
#define GRANULARITY_WORD "0, not set"
#else
#define TOO_MUCH ((size_t)1 << 47)
#define SYSTEM_PAGE 4096
#define PAGE_WORD "OS page"
#define POINTER_WORD "8"
#define MEMALIGN_WORD "2^63"
#define LARGE (1 << 16)
#define THRESHOLDS 1
#define THRESHOLDS_WORD "1, set"
#define GRANULARITY 1
#define GRANULARITY_WORD "1, for it is glibc's M_TOP_PAD"
#endif
// Its square is one more than a size can be.
#define HALF ((size_t)1 << (sizeof(size_t) * 4))

// The compiler must not know what these are, or it leaves out what they are used for.
extern volatile size_t opaque_zero;
void *hidden(void *ptr);

static inline int is_aligned(void *ptr, size_t alignment) { return (uintptr_t)ptr % alignment == 0; }

// Fills a block with bytes that tell it from others; `holds` is whether they are still there.
void stamp(void *ptr, size_t bytes, unsigned seed);
int holds(void *ptr, size_t bytes, unsigned seed);
int is_zero(void *ptr, size_t bytes);

// Beyond ISO C and POSIX: they may be missing.
#pragma weak free_sized
#pragma weak free_aligned_sized
#pragma weak memalign
#pragma weak valloc
#pragma weak pvalloc
#pragma weak cfree
#pragma weak malloc_good_size
#pragma weak malloc_trim
#pragma weak mallopt
#pragma weak malloc_stats
#pragma weak mallinfo
#pragma weak mallinfo2
#pragma weak malloc_footprint
#pragma weak malloc_max_footprint
#pragma weak malloc_footprint_limit
#pragma weak malloc_set_footprint_limit
#pragma weak realloc_in_place
#pragma weak independent_calloc
#pragma weak independent_comalloc
#pragma weak bulk_free
#pragma weak malloc_inspect_all

#endif
