// A library without a C library: clang --target=wasm32-unknown-unknown -nostdlib -DMORECORE_NO_LIBC.

#include "morecore.h"

void *malloc(size_t bytes);
void *realloc(void *ptr, size_t bytes);
void free(void *ptr);

struct node {
  struct node *next;
  int value;
};

__attribute__((export_name("sum"))) int sum(int count) {
  struct node *list = 0;
  for (int value = 1; value <= count; value++) {
    struct node *node = malloc(sizeof *node);
    if (node == 0)
      return -1;
    node->next = list;
    node->value = value;
    list = node;
  }
  int total = 0;
  while (list != 0) {
    struct node *next = list->next;
    total += list->value;
    free(list);
    list = next;
  }
  return total;
}

__attribute__((export_name("freeTwice"))) void free_twice(void) {
  void *ptr = realloc(0, 10);
  free(ptr);
  free(ptr);
}
