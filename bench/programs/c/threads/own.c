// Each thread on blocks of its own: 1024 live, in the first half of the steps the oldest replaced, then a random one.

#include "threads.h"

enum { LIVE = 1024 };

INLINED uint32_t play(thread *own, uint32_t count, uint32_t least, uint32_t most, bool checked) {
  uint32_t range = most - least + 1;
  for (uint32_t i = 0; i < count / 2; i++)
    replace(own, &own->slots[i % LIVE], least + drawn_below(own, range), checked);
  for (uint32_t i = count / 2; i < count; i++)
    replace(own, &own->slots[drawn_below(own, LIVE)], least + drawn_below(own, range), checked);
  return count;
}

INLINED uint32_t play_own_small(thread *own, uint32_t turn, uint32_t count, bool checked) {
  return play(own, count, 16, 256, checked);
}

INLINED uint32_t play_own_chunks(thread *own, uint32_t turn, uint32_t count, bool checked) {
  return play(own, count, 96, 3072, checked);
}

PATTERN(own_small)
PATTERN(own_chunks)
