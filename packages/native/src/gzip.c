// gzip.c: members of a gzip file.

#include "gzip.h"
#include "state.h"
#include <stdbool.h>
#include <zlib.h>

enum { HEADER = 10, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, ARENA_BYTES = 320 << 10 };

// zlib's state, taken once. Until then these pages are nobody's memory.
static unsigned char arena[ARENA_BYTES] __attribute__((aligned(16)));
static size_t taken;

static void *take(void *opaque, unsigned count, unsigned bytes) {
  (void)opaque;
  size_t total = ((size_t)count * bytes + 15) & ~(size_t)15;
  if (total > sizeof arena - taken)
    return NULL;
  taken += total;
  return arena + taken - total;
}

static void keep(void *opaque, void *address) {
  (void)opaque;
  (void)address;
}

static unsigned char *put_little_endian(unsigned char *to, u32 value, unsigned bytes) {
  for (unsigned index = 0; index < bytes; index++)
    *to++ = (unsigned char)(value >> (8 * index));
  return to;
}

size_t gzip_stored(unsigned char *to, const unsigned char *bytes, size_t count) {
  // Deflate, no name, no time, Unix; then one last block that is stored.
  static const unsigned char FIRST[HEADER + 1] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1};
  memcpy(to, FIRST, sizeof FIRST);
  unsigned char *at = put_little_endian(to + sizeof FIRST, (u32)count, 2);
  at = put_little_endian(at, ~(u32)count, 2);
  memcpy(at, bytes, count);
  at = put_little_endian(at + count, (u32)crc32(0, bytes, (uInt)count), 4);
  at = put_little_endian(at, (u32)count, 4);
  return (size_t)(at - to);
}

size_t gzip_compressed(unsigned char *to, size_t room, const unsigned char *bytes, size_t count) {
  static z_stream stream = {.zalloc = take, .zfree = keep};
  static bool begun;
  if (!begun && deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
    return 0;
  if (begun && deflateReset(&stream) != Z_OK)
    return 0;
  begun = true;
  // zlib does not write there.
  stream.next_in = (unsigned char *)bytes;
  stream.avail_in = (uInt)count;
  stream.next_out = to;
  stream.avail_out = (uInt)room;
  return deflate(&stream, Z_FINISH) == Z_STREAM_END ? room - stream.avail_out : 0;
}
