// process.c: the beginning and the end of the process.
//
// Owns:  what happens then without a call.
// Needs: start, lock, trace, stats.

#include "lock.h"
#include "state.h"
#include "stats.h"
#include "trace.h"

// A program that never allocates may still fork, or want its figures.
__attribute__((constructor)) static void start_at_last(void) {
  leave(begin_call());
}

__attribute__((destructor)) static void finish(void) {
  bool locked = enter();
  if (tracing)
    trace_flush();
  leave(locked);
  if (settings.stats)
    print_stats();
}
