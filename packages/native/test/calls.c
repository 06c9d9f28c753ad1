// calls: how often libmorecore.so asks the system, which is asked through this program.
//
//   calls NAME    prints what was counted, for the test to judge

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KIB = 1 << 10, MIB = 1 << 20 };

void *__sbrk(intptr_t by);

// The C library's headers say that malloc calls nothing of this file's.
static volatile int asked, refused, released, refuses;

// The library finds these before the C library's.
void *sbrk(intptr_t by) {
  if (by != 0)
    asked++;
  if (by == 0 || !refuses)
    return __sbrk(by);
  refused++;
  errno = ENOMEM;
  return (void *)-1;
}

int madvise(void *from, size_t bytes, int advice) {
  released += advice == MADV_DONTNEED;
  return (int)syscall(SYS_madvise, from, bytes, advice);
}

static long resident(void) {
  long pages = 0, all = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (fscanf(file, "%ld %ld", &all, &pages) != 2)
    pages = 0;
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / KIB) / KIB;
}

enum { MOST = 200000 };
static char *blocks[MOST];

static size_t fill(size_t bytes, size_t each) {
  size_t count = 0;
  for (; count < bytes / each; count++)
    blocks[count] = memset(malloc(each), 1, each);
  return count;
}

static void empty(size_t count) {
  while (count-- > 0)
    free(blocks[count]);
}

// A heap that fills and empties, over and over: what is given back and asked for in the first two rounds, and in ten more.
static void cycles(void) {
  static const size_t SIZES[] = {22 * MIB / 10, 3 * MIB, 8 * MIB, 40 * MIB};
  for (size_t size = 0; size < sizeof SIZES / sizeof *SIZES; size++) {
    released = 0;
    for (int round = 0; round < 2; round++)
      empty(fill(SIZES[size], 5000));
    printf("%d ", released > 0);
    released = asked = 0;
    for (int round = 0; round < 10; round++)
      empty(fill(SIZES[size], 5000));
    printf("%d %d\n", released, asked);
  }
}

// A real drop: resident MiB of a heap that filled to 64 MiB once, and of one that did so over and over, after malloc_trim.
static void drop(void) {
  empty(fill(64 * MIB, 5000));
  printf("%d ", resident() < 16);
  for (int round = 0; round < 4; round++)
    empty(fill(64 * MIB, 5000));
  printf("%d ", resident() > 32);
  malloc_trim(0);
  printf("%d\n", resident() < 16);
}

static int in_first(const void *ptr) { return (char *)ptr < (char *)__sbrk(0); }

// The first region cannot grow any more: how often the system is asked for it in 20000 calls. All is then in the second. What is
// freed in the first is found again.
static void full(void) {
  size_t count = fill(4 * MIB, 700);
  refuses = 1;
  while (in_first(blocks[count++] = malloc(700)))
    ;
  refused = 0;
  for (int index = 0; index < 20000; index++)
    blocks[count + (size_t)index] = malloc(600 + (size_t)index % 400);
  printf("%d ", refused);
  int before = 0, after = 0;
  for (int index = 0; index < 20000; index++)
    before += in_first(blocks[count + (size_t)index]);
  for (size_t index = 1000; index < 5000; index++)
    free(blocks[index]);
  for (int index = 0; index < 2000; index++)
    after += in_first(malloc(700));
  printf("%d %d\n", before < 400, after > 1900);
}

// A limit for all: what a heap keeps at its end, a mapping may have.
static void limited(void) {
  for (int round = 0; round < 3; round++)
    empty(fill(30 * MIB, 5000));
  void *large = aligned_alloc(MIB, 35 * MIB);
  printf("%d %d\n", large != NULL, malloc(20 * MIB) == NULL);
}

static const struct {
  const char *name;
  void (*run)(void);
} CASES[] = {{"cycles", cycles}, {"drop", drop}, {"full", full}, {"limited", limited}};

int main(int count, char **arguments) {
  // stdio's own block comes first.
  setvbuf(stdout, NULL, _IONBF, 0);
  for (size_t index = 0; count == 2 && index < sizeof CASES / sizeof *CASES; index++)
    if (strcmp(arguments[1], CASES[index].name) == 0) {
      CASES[index].run();
      return 0;
    }
  return 2;
}
