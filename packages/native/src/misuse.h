// misuse.h: what is refused, and what is said of it.

#ifndef MISUSE_H
#define MISUSE_H

#include "state.h"

// The code for an address that lies in no region and has no mapping.
static inline u32 bytes_outside(const void *ptr) { return (uintptr_t)ptr % ALIGNMENT != 0 ? MISALIGNED : OUTSIDE; }

#endif
