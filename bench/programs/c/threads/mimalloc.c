// What mimalloc needs of a C library, and how a thread ends for it. It has no environment to read, and prints nothing.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { PAGE_LOG2 = 16 };

extern void mi_thread_done(void);
__attribute__((import_module("host"), import_name("now"))) extern double host_now(void);

void thread_leave(void) { mi_thread_done(); }

_Thread_local int errno;
char **environ;
#undef stderr
#undef stdout
FILE *const stderr = NULL, *const stdout = NULL;
const struct __clockid {
  int id;
} _CLOCK_MONOTONIC;

// By whole pages; others may grow the memory in between.
void *sbrk(intptr_t bytes) {
  if (bytes == 0) return (void *)(__builtin_wasm_memory_size(0) << PAGE_LOG2);
  uintptr_t pages = __builtin_wasm_memory_grow(0, (uintptr_t)bytes >> PAGE_LOG2);
  return pages == SIZE_MAX ? (void *)-1 : (void *)(pages << PAGE_LOG2);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  double ms = host_now();
  now->tv_sec = ms / 1000;
  now->tv_nsec = (long)(ms - now->tv_sec * 1000.0) * 1000000;
  return 0;
}

int sched_yield(void) { return 0; }
void abort(void) { __builtin_trap(); }
int atexit(void (*function)(void)) { return 0; }
char *getenv(const char *name) { return NULL; }
int fputs(const char *text, FILE *file) { return 0; }
int snprintf(char *text, size_t bytes, const char *format, ...) {
  if (bytes > 0) text[0] = 0;
  return 0;
}
int vsnprintf(char *text, size_t bytes, const char *format, va_list arguments) {
  if (bytes > 0) text[0] = 0;
  return 0;
}

// For the environment's words only.
char *strstr(const char *text, const char *part) { return NULL; }
void *memchr(const void *text, int byte, size_t bytes) { return NULL; }
long strtol(const char *text, char **end, int base) { return 0; }
int toupper(int letter) { return letter; }
size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}
