// A program for the tests of swap: random calls of the whole family, and a checksum of what the blocks hold.

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef ODD_SBRK
#include <stdint.h>

// An sbrk whose break is 8 above a multiple of 16, as a module's may be, and that takes any size.
void *sbrk(intptr_t bytes) {
  static char *now, *end;
  if (now == NULL) {
    end = (char *)(__builtin_wasm_memory_size(0) << 16);
    now = end + 8;
  }
  if (bytes > 0 && now + bytes > end) {
    size_t pages = ((size_t)(now + bytes - end) + 65535) >> 16;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return (void *)-1;
    end += pages << 16;
  }
  char *old = now;
  now += bytes;
  return old;
}
#endif

enum { SLOTS = 20000, ROUNDS = 6, LARGEST = 400 };

static unsigned seed = 1;

static unsigned next(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

static void churn(unsigned char **slots, size_t *sizes, int i) {
  size_t old = sizes[i], size = 1 + next() % LARGEST;
  switch (next() % 4) {
  case 0:
    slots[i] = realloc(slots[i], size);
    if (size > old) memset(slots[i] + old, i + (int)size, size - old);
    break;
  case 1:
    free(slots[i]);
    slots[i] = calloc(size, 1);
    break;
  case 2:
    free(slots[i]);
    slots[i] = aligned_alloc(64, size);
    memset(slots[i], i, size);
    if ((size_t)slots[i] % 64 != 0) puts("not aligned");
    break;
  default:
    free(slots[i]);
    slots[i] = malloc(size);
    memset(slots[i], 255 - i, size);
  }
  sizes[i] = size;
  if (malloc_usable_size(slots[i]) < size) puts("too small");
}

int main(void) {
  unsigned char **slots = calloc(SLOTS, sizeof *slots);
  size_t *sizes = calloc(SLOTS, sizeof *sizes);
  void *page = NULL;
  unsigned long sum = 0;
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < SLOTS; i++) churn(slots, sizes, i);
  printf("posix_memalign: %d\n", posix_memalign(&page, 4096, 100));
  printf("aligned: %d\n", (size_t)page % 4096 == 0);
  for (int i = 0; i < SLOTS; i++)
    for (size_t at = 0; at < sizes[i]; at++) sum = sum * 31 + slots[i][at];
  printf("sum: %lu\n", sum);
  for (int i = 0; i < SLOTS; i += 2) free(slots[i]);
  printf("too large: %d\n", malloc(0x7ffffff0) == NULL && realloc(page, 0xfffffff0u) == NULL);
  free(NULL);
  free(page);
  free(slots);
  free(sizes);
  return 0;
}
