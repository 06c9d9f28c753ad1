// morecore.c: C's malloc family over imports.
//
// Owns:  errno, the shapes in which C wants the answers, and what misuse prints.
// Needs: the imports morecore.mc_…, which are the allocator: put into the module by `morecore link`, or given by a host
//        (heap.imports in JavaScript). They are 32-bit numbers in and out; 0 is "no memory", and nothing has changed.
//
// All that a C library's malloc defines is defined here, so that none of it is linked. Two macros change the file:
//   MORECORE_NO_LIBC   no errno and no message: nothing of a C library is needed
//   MORECORE_QUIET     no message on misuse, only the trap: no import of fd_write in a program that has none
// Whatever is written to here is each thread's own. A third macro is for programs whose threads share the heap:
//   MORECORE_THREADS   does not compile without what that takes

#ifndef __wasm32__
#error "morecore.c is for wasm32: clang --target=wasm32-wasi, or emcc without -sMEMORY64"
#endif

// With one of the two, or none, clang can make atomics and thread-local variables plain ones, and says nothing.
#if defined(MORECORE_THREADS) || defined(__wasm_atomics__)
#if !defined(__wasm_atomics__) || !defined(__wasm_bulk_memory__)
#error "a heap that threads share needs both -matomics and -mbulk-memory, for all files: -pthread gives them"
#endif
#endif

#include "../include/morecore.h"
#include <stdint.h>

#ifdef MORECORE_NO_LIBC
#define MORECORE_QUIET
#define FAIL(code) ((void)(code))
enum { EINVAL = 22, ENOMEM = 12 };
#define APART
#else
#include <errno.h>
#define FAIL(code) (errno = (code))
// Both are exported for `morecore link`, which takes the exports out again. It lets the allocator itself set errno where it
// fails, and malloc be no more than the allocator's. Elsewhere malloc looks at what it is given.
// A name of malloc's own would take the place of the one by which a program may export it, so another function has it.
#define APART __attribute__((noinline))
void *malloc(size_t bytes);
__attribute__((export_name("morecore_malloc"))) void *morecore_malloc(size_t bytes) { return malloc(bytes); }
__attribute__((export_name("morecore_no_memory"))) void morecore_no_memory(void) { FAIL(ENOMEM); }
#endif

// The allocator.

#define IMPORT(name) extern __attribute__((import_module("morecore"), import_name("mc_" #name)))

// imports: made by `npm run abi -- --write`
IMPORT(malloc) void *mc_malloc(size_t bytes);
IMPORT(free) void mc_free(void *ptr);
IMPORT(calloc) void *mc_calloc(size_t count, size_t bytes);
IMPORT(realloc) void *mc_realloc(void *ptr, size_t bytes);
IMPORT(reallocarray) void *mc_reallocarray(void *ptr, size_t count, size_t bytes);
IMPORT(aligned_alloc) void *mc_aligned_alloc(size_t alignment, size_t bytes);
IMPORT(posix_memalign) int mc_posix_memalign(void **result, size_t alignment, size_t bytes);
IMPORT(free_sized) void mc_free_sized(void *ptr, size_t bytes);
IMPORT(free_aligned_sized) void mc_free_aligned_sized(void *ptr, size_t alignment, size_t bytes);
IMPORT(memalign) void *mc_memalign(size_t alignment, size_t bytes);
IMPORT(malloc_usable_size) size_t mc_malloc_usable_size(void *ptr);
IMPORT(malloc_good_size) size_t mc_malloc_good_size(size_t bytes);
IMPORT(malloc_trim) int mc_malloc_trim(size_t pad);
IMPORT(malloc_footprint) size_t mc_malloc_footprint(void);
IMPORT(malloc_max_footprint) size_t mc_malloc_max_footprint(void);
IMPORT(malloc_footprint_limit) size_t mc_malloc_footprint_limit(void);
IMPORT(malloc_set_footprint_limit) void mc_malloc_set_footprint_limit(size_t bytes);
IMPORT(realloc_in_place) void *mc_realloc_in_place(void *ptr, size_t bytes);
IMPORT(independent_calloc) void **mc_independent_calloc(size_t count, size_t bytes, void *chunks[]);
IMPORT(independent_comalloc) void **mc_independent_comalloc(size_t count, size_t sizes[], void *chunks[]);
IMPORT(bulk_free) void mc_bulk_free(void *array[], size_t count);
IMPORT(count_of) size_t mc_count_of(unsigned state);
IMPORT(bytes_of) size_t mc_bytes_of(unsigned state);
IMPORT(first_piece) uintptr_t mc_first_piece(void);
IMPORT(next_piece) uintptr_t mc_next_piece(uintptr_t at);
IMPORT(piece_state) unsigned mc_piece_state(uintptr_t at);
IMPORT(piece_bytes) size_t mc_piece_bytes(uintptr_t at);
// end of imports

