// wasm.h: the instructions of WebAssembly that the kernel uses, for the C that wasm2c makes. Only kernel.c includes it;
// an instruction that is missing here does not compile.

#ifndef WASM_H
#define WASM_H

#include "kernel.h"

#define FUNC_PROLOGUE
#define FUNC_EPILOGUE

// Behind a call that does not return.
#define UNREACHABLE __builtin_unreachable()

#define I32_CLZ(x) ((x) != 0 ? __builtin_clz(x) : 32)
#define I32_CTZ(x) ((x) != 0 ? __builtin_ctz(x) : 32)
#define I32_POPCNT(x) __builtin_popcount(x)
#define I32_ROTL(x, by) (((x) << ((by)&31)) | ((x) >> (-(by)&31)))
#define I32_ROTR(x, by) (((x) >> ((by)&31)) | ((x) << (-(by)&31)))

// The kernel divides by nothing that can be 0.
#define DIV_U(x, y) ((x) / (y))
#define REM_U(x, y) ((x) % (y))

// Chunks and the map's entries begin at multiples of 4 only.
typedef u64 __attribute__((may_alias, aligned(4))) any_u64;

#ifdef __SANITIZE_THREAD__
static inline u64 i64_load(Base base, u64 at) { return i32_load(base, at) | (u64)i32_load(base, at + 4) << 32; }
static inline void i64_store(Base base, u64 at, u64 value) {
  i32_store(base, at, (u32)value);
  i32_store(base, at + 4, (u32)(value >> 32));
}
#else
static inline u64 i64_load(Base base, u64 at) { return *(const any_u64 *)(base + at); }
static inline void i64_store(Base base, u64 at, u64 value) { *(any_u64 *)(base + at) = value; }
#endif

static inline u32 i32_load8_u(Base base, u64 at) { return base[at]; }

static inline void memory_fill(Base base, u32 at, u32 value, u32 bytes) { memset(base + at, (int)value, bytes); }

static inline void memory_copy(Base to_base, Base from_base, u32 to, u32 from, u32 bytes) {
  memmove(to_base + to, from_base + from, bytes);
}

// Words that threads share. All of these are in one order.
static inline any_u32 *word_of(Base base, u32 at) { return (any_u32 *)(base + at); }

static inline u32 kernel_load_shared(Base base, u32 at) { return __atomic_load_n(word_of(base, at), __ATOMIC_SEQ_CST); }

static inline void kernel_store_shared(Base base, u32 at, u32 value) {
  __atomic_store_n(word_of(base, at), value, __ATOMIC_SEQ_CST);
}

static inline u32 kernel_exchange(Base base, u32 at, u32 value) {
  return __atomic_exchange_n(word_of(base, at), value, __ATOMIC_SEQ_CST);
}

static inline u32 kernel_compare_exchange(Base base, u32 at, u32 expected, u32 value) {
  __atomic_compare_exchange_n(word_of(base, at), &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}

static inline u32 kernel_or_shared(Base base, u32 at, u32 bits) {
  return __atomic_fetch_or(word_of(base, at), bits, __ATOMIC_SEQ_CST);
}

static inline u32 kernel_and_shared(Base base, u32 at, u32 bits) {
  return __atomic_fetch_and(word_of(base, at), bits, __ATOMIC_SEQ_CST);
}

static inline u32 kernel_add_shared(Base base, u32 at, u32 value) {
  return __atomic_fetch_add(word_of(base, at), value, __ATOMIC_SEQ_CST);
}

#endif
