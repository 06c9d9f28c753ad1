// others.h: blocks that are in no heap of ours, and yet no mistake.
//
// Owns:       the abandoned stretches.
// Needs:      glibc's own functions, by their second names.
// Invariants: O1  nothing in an abandoned stretch is ever written by us or given back
//
//   abandoned       a child that was made without fork's handlers, while another thread was inside, has its parent's
//                   blocks. It may use them; what it frees of them is lost, for the heap around them may not be whole.
//   the C library's blocks of glibc's own malloc: got by __libc_malloc, or in a library that was opened with RTLD_DEEPBIND.
//                   They go back where they are from, if that can be told.
//
// glibc's chunks have their size in front, with three flags. It is believed if all else fits, too. A chunk of
// the main heap lies between the first break and the present one. A chunk of another thread's heap lies in a
// stretch whose head, at a multiple of 64 MiB, says so. A mapping has whole OS pages. The rest is nobody's,
// and refused.

#ifndef OTHERS_H
#define OTHERS_H

#include "state.h"

void abandon(Base from, size_t bytes);

enum owner { NOBODY, ABANDONED, C_LIBRARY };
// Of an address that lies in no region and has no mapping.
enum owner owner_of(const void *ptr);
// Bytes that may be used of a block that has such an owner.
size_t size_at_owner(enum owner owner, const void *ptr);

void library_free(void *ptr);
// NULL: no memory.
void *library_realloc(void *ptr, size_t bytes);

#endif
