// start.c: what the first call does before all else.
//
// Owns:  whether the library has started.
// Needs: settings, regions, lock, trace.
//
// The first call may come from the dynamic linker, before any constructor has run: so nothing here needs one, and
// nothing allocates.

#include "lock.h"
#include "state.h"
#include "trace.h"
#include <errno.h>

static bool started;

static void start(void) {
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

bool enter_started(void) {
  bool locked = enter();
  if (UNLIKELY(!started))
    start();
  return locked;
}
