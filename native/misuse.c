// misuse.c: one line on stderr, as glibc does, and an abort. Nothing here allocates.

#include "misuse.h"
#include "line.h"
#include "lock.h"
#include "trace.h"
#include <stdlib.h>

static const char *words_for(u32 code) {
  switch (code) {
  case MISALIGNED: return "not a block's, for it is no multiple of 16: ";
  case OUTSIDE: return "not a block's, for it is outside the heap: ";
  case DOUBLE_FREE: return "double free of ";
  case NOT_A_BLOCK: return "no block begins at ";
  case SIZE_MISMATCH: return "free_sized with another size than that of the block at ";
  case ALIGNMENT_MISMATCH: return "free_aligned_sized with another alignment than that of the block at ";
  case LISTED_TWICE: return "bulk_free of a list that has twice the block at ";
  case CORRUPTED: return "heap corrupted, by a write after free or past a block's end, at ";
  default: return "misuse of ";
  }
}

_Noreturn void misuse(u32 code, const void *ptr) {
  struct line line = {0};
  put(&line, "morecore: ");
  put(&line, words_for(code));
  put_address(&line, ptr);
  print(&line);
  if (tracing)
    trace_flush();
  // A handler of SIGABRT may allocate. With one thread the lock was not taken, and to open it harms nothing.
  leave_for_good();
  abort();
}

_Noreturn void kernel_abort(Base base, u32 code, u32 at) { misuse(code, base + at); }
