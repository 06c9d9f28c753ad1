// broken: a malloc that breaks its promise once, to be preloaded. BROKEN says how.
//
//   twice      a block is given to the next one who asks, too
//   written    the last byte of a block changes while somebody has it

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

// Requests of these sizes count; so many are served well.
enum { LEAST = 16, MOST = 256, SOUND = 1000 };

static atomic_int seen;
static unsigned char *victim;

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  return found != NULL ? found : (abort(), NULL);
}

void *malloc(size_t bytes) {
  static void *(*next)(size_t);
  static size_t victim_bytes;
  if (next == NULL)
    next = (void *(*)(size_t))real("malloc");
  int count = bytes >= LEAST && bytes <= MOST ? atomic_fetch_add(&seen, 1) : 0;
  if (count == SOUND) {
    victim_bytes = bytes;
    return victim = next(MOST);
  }
  if (count == SOUND + 1 && getenv("BROKEN")[0] == 't')
    return victim;
  if (count == SOUND + 1)
    victim[victim_bytes - 1] ^= 1;
  return next(bytes);
}

// Who frees it a second time is not told so by the C library.
void free(void *block) {
  static void (*next)(void *);
  if (next == NULL)
    next = (void (*)(void *))real("free");
  if (block != victim || block == NULL)
    next(block);
}
