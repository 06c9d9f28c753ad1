// misuse: what must end the program, with a word on stderr, and before anything is changed.

#include "rules.h"

static char not_of_the_heap[64] __attribute__((aligned(16)));

static enum verdict survived(void) { return says(FAIL, "nothing was said"); }

static enum verdict double_free(void) {
  void *ptr = hidden(malloc(100));
  free(ptr);
  free(hidden(ptr));
  return survived();
}

static enum verdict double_free_merged(void) {
  void *ptr = hidden(malloc(LARGE)), *next = hidden(malloc(LARGE)), *guard = hidden(malloc(100));
  free(next);
  free(ptr);
  free(hidden(next));
  return hidden(guard) != NULL ? survived() : FAIL;
}

static enum verdict free_inside(void) {
  char *ptr = hidden(calloc(1000, 1));
  free(hidden(ptr + 160));
  return survived();
}

static enum verdict free_misaligned(void) {
  char *ptr = hidden(malloc(100));
  free(hidden(ptr + 1));
  return survived();
}

static enum verdict free_foreign(void) {
  free(hidden(not_of_the_heap));
  return survived();
}

static enum verdict realloc_freed(void) {
  void *ptr = hidden(malloc(100));
  free(ptr);
  return hidden(realloc(hidden(ptr), 200)) == NULL ? says(FAIL, "it gave NULL") : says(FAIL, "it gave a block");
}

static enum verdict usable_size_freed(void) {
  void *ptr = hidden(malloc(100));
  free(ptr);
  return says(FAIL, "it gave %zu", malloc_usable_size(hidden(ptr)));
}

static enum verdict sized_wrong(void) {
  NEEDS(free_sized);
  free_sized(hidden(malloc(100)), 500);
  return survived();
}

static enum verdict aligned_sized_wrong(void) {
  NEEDS(free_aligned_sized);
  free_aligned_sized(hidden(aligned_alloc(64, 128)), 48, 128);
  return survived();
}

static enum verdict listed_twice(void) {
  NEEDS(bulk_free);
  void *ptr = hidden(malloc(100)), *other = hidden(malloc(100));
  void *list[] = {ptr, other, ptr};
  bulk_free(list, 3);
  return survived();
}

const struct row misuse_rows[] = {
    {"M.double-free", "a block is freed twice", double_free, "morecore: free(0x…): the block was freed before"},
    {"M.double-free.merged", "a block is freed twice, merged with its neighbour in between", double_free_merged, "morecore: free(0x…): "},
    {"M.free.inside", "the middle of a block is freed", free_inside, "morecore: free(0x…): no block begins there"},
    {"M.free.misaligned", "an odd address is freed", free_misaligned, "morecore: free(0x…): no block's address, for it is no multiple of 16"},
    {"M.free.foreign", "a static array is freed", free_foreign, "morecore: free(0x…): no block's address, for it is outside the heap"},
    {"M.realloc.freed", "a freed block is given to `realloc`", realloc_freed, "morecore: realloc(0x…): the block was freed before"},
    {"M.malloc_usable_size.freed", "a freed block is given to `malloc_usable_size`", usable_size_freed, "morecore: malloc_usable_size(0x…): the block was freed before"},
    {"M.free_sized.size", "`free_sized` with another size", sized_wrong, "morecore: free_sized(0x…): the block has another size"},
    {"M.free_aligned_sized.alignment", "`free_aligned_sized` with no power of two", aligned_sized_wrong, "morecore: free_aligned_sized(0x…): the block has another alignment"},
    {"M.bulk_free.twice", "`bulk_free` of a list that has a block twice", listed_twice, "morecore: bulk_free(0x…): the list has the block twice"},
    {NULL, NULL, NULL, NULL}};
