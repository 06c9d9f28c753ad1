// others.c: whose a block is that is not ours.

#define _GNU_SOURCE
#include "others.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Absent in other C libraries.
extern void __libc_free(void *ptr) __attribute__((weak));
extern void *__libc_realloc(void *ptr, size_t bytes) __attribute__((weak));

// One for each region that there may be, and as many for those that children of children abandon.
enum { MOST_ABANDONED = 2 * MOST_REGIONS };
static struct range abandoned[MOST_ABANDONED];
static unsigned abandoned_count;

void abandon(Base from, size_t bytes) {
  if (abandoned_count < MOST_ABANDONED)
    abandoned[abandoned_count++] = (struct range){from, bytes};
}

// The stretch that an address lies in, which is in one.
static const struct range *abandoned_around(const void *ptr) {
  const struct range *range = abandoned;
  while (!is_among(ptr, range, 1))
    range++;
  return range;
}

// What the kernel would say, without its doubts: what stands beside a live block may be half written.
static size_t abandoned_size(const void *ptr) {
  const struct range *range = abandoned_around(ptr);
  u32 at = (u32)((Base)ptr - range->from), bytes = slab_block_bytes(range->from, range->bytes, at);
  if (bytes != 0)
    return bytes;
  size_t size = safe_word(range->from, range->bytes, at - HEADER_WORD) & ~(u32)FLAGS, room = range->bytes - at;
  return size < HEADER_WORD ? 0 : size - HEADER_WORD < room ? size - HEADER_WORD : room;
}

// glibc's malloc.

enum { PREVIOUS_LIVE = 1, HAS_MAPPING = 2, IN_OTHER_HEAP = 4, ALL_FLAGS = 7 };
enum { WORD = sizeof(size_t), LEAST_CHUNK = 4 * WORD, STRETCH = 64 << 20 };

// Whether a word can be read: the kernel looks at it before it refuses what it is asked to do.
static bool is_readable(uintptr_t at) {
  int saved = errno;
  bool is = at % WORD == 0 && syscall(SYS_rt_sigprocmask, -1, at, NULL, WORD) != 0 && errno == EINVAL;
  errno = saved;
  return is;
}

static size_t word_at(uintptr_t at) {
  size_t word = 0;
  if (is_readable(at))
    memcpy(&word, (const void *)at, WORD);
  return word;
}

static bool is_page_start(uintptr_t at) { return at % OS_PAGE == 0; }

// Where the break was when the process began: a field of /proc/self/stat. SIZE_MAX: it cannot be told.
static uintptr_t first_break(void) {
  enum { FIELD = 47, NAME_FIELD = 2 };
  static uintptr_t found;
  char text[1024];
  int file = found == 0 ? open("/proc/self/stat", O_RDONLY | O_CLOEXEC) : -1;
  ssize_t count = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0)
    close(file);
  if (found != 0 || count <= 0)
    return found != 0 ? found : SIZE_MAX;
  text[count] = '\0';
  // The second field is a name in brackets, and may have any of them and blanks.
  const char *at = strrchr(text, ')');
  for (int field = NAME_FIELD; at != NULL && field < FIELD; field++)
    at = strchr(at + 1, ' ');
  for (found = 0; at != NULL && at[1] >= '0' && at[1] <= '9'; at++)
    found = found * 10 + (uintptr_t)(at[1] - '0');
  return found != 0 ? found : SIZE_MAX;
}

// Whether a chunk ends before `end`, and the next one says that it is live.
static bool is_live_below(uintptr_t ptr, size_t size, uintptr_t end) {
  return size >= LEAST_CHUNK && size < end - ptr && (word_at(ptr + size - WORD) & PREVIOUS_LIVE) != 0;
}

static bool is_of_main_heap(uintptr_t ptr, size_t size) {
  uintptr_t end = (uintptr_t)sbrk(0);
  return ptr < end && ptr > first_break() && is_live_below(ptr, size, end);
}

// Such a heap begins with its arena's address, its predecessor's, and its bytes.
static bool is_of_other_heap(uintptr_t ptr, size_t size) {
  uintptr_t start = ptr & ~(uintptr_t)(STRETCH - 1);
  uintptr_t arena = word_at(start), bytes = word_at(start + 2 * WORD);
  bool is_heap = bytes % OS_PAGE == 0 && bytes <= STRETCH && ptr - start < bytes && is_readable(arena);
  return is_heap && is_live_below(ptr, size, start + bytes);
}

// The chunk may begin behind the mapping's beginning, as the word before its size says.
static bool is_mapped_alone(uintptr_t ptr, size_t size) {
  uintptr_t chunk = ptr - 2 * WORD;
  size_t lead = word_at(chunk);
  if (size < LEAST_CHUNK || lead > chunk || size > PTRDIFF_MAX - chunk)
    return false;
  bool is_whole = is_page_start(chunk - lead) && is_page_start(chunk + size);
  return is_whole && is_readable(chunk - lead) && is_readable(chunk + size - WORD);
}

static bool is_library_block(uintptr_t ptr) {
  if (ptr % ALIGNMENT != 0 || ptr < OS_PAGE)
    return false;
  size_t head = word_at(ptr - WORD), size = head & ~(size_t)ALL_FLAGS;
  if (size % ALIGNMENT != 0)
    return false;
  if (head & HAS_MAPPING)
    return is_mapped_alone(ptr, size);
  return head & IN_OTHER_HEAP ? is_of_other_heap(ptr, size) : is_of_main_heap(ptr, size);
}

enum owner owner_of(const void *ptr) {
  if (is_among(ptr, abandoned, abandoned_count))
    return ABANDONED;
  return &__libc_free != NULL && &__libc_realloc != NULL && is_library_block((uintptr_t)ptr) ? C_LIBRARY : NOBODY;
}

size_t size_at_owner(enum owner owner, const void *ptr) {
  if (owner == ABANDONED)
    return abandoned_size(ptr);
  size_t head = word_at((uintptr_t)ptr - WORD), size = head & ~(size_t)ALL_FLAGS;
  return size - (head & HAS_MAPPING ? 2 * WORD : WORD);
}

void library_free(void *ptr) { __libc_free(ptr); }

void *library_realloc(void *ptr, size_t bytes) { return __libc_realloc(ptr, bytes); }
