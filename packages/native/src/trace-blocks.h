// trace-blocks.h: the live blocks of a trace, and the numbers that it has for them: their slots.
//
// Owns:       which block has which slot, and how many bytes it was asked for.
// Needs:      mmap.
// Invariants: S1  the last slot that was released is taken first; if there is none, the next new number

#ifndef TRACE_BLOCKS_H
#define TRACE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NO_SLOT = UINT32_MAX };

// A slot for a block. NO_SLOT: no memory.
uint32_t take_slot(void *ptr, size_t bytes);
uint32_t slot_of(void *ptr);
// The block of a slot is another from now on, with another size.
void move_slot(uint32_t slot, void *ptr, size_t bytes);
void release_slot(uint32_t slot);

extern struct slot_totals {
  uint64_t live_bytes, peak_bytes, total_bytes;
  uint32_t count;
} slot_totals;

#endif
