// no-zlib: in place of zlib, which Debian has for another processor only with that one's packages. It compresses nothing, so
// that no trace can be written.

#include <zlib.h>

uLong crc32(uLong crc, const Bytef *bytes, uInt count) {
  (void)bytes, (void)count;
  return crc;
}

int deflateInit2_(z_streamp stream, int level, int method, int bits, int memory, int strategy, const char *version, int size) {
  (void)stream, (void)level, (void)method, (void)bits, (void)memory, (void)strategy, (void)version, (void)size;
  return Z_MEM_ERROR;
}

int deflateReset(z_streamp stream) {
  (void)stream;
  return Z_STREAM_ERROR;
}

int deflate(z_streamp stream, int flush) {
  (void)stream, (void)flush;
  return Z_STREAM_ERROR;
}
