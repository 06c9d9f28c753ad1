// heaps.h: this thread's heap in each region.
//
// Owns:       which they are.
// Needs:      the kernel's places (src/kernel/common.ts); a key of pthread's, by which a thread's end is heard of.
// Invariants: H1  a heap that a thread has left is nobody's, and the next one that comes goes on there
//
// A thread has none until it allocates, nor between its calls once its destructors run. Without one it may free what others
// have allocated: the C library does so when a thread has ended.

#ifndef HEAPS_H
#define HEAPS_H

#include "state.h"

// Before all else.
void prepare_heaps(void);
// At the end of each call that may have begun a heap: a thread whose end has begun leaves its heaps again.
void end_visit(void);
// This thread's heap in a region: begun, or taken over from a thread that has ended. 0: no memory.
u32 heap_in(const struct region *region);
// The same without beginning one: COMMON if it has none, which serves for what is others'.
u32 heap_or_common(const struct region *region);
// Forgets them: what they lie in is abandoned.
void forget_heaps(void);

// Calls for each of this thread's heaps, and for those that nobody has, as if they were this thread's meanwhile.
void each_idle_heap(void (*visit)(Base base, u32 heap, void *arg), void *arg);
// The next heap of a region's, whoever has it, behind one; behind COMMON, the first. 0: that was the last.
u32 next_heap(Base base, u32 heap);

#endif
