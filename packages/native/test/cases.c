// cases: what libmorecore.so promises, tried one by one.
//
//   cases NAME    prints what was found, for the test to judge

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void free_sized(void *ptr, size_t bytes) __attribute__((weak));
void free_aligned_sized(void *ptr, size_t alignment, size_t bytes) __attribute__((weak));

void **independent_calloc(size_t count, size_t bytes, void **given) __attribute__((weak));
void **independent_comalloc(size_t count, const size_t *sizes, void **given) __attribute__((weak));
size_t bulk_free(void **array, size_t count) __attribute__((weak));

enum { MIB = 1 << 20 };

static char foreign[64] __attribute__((aligned(16)));
static void *volatile kept;

// Resident memory in MiB.
static long resident(void) {
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY);
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  text[count > 0 ? count : 0] = '\0';
  return atol(strchr(text, ' ')) * (sysconf(_SC_PAGESIZE) / 1024) / 1024;
}

static void *filled(size_t bytes) { return memset(malloc(bytes), 1, bytes); }

static void double_free(void) { free(kept = malloc(100)), free(kept); }
static void double_free_mapped(void) { free(kept = malloc(4 * MIB)), free(kept); }
static void inside(void) { free((char *)(kept = calloc(1000, 1)) + 160); }
static void misaligned(void) { free((char *)(kept = malloc(100)) + 1); }
static void of_nobody(void) { free(foreign); }
static void realloc_freed(void) { free(kept = malloc(100)), kept = realloc(kept, 200); }
static void usable_size_freed(void) { free(kept = malloc(100)), printf("%zu", malloc_usable_size(kept)); }

// Chunks side by side.
static char *blocks_of_chunks[3];
static void take_chunks(void) {
  char **got = blocks_of_chunks;
  do
    for (int index = 0; index < 3; index++)
      got[index] = malloc(1016 + 256 * (size_t)index);
  while (got[1] != got[0] + 1024 || got[2] != got[1] + 1280);
}

static void realloc_freed_chunk(void) { take_chunks(), free(kept = blocks_of_chunks[1]), kept = realloc(kept, 5000); }

static void one_byte_too_far(void) {
  take_chunks();
  blocks_of_chunks[0][malloc_usable_size(blocks_of_chunks[0])] = 0;
  free(blocks_of_chunks[1]);
}

static void write_after_free(void) {
  take_chunks();
  free(blocks_of_chunks[1]);
  memset(blocks_of_chunks[1], 0x7f, 100);
  kept = malloc(1272);
}

static void listed_twice(void) {
  void *list[] = {malloc(100), malloc(100), NULL};
  list[2] = list[0];
  bulk_free(list, 3);
}

static void wrong_size(void) { free_sized(malloc(100), 500); }
static void wrong_size_mapped(void) { free_sized(malloc(4 * MIB), 100); }
static void wrong_alignment(void) { free_aligned_sized(aligned_alloc(64, 128), 48, 128); }

static void large_blocks_go_back(void) {
  long before = resident();
  void *block = filled(64 * MIB);
  long with = resident();
  free(block);
  printf("%d %d\n", with - before >= 63, resident() - before <= 1);
}

static void grow_by_remap(void) {
  unsigned char *block = filled(4 * MIB);
  for (size_t bytes = 8 * MIB; bytes <= 256 * MIB; bytes *= 2) {
    block = realloc(block, bytes);
    if (block == NULL || block[4 * MIB - 1] != 1 || malloc_usable_size(block) < bytes)
      abort();
    block[bytes - 1] = 2;
  }
  long with = resident();
  block = realloc(block, 100);
  printf("%d %d %zu\n", with < 64, block[99] == 1, malloc_usable_size(block) < 200);
}

// As in glibc: what was freed once will not cost a mapping again.
static void threshold(void) {
  struct mallinfo2 info;
  void *first = malloc(MIB);
  info = mallinfo2();
  printf("%zu ", info.hblks);
  free(first);
  first = malloc(MIB - 4096);
  info = mallinfo2();
  printf("%zu %zu\n", info.hblks, info.hblkhd);
}

static void no_memory(void) {
  errno = 0;
  void *got = malloc((size_t)PTRDIFF_MAX + 1 + (size_t)(kept != NULL));
  printf("%d %d ", got == NULL, errno == ENOMEM);
  errno = 0;
  got = calloc(SIZE_MAX / 4 + (size_t)(kept != NULL), 8);
  printf("%d %d ", got == NULL, errno == ENOMEM);
  size_t count = 0, bytes = MIB - 4096;
  errno = 0;
  while (count < 4096 && (got = malloc(bytes)) != NULL) {
    *(void **)got = kept;
    kept = got;
    count++;
  }
  printf("%d %d ", got == NULL, errno == ENOMEM);
  while (kept != NULL) {
    void *next = *(void **)kept;
    free(kept);
    kept = next;
  }
  got = malloc(100);
  printf("%d %zu\n", got != NULL, count);
}

