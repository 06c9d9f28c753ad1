// kernel.h: the allocator, as C that wasm2c has made of it, and the C in which that is written.
//
// Owns:  what stands in for WebAssembly's memory: a region's base, to which 32-bit addresses are added.
// Needs: kernel.c, which tools/native.mjs generates; layout.h, the offsets of src/kernel/layout.ts.
//
// wasm2c's own header keeps a memory's address and size in a struct and checks each access against them. Here
// the functions are given the base itself, so that it stays in a register. Nothing is checked: the kernel
// looks at each address that a caller gave it, and its own lie in the region. A region's heap begins at HEAP,
// always, so that the offsets of its header are constants.

#ifndef KERNEL_H
#define KERNEL_H

#include "layout.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t u32;
typedef uint64_t u64;

// Where the kernel's address 0 lies.
typedef unsigned char *Base;

// The heap's address in its region: the first that is not NULL and aligned.
enum { HEAP = 16 };

// Payloads are read as words, so the words of the image may be anything.
typedef u32 __attribute__((may_alias)) any_u32;

static inline u32 i32_load(Base base, u64 at) { return *(const any_u32 *)(base + at); }
static inline void i32_store(Base base, u64 at, u32 value) { *(any_u32 *)(base + at) = value; }

// A word of the heap's header.
static inline u32 header_word(Base base, u32 offset) { return i32_load(base, HEAP + offset); }
static inline void set_header_word(Base base, u32 offset, u32 value) { i32_store(base, HEAP + offset, value); }

// The malloc family. Numbers in and out; 0 is "no memory", and nothing has changed.
u32 mc_begin(Base base, u32 from);
u32 mc_malloc(Base base, u32 bytes);
u32 mc_calloc(Base base, u32 count, u32 bytes);
u32 mc_realloc(Base base, u32 at, u32 bytes);
u32 mc_realloc_in_place(Base base, u32 at, u32 bytes);
u32 mc_memalign(Base base, u32 alignment, u32 bytes);
void mc_free(Base base, u32 at);
void mc_free_sized(Base base, u32 at, u32 bytes);
void mc_free_aligned_sized(Base base, u32 at, u32 alignment, u32 bytes);
u32 mc_independent_calloc(Base base, u32 count, u32 bytes, u32 result);
u32 mc_independent_comalloc(Base base, u32 count, u32 sizes, u32 result);
void mc_bulk_free(Base base, u32 list, u32 count);
u32 mc_malloc_usable_size(Base base, u32 at);
u32 mc_malloc_good_size(Base base, u32 bytes);
u32 mc_malloc_trim(Base base, u32 pad);
u32 mc_malloc_footprint(Base base);
u32 mc_malloc_max_footprint(Base base);
u32 mc_count_of(Base base, u32 state);
u32 mc_bytes_of(Base base, u32 state);
u32 mc_first_piece(Base base);
u32 mc_next_piece(Base base, u32 at);
u32 mc_piece_state(Base base, u32 at);
u32 mc_piece_bytes(Base base, u32 at);

// What the kernel calls.
u32 kernel_grow(Base base, u32 bytes);
void kernel_release(Base base, u32 from, u32 to);
_Noreturn void kernel_abort(Base base, u32 code, u32 at);
u32 kernel_pages(Base base);

#endif
