#include "wasi.h"
#include <errno.h>
#include <unistd.h>

__thread int errno;

long write(int fd, const void *bytes, size_t count) {
  struct piece piece = {(void *)bytes, count};
  size_t done = 0;
  return fd_write(fd, &piece, 1, &done) == 0 ? (long)done : -1;
}

void say(const char *text) { write(1, text, __builtin_strlen(text)); }

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != '\0')
    length++;
  return length;
}

void thread_main(int id, struct thread *self) {
  self->id = id;
  self->run(self);
  __atomic_store_n(&self->is_over, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&self->is_over, 1);
}

int start(struct thread *thread, void (*run)(struct thread *)) {
  thread->stack_end = thread->stack + STACK_BYTES;
  thread->tls = thread->tls_memory;
  thread->run = run;
  thread->is_over = 0;
  return thread_spawn(thread);
}

void join(struct thread *thread) {
  while (__atomic_load_n(&thread->is_over, __ATOMIC_SEQ_CST) == 0)
    __builtin_wasm_memory_atomic_wait32(&thread->is_over, 0, -1);
}

_Noreturn void stay(void) {
  static int never;
  for (;;)
    __builtin_wasm_memory_atomic_wait32(&never, 0, -1);
}
