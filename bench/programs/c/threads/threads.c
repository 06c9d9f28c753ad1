// The threads' state, and what the host must give each instance: a stack, and room for what is the thread's alone.

#include "threads.h"

enum { STACK_BYTES = 65536, TLS_BYTES = 4096 };

thread threads[MOST_THREADS];
uint32_t thread_count;

static _Alignas(LINE) unsigned char stacks[MOST_THREADS][STACK_BYTES];
static _Alignas(LINE) unsigned char locals[MOST_THREADS][TLS_BYTES];

// Stacks grow downwards.
void *stack_of(uint32_t index) { return stacks[index] + STACK_BYTES; }
void *locals_of(uint32_t index) { return locals[index]; }

// Before any thread plays.
void prepare(uint32_t count) {
  thread_count = count;
  for (uint32_t index = 0; index < MOST_THREADS; index++) threads[index].random = 2654435769u * (index + 1);
  free(malloc(1));
}

void finish_mstress(void);
void finish_rptest(thread *own);

// Frees what the thread's patterns have left; the first thread's part is what belongs to all.
void finish(uint32_t index) {
  thread *own = &threads[index];
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    free(own->slots[slot]);
    own->slots[slot] = NULL;
  }
  finish_rptest(own);
  if (index == 0) finish_mstress();
}
