// A program with a morecore_abort of its own, and a constructor that must run once.

#include "morecore.h"
#include <stdio.h>
#include <stdlib.h>

static int constructed;
static void *early;

__attribute__((constructor)) static void construct(void) {
  constructed++;
  early = malloc(100);
}

void morecore_abort(unsigned code, void *address) {
  dprintf(2, "mine: code %u, %s, constructed %d\n", code, address == early ? "the block" : "another", constructed);
  _Exit(7);
}

int main(void) {
  free(early);
  free(early);
  return 0;
}
