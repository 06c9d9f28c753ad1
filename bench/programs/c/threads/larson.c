// A server, after Larson and Krishnan (ISMM 1998): random ones of 4096 blocks are replaced, 8 to 1000 bytes. In each turn a thread
// goes on with what another has left, so that it frees blocks of others for a while.

#include "threads.h"

INLINED uint32_t play_larson(thread *own, uint32_t turn, uint32_t count, bool checked) {
  thread *left = &threads[(own - threads + turn) % thread_count];
  for (uint32_t i = 0; i < count; i++)
    replace(own, &left->slots[drawn_below(own, SLOTS)], 8 + drawn_below(own, 993), checked);
  return count;
}

PATTERN(larson)
