// mapped.h: blocks with a mapping of their own.
//
// Owns:       the table of such blocks: address and bytes. It lies in a mapping too.
// Needs:      mmap, mremap; the lock, which each function takes.
// Invariants: M1  a block's address and its bytes are multiples of an OS page, and nobody else's
//             M2  between any two stores every block is found, but for the one that comes or goes: a child may have
//                 been made there
//
// The bytes are not kept in front of a block, as glibc does: a page more for each that is a page's multiple, and whoever
// frees a wrong address would have us believe what lies there.

#ifndef MAPPED_H
#define MAPPED_H

#include <stdbool.h>
#include <stddef.h>

// A zeroed block. NULL: no memory.
void *map_block(size_t bytes, size_t alignment);
// The block's bytes; 0: it is none.
size_t mapped_size(const void *ptr);
// The bytes that it had; 0: it was none.
size_t unmap_block(void *ptr);
// The block with another size, perhaps elsewhere. NULL: no memory, and it is as it was.
void *remap_block(void *ptr, size_t bytes, bool may_move);

#endif