static void errno_is_kept(void) {
  void *small = malloc(10), *large = malloc(64 * MIB), *aligned = NULL;
  errno = 77;
  free(small);
  free(large);
  int refused = posix_memalign(&aligned, 24, 10);
  printf("%d %d\n", errno, refused == EINVAL);
}

static void beyond_four_gib(void) {
  enum { COUNT = 5200 };
  static unsigned *blocks[COUNT];
  for (unsigned index = 0; index < COUNT; index++) {
    blocks[index] = malloc(MIB);
    *blocks[index] = index;
  }
  int sound = 1;
  for (unsigned index = 0; index < COUNT; index++) {
    blocks[index] = realloc(blocks[index], index % 2 ? 1000 : 100);
    sound &= *blocks[index] == index;
  }
  for (unsigned index = 0; index < COUNT; index++)
    free(blocks[index]);
  printf("%d %zu\n", sound, mallinfo2().hblks);
}

static void blocks_of_100(void) {
  size_t count = 0;
  while (count < 1000000 && malloc(100) != NULL)
    count++;
  printf("%zu\n", count);
}

// RLIMIT_AS, set when there is a heap already.
static void limit_later(void) {
  struct rlimit limit = {256 * MIB, 256 * MIB};
  size_t bytes = 0, each = kept != NULL ? 0 : 100000;
  free(malloc(1));
  setrlimit(RLIMIT_AS, &limit);
  while (bytes < (size_t)4096 * MIB && (kept = malloc(each)) != NULL)
    bytes += each;
  // Others may have memory, too.
  free(kept);
  printf("%zu\n", bytes / MIB);
}

static void mallopt_answers(void) {
  static const int VALUES[] = {INT32_MIN, -1, 0, 1, 16, 64, 160, 161, 4096, 65536, 32 << 20, (32 << 20) + 1, INT32_MAX};
  for (int parameter = M_ARENA_MAX; parameter <= M_KEEP; parameter++)
    for (size_t index = 0; parameter != 0 && index < sizeof VALUES / sizeof *VALUES; index++)
      printf("%d ", mallopt(parameter, VALUES[index]));
  free(realloc(malloc(100), 5 * MIB));
}

static void no_mappings(void) {
  mallopt(M_MMAP_MAX, 1);
  kept = malloc(4 * MIB);
  void *other = malloc(4 * MIB);
  printf("%zu ", mallinfo2().hblks);
  free(kept);
  free(other);
  printf("%zu ", mallinfo2().hblks);
  kept = memalign(4 * MIB, 10);
  printf("%d\n", kept != NULL && (uintptr_t)kept % (4 * MIB) == 0);
}

static void zero_realloc(void) { printf("%d\n", realloc(malloc(10), (size_t)(kept != NULL)) != NULL); }

static void aligned_blocks(void) {
  int sound = 1;
  for (size_t alignment = 16; alignment <= (size_t)1 << 24; alignment *= 2)
    for (size_t bytes = 1; bytes < 300000; bytes = bytes * 5 + 1) {
      void *block = memalign(alignment, bytes);
      sound &= block != NULL && (uintptr_t)block % alignment == 0 && malloc_usable_size(block) >= bytes;
      memset(block, 1, bytes);
      free(block);
    }
  sound &= (uintptr_t)valloc(10) % 4096 == 0 && malloc_usable_size(pvalloc(10)) >= 4096;
  printf("%d\n", sound);
}

// Small ones, ones of a mapping each, and ones of several regions, freed together.
static void many_at_once(void) {
  enum { COUNT = 6000, SIDE_BY_SIDE = 3 };
  static void *blocks[COUNT];
  mallopt(M_MMAP_THRESHOLD, 2 * MIB);
  for (int index = 0; index < COUNT; index++)
    blocks[index] = index % 100 == 0 ? NULL : malloc(index % 100 == 1 ? 4 * MIB : MIB);
  size_t sizes[SIDE_BY_SIDE] = {100, 3 * MIB, 5000};
  void **large = independent_calloc(SIDE_BY_SIDE, 3 * MIB, NULL), **mixed = independent_comalloc(SIDE_BY_SIDE, sizes, NULL);
  printf("%d %d ", *((char *)large[2] + 3 * MIB - 1) == 0, (char *)mixed[2] > (char *)mixed[1] + 3 * MIB);
  size_t left = bulk_free(blocks, COUNT) + bulk_free(large, SIDE_BY_SIDE) + bulk_free(mixed, SIDE_BY_SIDE);
  free(large);
  free(mixed);
  int cleared = 1;
  for (int index = 0; index < COUNT; index++)
    cleared &= blocks[index] == NULL;
  malloc_trim(0);
  printf("%zu %d %d %zu\n", left, cleared, mallinfo2().uordblks < MIB, mallinfo2().hblks);
}

