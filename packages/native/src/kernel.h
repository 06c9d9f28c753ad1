// kernel.h: the allocator, as C that wasm2c has made of it, and the C in which that is written.
//
// Owns:  what stands in for WebAssembly's memory: a region's base, to which 32-bit addresses are added.
// Needs: kernel.c, which tools/native.ts makes; layout.h, the numbers of src/kernel; calls.h, its functions.
//
// wasm2c's own header keeps a memory's address and size in a struct and checks each access against them. Here
// the functions are given the base itself, so that it stays in a register. Nothing is checked: the kernel
// looks at each address that a caller gave it, and its own lie in the region. What a region's threads have in common
// begins at COMMON, always; each thread has a heap of its own in it, whose address goes with each call.

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

// The address of what is common in a region: the first that is not NULL and aligned.
enum { COMMON = 16 };

// Payloads are read as words, so the words of the image may be anything.
typedef u32 __attribute__((may_alias)) any_u32;

#ifdef __SANITIZE_THREAD__
// Threads race for some words on purpose: who looks at a block sees that it is live, or not yet. ThreadSanitizer is told so, and
// sees what else races: a payload that is written while the kernel writes there, and what the library keeps of its own.
static inline u32 i32_load(Base base, u64 at) { return __atomic_load_n((const any_u32 *)(base + at), __ATOMIC_RELAXED); }
static inline void i32_store(Base base, u64 at, u32 value) {
  __atomic_store_n((any_u32 *)(base + at), value, __ATOMIC_RELAXED);
}
#else
static inline u32 i32_load(Base base, u64 at) { return *(const any_u32 *)(base + at); }
static inline void i32_store(Base base, u64 at, u32 value) { *(any_u32 *)(base + at) = value; }
#endif

// A word that other threads may write or read at the same time: never half of it.
static inline u32 shared_word(Base base, u64 at) { return __atomic_load_n((any_u32 *)(base + at), __ATOMIC_ACQUIRE); }
static inline void set_shared_word(Base base, u64 at, u32 value) {
  __atomic_store_n((any_u32 *)(base + at), value, __ATOMIC_RELEASE);
}

// A word of the common header.
static inline u32 common_word(Base base, u32 offset) { return shared_word(base, COMMON + offset); }
static inline void set_common_word(Base base, u32 offset, u32 value) { set_shared_word(base, COMMON + offset, value); }

// The malloc family. Numbers in and out; 0 is "no memory", and nothing has changed. With COMMON in the place of a heap they
// serve a thread that has none: it may free what is another's, and ask about it.
#include "calls.h"

// What the kernel calls.
u32 kernel_grow(Base base, u32 bytes);
void kernel_release(Base base, u32 from, u32 to);
_Noreturn void kernel_abort(Base base, u32 code, u32 at);
u32 kernel_pages(Base base);

#endif
