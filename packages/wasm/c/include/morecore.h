// morecore.h: what morecore's malloc has beyond <stdlib.h>.
//
// Compile lib/morecore.c into a program for wasm32 and it has this malloc instead of its C library's; include this
// header where you call what <stdlib.h> does not declare. `morecore link` then puts the allocator itself into the module
// (docs/WASM.md tells of the other ways). docs/C-RULES.md has each function's behaviour in the odd cases.
//
// Where nothing else is said: a function that gives a pointer answers NULL, with errno ENOMEM, when there is no memory,
// and everything is as it was. Every block is 16-byte aligned, and may be given to free.

#ifndef MORECORE_H
#define MORECORE_H

#include <stddef.h>

#ifdef __EMSCRIPTEN__
#include <malloc.h> // struct mallinfo
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ISO C and POSIX, for libraries whose <stdlib.h> is older than C23 and POSIX.1-2024.

// C and POSIX: made by `npm run abi -- --write`
// realloc to count * bytes; NULL with errno ENOMEM, and the block as it was, also when that overflows.
void *reallocarray(void *ptr, size_t count, size_t bytes);
// NULL with errno EINVAL when the alignment is no power of two. Any size will do, as in C23.
void *aligned_alloc(size_t alignment, size_t bytes);
// 0, or EINVAL (no power of two, or less than a pointer's size) or ENOMEM with *result as it was. errno is left alone.
int posix_memalign(void **result, size_t alignment, size_t bytes);
// free, of a block that was asked for with this size. Another size is misuse.
void free_sized(void *ptr, size_t bytes);
// free_sized, and the address must have the alignment.
void free_aligned_sized(void *ptr, size_t alignment, size_t bytes);
// end of C and POSIX

// BSD, SVID, glibc and macOS.

// BSD: made by `npm run abi -- --write`
// An alignment that is no power of two is rounded up to one. Above 2^31: NULL with errno EINVAL.
void *memalign(size_t alignment, size_t bytes);
// Bytes that may be used at `ptr`, at least those asked for; 0 for NULL.
size_t malloc_usable_size(void *ptr);
// The usable size that malloc(bytes) will give; 0 if it never can.
size_t malloc_good_size(size_t bytes);
// Lowers the footprint as far as the blocks allow, but for `pad` bytes: 1 if it could. The memory itself cannot shrink.
int malloc_trim(size_t pad);
// end of BSD

// At a multiple of 65536, WebAssembly's page; pvalloc also rounds the size up to one.
void *valloc(size_t bytes);
void *pvalloc(size_t bytes);
// free, under the name that it had in SunOS 4.
void cfree(void *ptr);
// No parameter can be set: 0, which says so.
int mallopt(int parameter, int value);
// Three lines on stderr.
void malloc_stats(void);

#ifndef __EMSCRIPTEN__
struct mallinfo {
  int arena;    // the footprint: bytes got from the memory
  int ordblks;  // free chunks, the top one among them
  int smblks;   // cached chunks: freed, and not yet merged
  int hblks;    // 0
  int hblkhd;   // 0
  int usmblks;  // 0
  int fsmblks;  // bytes of the cached chunks
  int uordblks; // bytes in use, with the allocator's own
  int fordblks; // free bytes: arena - uordblks
  int keepcost; // bytes of the top chunk
};
#endif
struct mallinfo2 {
  size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);

// dlmalloc.

// dlmalloc: made by `npm run abi -- --write`
// Bytes got from the memory now.
size_t malloc_footprint(void);
// Bytes got from the memory at most since the beginning.
size_t malloc_max_footprint(void);
// The bound on the footprint; SIZE_MAX: none; 0: it never grows.
size_t malloc_footprint_limit(void);
// Sets that bound; answers with what it is now.
size_t malloc_set_footprint_limit(size_t bytes);
// `ptr` if the block could get the size where it lies; else NULL with errno ENOMEM, and it is as it was. NULL for NULL.
void *realloc_in_place(void *ptr, size_t bytes);
// Blocks side by side, zeroed, each to be freed on its own. Their addresses are stored in `chunks`, or, if that is
// NULL, in a block of its own, to be freed too; answers with that array.
void **independent_calloc(size_t count, size_t bytes, void *chunks[]);
// The same, not zeroed, each block with a size of its own.
void **independent_comalloc(size_t count, size_t sizes[], void *chunks[]);
// Frees all in the array, and clears it; NULLs are skipped. Answers with how many were not freed: 0.
size_t bulk_free(void *array[], size_t count);
// end of dlmalloc

// Calls `visit` for each region of the heap, in address order. `used` is 0 for a free one. It must not change the heap.
void malloc_inspect_all(void (*visit)(void *start, void *end, size_t used, void *arg), void *arg);

// Misuse.

// What the allocator refuses: the `code` of morecore_abort.

// codes: made by `npm run abi -- --write`
enum {
  MORECORE_MISALIGNED = 1,
  MORECORE_OUTSIDE = 2,
  MORECORE_DOUBLE_FREE = 3,
  MORECORE_NOT_A_BLOCK = 4,
  MORECORE_SIZE_MISMATCH = 5,
  MORECORE_ALIGNMENT_MISMATCH = 6,
  MORECORE_CORRUPTED = 7,
  MORECORE_LISTED_TWICE = 8,
  MORECORE_TAKEN_BACK = 9
};
// end of codes

// Called on misuse, before anything was changed. The one in morecore.c is weak: define your own to do something else. It
// must not allocate; the program ends with a trap when it returns.
void morecore_abort(unsigned code, void *address);

#ifdef __cplusplus
}
#endif

#endif
