// corruption: what a program may do to a heap, one case for each run. A malloc notices if the process is aborted.
//
//   corruption        prints the cases' names and what they do
//   corruption NAME   does it, and goes on for a while; prints "unnoticed" if it gets to its end

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 5, BYTES = 1000, LATER = 400 };

// Blocks of one size that lie one after the other, in any allocator: the second follows the first.
static unsigned char *side[SIDE];
static size_t distance;

static void take_side_by_side(size_t bytes) {
  static unsigned char *all[LATER];
  for (int index = 0; index < LATER; index++)
    all[index] = memset(malloc(bytes), 0x55, bytes);
  distance = (size_t)-1;
  for (int first = LATER / 2; first + SIDE <= LATER; first++) {
    size_t apart = (size_t)(all[first + 1] - all[first]);
    int even = apart < 2 * bytes;
    for (int index = 1; even && index < SIDE; index++)
      even = (size_t)(all[first + index] - all[first + index - 1]) == apart;
    if (!even)
      continue;
    memcpy(side, all + first, sizeof side);
    distance = apart;
    return;
  }
  puts("no blocks lie side by side");
  exit(3);
}

// What a program does next: takes blocks of these sizes and others, and frees them and all that is left.
static void go_on(void) {
  static void *blocks[LATER];
  for (int round = 0; round < 3; round++) {
    for (int index = 0; index < LATER; index++)
      blocks[index] = memset(malloc((size_t)(index % 40) * 100 + 500), 1, (size_t)(index % 40) * 100 + 500);
    for (int index = 0; index < LATER; index++)
      free(blocks[(index * 7) % LATER]);
  }
}

static void overflow(int block, size_t count, int value) { memset(side[block] + distance - sizeof(size_t), value, sizeof(size_t) + count); }

static void nul_into_live(void) { take_side_by_side(BYTES); side[0][distance - 4] = 0; side[0][distance - 8] = 0; free(side[1]); }
static void nul_then_free_self(void) { take_side_by_side(BYTES); side[0][distance - 4] = 0; side[0][distance - 8] = 0; free(side[0]); }
static void letters_into_live(void) { take_side_by_side(BYTES); overflow(0, 0, 'A'); free(side[1]); }
static void letters_then_free_self(void) { take_side_by_side(BYTES); overflow(0, 0, 'A'); free(side[0]); }
static void sixty_four_over(void) { take_side_by_side(BYTES); overflow(0, 64, 'A'); free(side[0]); free(side[1]); }
static void zeros_over(void) { take_side_by_side(BYTES); overflow(0, 16, 0); free(side[1]); }
static void overflow_into_free(void) { take_side_by_side(BYTES); free(side[1]); overflow(0, 32, 'A'); free(side[0]); }
static void overflow_then_take(void) { take_side_by_side(BYTES); free(side[1]); overflow(0, 32, 'A'); free(malloc(BYTES)); }
static void overflow_into_top(void) {
  unsigned char *last = malloc(100000);
  memset(last, 'A', 100000 + 64);
  free(malloc(90000));
  free(malloc(90000));
}
static void underflow(void) { take_side_by_side(BYTES); memset(side[1] - 16, 'A', 16); free(side[1]); }
static void size_zero(void) { take_side_by_side(BYTES); memset(side[1] - 8, 0, 8); side[1][-4] = side[1][-8] = 3; free(side[1]); }
static void size_doubled(void) {
  take_side_by_side(BYTES);
  uint32_t size = 2 * (uint32_t)distance | 3;
  memcpy(side[1] - 4, &size, 4);
  size_t wide = 2 * distance | 1;
  if (distance % 16 == 0 && ((size_t *)side[2])[-1] == (distance | 1)) memcpy(side[1] - 8, &wide, 8);
  free(side[1]);
}
static void links_overwritten(void) { take_side_by_side(BYTES); free(side[1]); memset(side[1], 'A', 32); free(malloc(BYTES)); }
static void large_links_overwritten(void) { take_side_by_side(5000); free(side[1]); memset(side[1], 'A', 32); free(malloc(5000)); }
static void small_after_free(void) { take_side_by_side(40); free(side[1]); memset(side[1], 'A', 32); free(malloc(40)); free(malloc(40)); }
static void footer_overwritten(void) {
  take_side_by_side(5000);
  // A free block's size stands in the last bytes that it could hold.
  size_t usable = malloc_usable_size(side[1]);
  free(side[1]);
  memset(side[1] + usable - 16, 'A', 16);
  free(side[2]);
}
static void free_twice(void) { take_side_by_side(BYTES); free(side[1]); free(side[1]); }
static void free_twice_between(void) { take_side_by_side(40); free(side[1]); free(side[3]); free(side[1]); }
static void free_twice_merged(void) { take_side_by_side(5000); free(side[1]); free(side[2]); free(side[2]); }
static void free_inside(void) { take_side_by_side(BYTES); free(side[1] + 160); }
static void free_of_the_stack(void) { size_t words[64] = {0}; free(words + 8); }
static void realloc_overwritten(void) { take_side_by_side(BYTES); overflow(0, 0, 'A'); side[1] = realloc(side[1], 3000); }

static const struct { const char *name, *words; void (*run)(void); } CASES[] = {
#define CASE(name, words) {#name, words, name}
    CASE(nul_into_live, "a NUL one byte too far; the next block is freed"),
    CASE(nul_then_free_self, "a NUL one byte too far; the block itself is freed"),
    CASE(letters_into_live, "letters into the next block's header; that is freed"),
    CASE(letters_then_free_self, "letters into the next block's header; the block itself is freed"),
    CASE(sixty_four_over, "letters through the next block's header; both are freed"),
    CASE(zeros_over, "zeros into the next block's header; that is freed"),
    CASE(overflow_into_free, "letters into a free block's header and links; the block before it is freed"),
    CASE(overflow_then_take, "letters into a free block's header and links; such a block is taken"),
    CASE(overflow_into_top, "letters into the free end of the heap; blocks are taken"),
    CASE(underflow, "letters before a block; it is freed"),
    CASE(size_zero, "a header of size 0; the block is freed"),
    CASE(size_doubled, "a header that says twice the size; the block is freed"),
    CASE(links_overwritten, "letters into a freed block of 1000 bytes; such a block is taken"),
    CASE(large_links_overwritten, "letters into a freed block of 5000 bytes; such a block is taken"),
    CASE(small_after_free, "letters into a freed block of 40 bytes; such blocks are taken"),
    CASE(footer_overwritten, "letters into the end of a freed block; the next one is freed"),
    CASE(free_twice, "a block is freed twice"),
    CASE(free_twice_between, "a block is freed twice, another in between"),
    CASE(free_twice_merged, "a block that merged with its neighbour is freed twice"),
    CASE(free_inside, "the middle of a block is freed"),
    CASE(free_of_the_stack, "an address of the stack is freed"),
    CASE(realloc_overwritten, "letters into the next block's header; that is resized"),
};

int main(int count, char **arguments) {
  for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++)
    if (count == 1)
      printf("%s\t%s\n", CASES[index].name, CASES[index].words);
    else if (strcmp(arguments[1], CASES[index].name) == 0) {
      CASES[index].run();
      go_on();
      puts("unnoticed");
    }
  return 0;
}
