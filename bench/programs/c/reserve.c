// Room before the clock starts, of an allocator that uses as a whole again what was one big block.

#include <stdlib.h>

void reserve(size_t bytes) { free(malloc(bytes)); }
