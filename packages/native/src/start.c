// start.c: what the first call does before all else.
//
// Owns:  whether the library has started.
// Needs: settings, regions, heaps, lock, trace.
//
// The first call may come from the dynamic linker, before any constructor has run: so nothing here needs one, and
// nothing allocates.

#include "heaps.h"
#include "lock.h"
#include "state.h"
#include "trace.h"
#include <errno.h>

static bool started;

static void start(void) {
  // First: what this calls may allocate.
  SHARED_STORE(started, true);
  int saved = errno;
  read_settings();
  guard_forks();
  prepare_heaps();
  // If there is no region, each request tries to open one.
  open_region(settings.sbrk, 0);
  if (!trace_start())
    set_hot();
  errno = saved;
}

static SELDOM void start_once(void) {
  bool locked = enter();
  if (!started)
    start();
  leave(locked);
}

bool begin_call(void) {
  if (UNLIKELY(!SHARED_LOAD(started)))
    start_once();
  return UNLIKELY(SHARED_LOAD(tracing)) && enter();
}
