// What mimalloc needs around it as a peer that JavaScript calls: room before it is used.

#include <stdbool.h>
#include <stddef.h>

extern unsigned char __heap_base;
extern int mi_reserve_os_memory(size_t bytes, bool commit, bool allow_large);

unsigned long heap_base(void) { return (unsigned long)&__heap_base; }

void reserve(size_t bytes) { mi_reserve_os_memory(bytes, true, false); }