// The states of a piece: a chunk, or a block of a slab.
// states: made by `npm run abi -- --write`
enum {
  LIVE = 0,
  CACHED = 1,
  FREE = 2,
  TOP = 3,
  OVERHEAD = 4
};
// end of states

enum { BLOCK_ALIGNMENT = 16, HEADER_WORD = 4, PAGE = 65536 };

// Says that there was no memory if there was none.
static inline void *or_no_memory(void *got) {
  if (__builtin_expect(got == NULL, 0))
    FAIL(ENOMEM);
  return got;
}

// The call that is inside, for what misuse prints; NULL: malloc or free, which are too short to say so.
#ifdef MORECORE_QUIET
#define CALLING(name) ((void)0)
#else
// Each thread's own. Compiled without atomics it is one variable for all, and wasm-ld refuses the file for a shared memory.
// clang 14 knows no other model of TLS than this, and need not be told so by a flag.
static __thread __attribute__((tls_model("local-exec"))) const char *calling;
#define CALLING(name) (calling = (name))
#endif

static int is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

// What is no more than a call of the allocator.

// definitions: made by `npm run abi -- --write`
void *calloc(size_t count, size_t bytes) { return or_no_memory(mc_calloc(count, bytes)); }

void *realloc(void *ptr, size_t bytes) {
  CALLING("realloc");
  void *answer = mc_realloc(ptr, bytes);
  CALLING(NULL);
  return or_no_memory(answer);
}

void *reallocarray(void *ptr, size_t count, size_t bytes) {
  CALLING("reallocarray");
  void *answer = mc_reallocarray(ptr, count, bytes);
  CALLING(NULL);
  return or_no_memory(answer);
}

void free_sized(void *ptr, size_t bytes) {
  CALLING("free_sized");
  mc_free_sized(ptr, bytes);
  CALLING(NULL);
}

void free_aligned_sized(void *ptr, size_t alignment, size_t bytes) {
  CALLING("free_aligned_sized");
  mc_free_aligned_sized(ptr, alignment, bytes);
  CALLING(NULL);
}

size_t malloc_usable_size(void *ptr) {
  CALLING("malloc_usable_size");
  size_t answer = mc_malloc_usable_size(ptr);
  CALLING(NULL);
  return answer;
}

size_t malloc_good_size(size_t bytes) { return mc_malloc_good_size(bytes); }

int malloc_trim(size_t pad) { return mc_malloc_trim(pad); }

size_t malloc_footprint(void) { return mc_malloc_footprint(); }

size_t malloc_max_footprint(void) { return mc_malloc_max_footprint(); }

size_t malloc_footprint_limit(void) { return mc_malloc_footprint_limit(); }

void **independent_calloc(size_t count, size_t bytes, void *chunks[]) {
  return or_no_memory(mc_independent_calloc(count, bytes, chunks));
}

void **independent_comalloc(size_t count, size_t sizes[], void *chunks[]) {
  return or_no_memory(mc_independent_comalloc(count, sizes, chunks));
}
// end of definitions

// ISO C and POSIX.

APART void *malloc(size_t bytes) { return or_no_memory(mc_malloc(bytes)); }

// POSIX.1-2024: errno is as it was.
void free(void *ptr) { mc_free(ptr); }

void *aligned_alloc(size_t alignment, size_t bytes) {
  if (!is_power_of_two(alignment)) {
    FAIL(EINVAL);
    return NULL;
  }
  return or_no_memory(mc_memalign(alignment, bytes));
}

// The error is the answer; POSIX says nothing of errno, and glibc leaves it alone. Done here, because a C library's numbers
// for the errors need not be the kernel's: WASI has its own.
int posix_memalign(void **result, size_t alignment, size_t bytes) {
  if (alignment < sizeof(void *) || !is_power_of_two(alignment))
    return EINVAL;
  void *got = mc_memalign(alignment, bytes);
  if (got == NULL)
    return ENOMEM;
  *result = got;
  return 0;
}

// BSD, SVID, glibc and macOS.

void *memalign(size_t alignment, size_t bytes) {
  // No power of two is above: glibc's rule, since there is none to round up to.
  if (alignment > SIZE_MAX / 2 + 1) {
    FAIL(EINVAL);
    return NULL;
  }
  return or_no_memory(mc_memalign(alignment, bytes));
}

