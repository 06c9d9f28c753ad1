// Random lifetimes, after rpmalloc's benchmark: 64 random ones of 2048 blocks are replaced and written to, again and again. Every
// other time as many blocks are handed to the next thread, which frees them.

#include "threads.h"

enum { LIVE = 2048, STEP = PARCEL_BLOCKS, TOUCHED = 64 };

// Of 16 to 1000 bytes all sizes alike, or half as many each time that the size doubles.
INLINED uint32_t drawn_size(thread *own, bool is_exponential) {
  if (!is_exponential) return 16 + drawn_below(own, 985);
  uint32_t bytes = 16u << __builtin_ctz(drawn(own) | 1 << 5);
  uint32_t size = bytes + drawn_below(own, bytes);
  return size < 1000 ? size : 1000;
}

INLINED void *touched(thread *own, bool is_exponential, bool checked) {
  uint32_t bytes = drawn_size(own, is_exponential);
  unsigned char *ptr = take(own, bytes, checked);
  if (!checked)
    for (uint32_t at = TOUCHED; at < bytes; at += TOUCHED) ptr[at] = 1;
  return ptr;
}

static void hand_over(thread *to, parcel *all) {
  parcel *first = to->mail;
  do all->next = first;
  while (!atomic_compare_exchange_weak(&to->mail, &first, all));
}

INLINED void open_mail(thread *own, bool checked) {
  if (own->mail == NULL) return;
  for (parcel *all = atomic_exchange(&own->mail, NULL); all != NULL;) {
    parcel *next = all->next;
    for (uint32_t i = 0; i < STEP; i++) drop(all->blocks[i], checked);
    free(all);
    all = next;
  }
}

INLINED uint32_t play(thread *own, uint32_t count, bool is_exponential, bool checked) {
  thread *next = &threads[(own - threads + 1) % thread_count];
  uint32_t taken = 0;
  for (uint32_t step = 0; taken < count; step++) {
    open_mail(own, checked);
    for (uint32_t i = 0; i < STEP; i++) {
      void **slot = &own->slots[drawn_below(own, LIVE)];
      drop(*slot, checked);
      *slot = touched(own, is_exponential, checked);
    }
    taken += STEP;
    if (step % 2 == 0) continue;
    parcel *all = malloc(sizeof(parcel));
    if (all == NULL) host_fail(NO_MEMORY);
    for (uint32_t i = 0; i < STEP; i++) all->blocks[i] = touched(own, is_exponential, checked);
    hand_over(next, all);
    taken += STEP + 1;
  }
  return taken;
}

INLINED uint32_t play_rptest(thread *own, uint32_t turn, uint32_t count, bool checked) {
  return play(own, count, false, checked);
}

INLINED uint32_t play_rptest_exponential(thread *own, uint32_t turn, uint32_t count, bool checked) {
  return play(own, count, true, checked);
}

void finish_rptest(thread *own) { open_mail(own, false); }

PATTERN(rptest)
PATTERN(rptest_exponential)
