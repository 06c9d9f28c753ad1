// kernel.h: the allocator, as C that wasm2c has made of it, and the C in which that is written.
//
// Owns:  what stands in for WebAssembly's memory: a region's base, to which 32-bit addresses are added.
// Needs: kernel.c, which tools/native.ts makes; layout.h, the numbers of src/kernel; calls.h, its functions.
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
#include "calls.h"

// What the kernel calls.
u32 kernel_grow(Base base, u32 bytes);
void kernel_release(Base base, u32 from, u32 to);
_Noreturn void kernel_abort(Base base, u32 code, u32 at);
u32 kernel_pages(Base base);

#endif