void *valloc(size_t bytes) { return or_no_memory(mc_memalign(PAGE, bytes)); }

void *pvalloc(size_t bytes) {
  size_t whole = (bytes + (PAGE - 1)) & ~(size_t)(PAGE - 1);
  return or_no_memory(whole < bytes ? NULL : mc_memalign(PAGE, whole));
}

int mallopt(int parameter, int value) {
  (void)parameter;
  (void)value;
  return 0;
}

struct mallinfo2 mallinfo2(void) {
  size_t top = mc_bytes_of(TOP);
  size_t cached = mc_bytes_of(CACHED);
  struct mallinfo2 info = {0};
  info.arena = mc_malloc_footprint();
  info.ordblks = mc_count_of(FREE) + mc_count_of(TOP);
  info.smblks = mc_count_of(CACHED);
  info.fsmblks = cached;
  info.fordblks = mc_bytes_of(FREE) + cached + top;
  info.uordblks = info.arena - info.fordblks;
  info.keepcost = top;
  return info;
}

struct mallinfo mallinfo(void) {
  struct mallinfo2 wide = mallinfo2();
  struct mallinfo info = {0};
  info.arena = wide.arena;
  info.ordblks = wide.ordblks;
  info.smblks = wide.smblks;
  info.fsmblks = wide.fsmblks;
  info.uordblks = wide.uordblks;
  info.fordblks = wide.fordblks;
  info.keepcost = wide.keepcost;
  return info;
}

// dlmalloc.

size_t malloc_set_footprint_limit(size_t bytes) {
  mc_malloc_set_footprint_limit(bytes);
  return mc_malloc_footprint_limit();
}

void *realloc_in_place(void *ptr, size_t bytes) {
  if (ptr == NULL)
    return NULL;
  CALLING("realloc_in_place");
  void *got = mc_realloc_in_place(ptr, bytes);
  CALLING(NULL);
  return or_no_memory(got);
}

size_t bulk_free(void *array[], size_t count) {
  CALLING("bulk_free");
  mc_bulk_free(array, count);
  CALLING(NULL);
  return 0;
}

// The allocator's own pieces are passed over. A piece with a header begins one word before its payload.
void malloc_inspect_all(void (*visit)(void *start, void *end, size_t used, void *arg), void *arg) {
  for (uintptr_t at = mc_first_piece(); at != 0;) {
    uintptr_t next = mc_next_piece(at);
    unsigned state = mc_piece_state(at);
    uintptr_t start = (at + HEADER_WORD) & ~(uintptr_t)(BLOCK_ALIGNMENT - 1);
    size_t used = state == LIVE ? mc_malloc_usable_size((void *)start) : 0;
    uintptr_t end = state == LIVE ? start + used : at + mc_piece_bytes(at);
    if (state != OVERHEAD && start < end)
      visit((void *)start, (void *)end, used, arg);
    at = next;
  }
}

// Other names for the same: SunOS's, and those by which C libraries call their own malloc.

#define ALIAS(name) __attribute__((alias(#name)))

void cfree(void *ptr) ALIAS(free);
void *__libc_malloc(size_t bytes) ALIAS(malloc);
void __libc_free(void *ptr) ALIAS(free);
void *__libc_calloc(size_t count, size_t bytes) ALIAS(calloc);
void *__libc_realloc(void *ptr, size_t bytes) ALIAS(realloc);
void *__libc_memalign(size_t alignment, size_t bytes) ALIAS(memalign);
#ifdef __EMSCRIPTEN__
void *emscripten_builtin_malloc(size_t bytes) ALIAS(malloc);
void emscripten_builtin_free(void *ptr) ALIAS(free);
void *emscripten_builtin_calloc(size_t count, size_t bytes) ALIAS(calloc);
void *emscripten_builtin_realloc(void *ptr, size_t bytes) ALIAS(realloc);
void *emscripten_builtin_memalign(size_t alignment, size_t bytes) ALIAS(memalign);
#endif

// What is printed. Nothing here allocates.

#ifndef MORECORE_QUIET
#include <unistd.h>

enum { LINE_BYTES = 128 };

struct line {
  size_t length;
  char text[LINE_BYTES];
};

static void put(struct line *line, const char *text) {
  while (*text != '\0' && line->length < LINE_BYTES)
    line->text[line->length++] = *text++;
}

