// others: blocks of the C library's own malloc, freed, resized and asked for their size through the program's.
//
//   others LIBRARY NAME    LIBRARY is others-library, opened so that it has the C library's malloc

#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

enum { LEAST_SIZES = 16, MANY = 500 };

static void *(*take)(size_t bytes);

static void use(unsigned char *block, size_t bytes) {
  memset(block, 7, bytes);
  if (malloc_usable_size(block) < bytes)
    abort();
  block = realloc(block, bytes * 2 + 10);
  for (size_t at = 0; at < bytes; at++)
    if (block[at] != 7)
      abort();
  free(block);
}

static void all_sizes(void) {
  for (size_t bytes = 0; bytes < 3000000; bytes = bytes * 3 + LEAST_SIZES) {
    use(__libc_malloc(bytes), bytes);
    use(take(bytes), bytes);
    use(__libc_memalign(4096, bytes), bytes);
    free(__libc_malloc(bytes));
  }
}

// Both heaps move the break in turn.
static void in_turn(void) {
  static void *blocks[2 * MANY];
  for (int index = 0; index < MANY; index++) {
    blocks[2 * index] = memset(take(3000), 1, 3000);
    blocks[2 * index + 1] = memset(malloc(3000), 2, 3000);
  }
  for (int index = 0; index < 2 * MANY; index++)
    blocks[index] = realloc(blocks[index], index % 3 * 2000 + 1);
  for (int index = 0; index < 2 * MANY; index++) {
    if (*(char *)blocks[index] != index % 2 + 1)
      abort();
    free(blocks[index]);
  }
}

static void *in_thread(void *argument) {
  for (size_t bytes = 0; bytes < 300; bytes++)
    use(take(bytes), bytes);
  return take((size_t)(uintptr_t)argument);
}

static void of_threads(void) {
  pthread_t threads[4];
  for (uintptr_t index = 0; index < 4; index++)
    pthread_create(&threads[index], NULL, in_thread, (void *)(index * 1000));
  for (int index = 0; index < 4; index++) {
    void *left;
    pthread_join(threads[index], &left);
    free(left);
  }
}

static void on_stack(void) {
  char bytes[64] __attribute__((aligned(16)));
  free(memset(bytes, 0x31, sizeof bytes));
}

static void static_array(void) {
  static char bytes[64] __attribute__((aligned(16)));
  free(bytes + 16);
}

static void without_memory(void) { free((void *)0x123450); }

static void out_of_reach(void) {
  char *closed = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  free(closed + 4096);
}

static const struct {
  const char *name;
  void (*run)(void);
} CASES[] = {
    {"all_sizes", all_sizes},       {"in_turn", in_turn},           {"of_threads", of_threads},     {"on_stack", on_stack},
    {"static_array", static_array}, {"out_of_reach", out_of_reach}, {"without_memory", without_memory},
};

int main(int count, char **arguments) {
  void *library = count == 3 ? dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND) : NULL;
  if (library == NULL)
    return 2;
  take = (void *(*)(size_t))dlsym(library, "take");
  for (size_t index = 0; index < sizeof CASES / sizeof *CASES; index++)
    if (strcmp(arguments[2], CASES[index].name) == 0) {
      CASES[index].run();
      puts("sound");
      return 0;
    }
  return 2;
}
