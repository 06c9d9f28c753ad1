// A malloc that does nothing: what the loops cost, and the calls, without one.
//
// All blocks are one, behind the program's data. reserve gives it the bytes of the largest.

#include <stddef.h>

extern unsigned char __heap_base;

enum { PAGE = 65536 };

static void *block(size_t bytes) { return &__heap_base + (bytes & 16); }

void reserve(size_t bytes) { __builtin_wasm_memory_grow(0, bytes / PAGE + 2); }

void *malloc(size_t bytes) { return block(bytes); }
void *calloc(size_t count, size_t bytes) { return block(count * bytes); }
void *realloc(void *ptr, size_t bytes) { return block(bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return block(bytes); }
void free(void *ptr) { (void)ptr; }