static void put_number(struct line *line, size_t number, unsigned radix, int width, char pad) {
  char digits[12];
  char *first = digits + sizeof digits;
  *--first = '\0';
  do
    *--first = "0123456789abcdef"[number % radix];
  while ((number /= radix) != 0);
  for (int missing = width - (int)(digits + sizeof digits - 1 - first); missing > 0; missing--)
    *--first = pad;
  put(line, first);
}

static void print(struct line *line) {
  put(line, "\n");
  // There is nobody to tell if it fails.
  if (write(STDERR_FILENO, line->text, line->length) < 0)
    return;
}

static void print_bytes(const char *what, size_t bytes) {
  struct line line = {0};
  put(&line, what);
  put_number(&line, bytes, 10, 10, ' ');
  print(&line);
}

// The three lines of dlmalloc's malloc_stats.
void malloc_stats(void) {
  print_bytes("max system bytes = ", mc_malloc_max_footprint());
  print_bytes("system bytes     = ", mc_malloc_footprint());
  print_bytes("in use bytes     = ", mallinfo2().uordblks);
}

static const char *words_for(unsigned code) {
  switch (code) {
// words: made by `npm run abi -- --write`
  case MORECORE_MISALIGNED: return "no block's address, for it is no multiple of 16";
  case MORECORE_OUTSIDE: return "no block's address, for it is outside the heap";
  case MORECORE_DOUBLE_FREE: return "the block was freed before, or its header was overwritten";
  case MORECORE_NOT_A_BLOCK: return "no block begins there, or its header was overwritten";
  case MORECORE_SIZE_MISMATCH: return "the block has another size";
  case MORECORE_ALIGNMENT_MISMATCH: return "the block has another alignment";
  case MORECORE_CORRUPTED: return "heap corrupted there, by a write after free or past a block's end";
  case MORECORE_LISTED_TWICE: return "the list has the block twice";
  case MORECORE_TAKEN_BACK: return "the thread was not heard of, and its place in the heap has been taken back";
// end of words
  default: return "misuse";
  }
}

// Of the calls that do not say their names only free is given addresses.
static const char *call_for(unsigned code) {
  return calling != NULL ? calling : code == MORECORE_CORRUPTED ? "malloc or free" : "free";
}

static void complain(unsigned code, void *address) {
  struct line line = {0};
  put(&line, "morecore: ");
  put(&line, call_for(code));
  put(&line, code == MORECORE_CORRUPTED ? ": 0x" : "(0x");
  put_number(&line, (uintptr_t)address, 16, 8, '0');
  put(&line, code == MORECORE_CORRUPTED ? ": " : "): ");
  put(&line, words_for(code));
  print(&line);
}
#else
void malloc_stats(void) {}

static void complain(unsigned code, void *address) {
  (void)code;
  (void)address;
}
#endif

// What is called on misuse.

__attribute__((weak)) void morecore_abort(unsigned code, void *address) {
  complain(code, address);
  __builtin_trap();
}

// Exported in place of morecore_abort, which may be a program's own and may return. `morecore link` lets the allocator
// call it, and takes the export out again.
__attribute__((export_name("morecore_abort"), noreturn)) void morecore_refuse(unsigned code, void *address) {
  morecore_abort(code, address);
  __builtin_trap();
}

#if defined(__EMSCRIPTEN__) && defined(__EMSCRIPTEN_PTHREADS__)
#include <unistd.h>

// With -sMALLOC=none there is none, and none is needed. The allocator itself grows a memory that threads share, all that lies
// behind the program's stack is its, and Emscripten's JavaScript looks whether the memory has grown.
void *sbrk(intptr_t more) {
  (void)more;
  FAIL(ENOMEM);
  return (void *)-1;
}
#elif defined(__EMSCRIPTEN__)
#include <emscripten/heap.h>

extern unsigned char __heap_base;

// With -sMALLOC=none there is none. Emscripten's JavaScript must know when the memory grows, so it is what grows it.
void *sbrk(intptr_t more) {
  static uintptr_t end = 0;
  uintptr_t from = end != 0 ? end : (uintptr_t)&__heap_base, to = from + more;
  int wraps = more > 0 ? to < from : to > from;
  if (wraps || (to > emscripten_get_heap_size() && !emscripten_resize_heap(to))) {
    FAIL(ENOMEM);
    return (void *)-1;
  }
  end = to;
  return (void *)from;
}

// Exported for the allocator, which asks for all its memory here when it can.
__attribute__((export_name("morecore_grow"))) void *morecore_grow(size_t bytes) {
  size_t missing = -(uintptr_t)sbrk(0) % BLOCK_ALIGNMENT;
  void *got = sbrk(missing + bytes);
  return got == (void *)-1 ? NULL : (char *)got + missing;
}
#endif
