// trace.h: MORECORE_TRACE=file: what the program asks for, as a trace (traces/FORMAT.md) that `morecore replay` plays.
//
// Owns:  the recorder. All of it is called from inside the lock, so that the records are in one true order.
// Needs: mmap, and a file that can be written.

#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum trace_kind { TRACE_MALLOC, TRACE_CALLOC, TRACE_REALLOC, TRACE_FREE, TRACE_ALIGNED };

// Whether a trace is recorded.
extern bool tracing;

// Begins if the environment says so. Whether it does.
bool trace_start(void);
void trace_taken(enum trace_kind kind, void *ptr, size_t bytes, size_t alignment);
void trace_resized(void *old, void *ptr, size_t bytes);
// Addresses that are no recorded block's are passed over.
void trace_given_back(void *ptr);
// Writes what has been gathered, and a header that fits it.
void trace_flush(void);

#endif