static void trim(void) {
  enum { COUNT = 2000 };
  static void *blocks[COUNT];
  for (int index = 0; index < COUNT; index++)
    blocks[index] = filled(20000);
  long with = resident();
  // All but one in 20: the holes between are whole pages.
  for (int index = 0; index < COUNT; index++)
    if (index % 20 != 0)
      free(blocks[index]);
  int answer = malloc_trim(0), again = malloc_trim(0);
  printf("%d %d %d\n", answer, with - resident() > 30, again);
}

static void info(void) {
  void *small = malloc(100), *large = malloc(4 * MIB);
  struct mallinfo2 before = mallinfo2();
  printf("%d %d ", before.arena == before.uordblks + before.fordblks, before.hblks == 1 && before.hblkhd >= 4 * MIB);
  free(small);
  free(large);
  fflush(stdout);
  malloc_info(0, stdout);
  malloc_stats();
}

static void foreign_break(void) {
  // Somebody else moves the break, again and again: the heap goes on behind, and touches none of theirs.
  static unsigned char *theirs[20];
  for (int index = 0; index < 20; index++) {
    theirs[index] = sbrk(10000 + index);
    memset(theirs[index], 200 + index, 10000 + (size_t)index);
    for (int block = 0; block < 200; block++)
      kept = filled(3000);
  }
  int sound = 1;
  for (int index = 0; index < 20; index++)
    for (int at = 0; at < 10000 + index; at++)
      sound &= theirs[index][at] == 200 + index;
  printf("%d\n", sound);
}

static void leave_open_files(void) {
  // As a daemon does. What the library has to say at its end goes nowhere else.
  for (int file = 3; file < 1024; file++)
    close(file);
  int mine = open("mine", O_RDWR | O_CREAT | O_TRUNC, 0666);
  for (int index = 0; index < 300; index++)
    dup2(mine, 3 + index);
  if (chdir("/") == 0)
    for (int index = 0; index < 60000; index++)
      free(malloc((size_t)index % 900));
  printf("%ld\n", (long)lseek(mine, 0, SEEK_END));
}

__attribute__((constructor)) static void early(void) { kept = malloc(10); }
__attribute__((destructor)) static void late(void) { free(malloc(10)); }

static const struct {
  const char *name;
  void (*run)(void);
} CASES[] = {
    {"double_free", double_free},
    {"double_free_mapped", double_free_mapped},
    {"inside", inside},
    {"misaligned", misaligned},
    {"of_nobody", of_nobody},
    {"realloc_freed", realloc_freed},
    {"usable_size_freed", usable_size_freed},
    {"realloc_freed_chunk", realloc_freed_chunk},
    {"one_byte_too_far", one_byte_too_far},
    {"write_after_free", write_after_free},
    {"listed_twice", listed_twice},
    {"wrong_size", wrong_size},
    {"wrong_size_mapped", wrong_size_mapped},
    {"wrong_alignment", wrong_alignment},
    {"large_blocks_go_back", large_blocks_go_back},
    {"grow_by_remap", grow_by_remap},
    {"threshold", threshold},
    {"no_memory", no_memory},
    {"errno_is_kept", errno_is_kept},
    {"beyond_four_gib", beyond_four_gib},
    {"blocks_of_100", blocks_of_100},
    {"limit_later", limit_later},
    {"mallopt_answers", mallopt_answers},
    {"no_mappings", no_mappings},
    {"zero_realloc", zero_realloc},
    {"aligned_blocks", aligned_blocks},
    {"many_at_once", many_at_once},
    {"trim", trim},
    {"info", info},
    {"foreign_break", foreign_break},
    {"leave_open_files", leave_open_files},
};

int main(int count, char **arguments) {
  free(kept);
  kept = NULL;
  for (size_t index = 0; count == 2 && index < sizeof CASES / sizeof *CASES; index++)
    if (strcmp(arguments[1], CASES[index].name) == 0) {
      CASES[index].run();
      return 0;
    }
  return 2;
}
