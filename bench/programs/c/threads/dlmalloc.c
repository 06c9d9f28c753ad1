// wasi-libc's dlmalloc with its locks, and what it needs of a C library. -I names the folder of its sources.

#include "dlmalloc-lock.h"
#include <dlmalloc.c>

enum { PAGE_LOG2 = 16 };

const int __ENOMEM = 48, __EINVAL = 28;

// Of the size of a page, which is all that is asked.
long sysconf(int name) { return 1L << PAGE_LOG2; }

// By whole pages; others may grow the memory in between.
void *sbrk(intptr_t bytes) {
  if (bytes == 0) return (void *)(__builtin_wasm_memory_size(0) << PAGE_LOG2);
  uintptr_t pages = __builtin_wasm_memory_grow(0, (uintptr_t)bytes >> PAGE_LOG2);
  return pages == SIZE_MAX ? (void *)-1 : (void *)(pages << PAGE_LOG2);
}
