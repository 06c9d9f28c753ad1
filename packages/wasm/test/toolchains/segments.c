// A program that grows its memory itself, between allocations, so that the heap lies in several pieces, and looks at
// all of it by malloc_inspect_all.

#include "morecore.h"
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 65536 };

static char *foreign[3];
static int overlaps, regions, used;

static void visit(void *start, void *end, size_t bytes, void *argument) {
  (void)argument;
  regions++;
  used += bytes != 0;
  for (int index = 0; index < 3; index++)
    if ((char *)start < foreign[index] + PAGE && (char *)end > foreign[index])
      overlaps++;
}

int main(void) {
  void *blocks[4];
  blocks[0] = malloc(1000);
  for (int index = 0; index < 3; index++) {
    foreign[index] = (char *)(__builtin_wasm_memory_grow(0, 1) * PAGE);
    blocks[index + 1] = malloc(3 * PAGE);
  }
  int ascending = 1;
  for (int index = 0; index < 3; index++)
    ascending &= (char *)blocks[index + 1] > foreign[index];
  free(blocks[2]);
  malloc_inspect_all(visit, NULL);
  printf("beyond the foreign pages %d, used %d, free shown %d, overlaps %d\n", ascending, used, regions > used, overlaps);
  return 0;
}
