// misuse.c: one line on stderr, as glibc does, and an abort. Nothing here allocates.

#include "misuse.h"
#include "line.h"
#include "lock.h"
#include "trace.h"
#include <stdlib.h>

__thread const char *calling __attribute__((tls_model("initial-exec")));

// Not the kernel's: a block of which its header alone says that it is free.
enum { FREE_BY_HEADER = 100 };

#define WORDS(code, words) \
  case code: return words;

static const char *words_for(u32 code) {
  switch (code) {
    KERNEL_CODES(WORDS)
  case FREE_BY_HEADER: return "the block's header says that it is free: it was freed before, or overwritten from the block before it";
  default: return "misuse";
  }
}

// Of the calls that do not say their names only free is given addresses.
static const char *call_for(u32 code) {
  return calling != NULL ? calling : code == LISTED_TWICE ? "bulk_free" : code == CORRUPTED ? "malloc or free" : "free";
}

_Noreturn void misuse(u32 code, const void *ptr) {
  struct line line = {0};
  put(&line, "morecore: ");
  put(&line, call_for(code));
  put(&line, code == CORRUPTED ? ": " : "(");
  put_address(&line, ptr);
  put(&line, code == CORRUPTED ? ": " : "): ");
  put(&line, words_for(code));
  print(&line);
  if (tracing)
    trace_flush();
  calling = NULL;
  // A handler of SIGABRT may allocate.
  leave_for_good();
  abort();
}

// Whether a block is free beyond doubt: a slab's by a bit that lies elsewhere; a chunk by its footer, and by the header
// behind it; one that looks live, by the marks that another thread has left in it. The header before it alone may have been
// overwritten.
static bool is_surely_free(Base base, u32 at) {
  size_t span = region_of(base)->span;
  if (slab_block_bytes(base, span, at) != 0)
    return true;
  u64 chunk = at - HEADER_WORD, head = safe_word(base, span, chunk), size = head & ~FLAGS, end = chunk + size;
  if (head & IN_USE)
    return true;
  return size != 0 && safe_word(base, span, end - FOOTER) == size && (safe_word(base, span, end) & PREVIOUS_IN_USE) == 0;
}

_Noreturn void kernel_abort(Base base, u32 code, u32 at) {
  misuse(code == DOUBLE_FREE && !is_surely_free(base, at) ? FREE_BY_HEADER : code, base + at);
}
