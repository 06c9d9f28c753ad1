// blocks.h: the long ways: with a start, a trace, several regions and mappings.
//
// Owns:  which of them a block comes from, and the threshold for that.
// Needs: regions, mapped, trace.
//
// A block of at least the threshold gets a mapping of its own, so that its memory goes back when it is freed.
// As in glibc, the threshold rises to the size of such a block when that is freed. What comes again and again
// should not cost two system calls and fresh OS pages each time.

#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

#define LONG_WAY __attribute__((noinline))

// NULL: no memory. errno is left alone.
LONG_WAY void *long_malloc(size_t bytes);
LONG_WAY void *long_calloc(size_t bytes);
LONG_WAY void *long_realloc(void *ptr, size_t bytes);
LONG_WAY void *long_realloc_in_place(void *ptr, size_t bytes);
// The alignment is a power of two.
LONG_WAY void *long_memalign(size_t alignment, size_t bytes);
LONG_WAY void long_free(void *ptr);
// `call` is the function's name, for those that have no other.
LONG_WAY void long_free_sized(void *ptr, size_t bytes, const char *call);
LONG_WAY void long_free_aligned_sized(void *ptr, size_t alignment, size_t bytes);
LONG_WAY size_t long_usable_size(void *ptr, const char *call);
LONG_WAY size_t long_good_size(size_t bytes);
LONG_WAY int long_trim(size_t pad);

// Whether there is a region more than `count`, in which a heap may come to have `needed` bytes: another thread's doing, or ours.
bool has_one_more(unsigned count, size_t needed);

#endif
