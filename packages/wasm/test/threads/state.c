// A library whose instances are threads: who calls it gives each one its stack and its thread-local memory.

#include <errno.h>
#include <stddef.h>

__thread int errno;

__attribute__((export_name("errnoNow"))) int errno_now(void) { return errno; }

void *malloc(size_t bytes);

// By --export=malloc it could not be had: it is exported by another name for `morecore link`.
__attribute__((export_name("take"))) void *take(size_t bytes) { return malloc(bytes); }

// The host's, so that it can call another thread while this one prints.
__attribute__((import_module("env"), import_name("print"))) void print(const char *text, size_t count);

long write(int fd, const void *bytes, size_t count) {
  (void)fd;
  print(bytes, count);
  return (long)count;
}
