// start.c: the first call, and the end of the process.
//
// Owns:  whether the library has started.
// Needs: settings, regions, lock, trace, stats.
//
// The first call may come from the dynamic linker, before any constructor has slab: so nothing here needs one, and
// nothing allocates.

#include "lock.h"
#include "state.h"
#include "stats.h"
#include "trace.h"
#include <errno.h>

bool started;

void start(void) {
  started = true;
  int saved = errno;
  read_settings();
  guard_forks();
  // If there is no region, each request tries to open one.
  open_region(settings.sbrk, 0);
  if (!trace_start())
    set_hot();
  errno = saved;
}

// A program that never allocates may still fork, or want its figures.
__attribute__((constructor)) static void start_at_last(void) {
  bool locked = enter();
  if (!started)
    start();
  leave(locked);
}

__attribute__((destructor)) static void finish(void) {
  bool locked = enter();
  if (tracing)
    trace_flush();
  leave(locked);
  if (settings.stats)
    print_stats();
}
