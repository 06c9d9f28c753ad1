// gzip.h: parts of a gzip file (RFC 1952), which is as many members, one after the other, as one likes.
//
// Owns:  zlib's state. To be called from inside the lock.
// Needs: zlib, linked statically and out of sight: the program may have another. It gets no memory from malloc.

#ifndef GZIP_H
#define GZIP_H

#include <stddef.h>

enum {
  // What a member adds to bytes that are stored, not compressed: so it can be written over with others as many.
  GZIP_STORED = 23,
  // The same at most, for bytes up to 64 KiB that are compressed.
  GZIP_MOST = 1024
};

// Both give the member's length; 0: zlib refuses.
size_t gzip_stored(unsigned char *to, const unsigned char *bytes, size_t count);
size_t gzip_compressed(unsigned char *to, size_t room, const unsigned char *bytes, size_t count);

#endif
