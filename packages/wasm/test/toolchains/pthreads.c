// Threads by Emscripten's pthreads, for which Emscripten allocates, too: blocks go from thread to thread.

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, SLOTS = 64, ROUNDS = 20000, MORE_THAN_AT_FIRST = 30 << 20 };

static uint32_t *slots[SLOTS];

// Exchanges a block of its own for one of anybody's, looks at that, and frees it.
static void *work(void *seed) {
  uint32_t state = (uint32_t)(uintptr_t)seed * 2654435761u;
  for (int round = 0; round < ROUNDS; round++) {
    state = state * 1664525u + 1013904223u;
    uint32_t words = 2 + (state >> 24) + (round % 100 == 0 ? 30000 : 0);
    uint32_t *block = malloc(words * sizeof *block);
    if (block == NULL)
      abort();
    block[0] = words;
    block[words - 1] = ~words;
    uint32_t *other = __atomic_exchange_n(&slots[(state >> 8) % SLOTS], block, __ATOMIC_SEQ_CST);
    if (other != NULL && other[other[0] - 1] != ~other[0])
      abort();
    free(other);
  }
  void *volatile no_block = malloc(0xf0000000u);
  return (void *)(intptr_t)(no_block == NULL && errno == ENOMEM);
}

int main(void) {
  for (int turn = 0; turn < 3; turn++) {
    pthread_t threads[THREADS];
    int told = 0;
    for (int i = 0; i < THREADS; i++)
      if (pthread_create(&threads[i], NULL, work, (void *)(intptr_t)(turn * THREADS + i + 1)) != 0)
        abort();
    for (int i = 0; i < THREADS; i++) {
      void *result;
      pthread_join(threads[i], &result);
      told += (intptr_t)result;
    }
    char *big = malloc(MORE_THAN_AT_FIRST);
    memset(big, turn, MORE_THAN_AT_FIRST);
    char *text = strdup("turn");
    printf("%s %d: %d threads were told of no memory; errno here %d\n", text, turn, told, errno);
    free(text);
    free(big);
  }
  return 0;
}
