// replay: plays a trace (traces/FORMAT.md, uncompressed) on the malloc that it runs with.
//
//   replay FILE time REPEATS    prints the fastest pass: nanoseconds for a call. A block's first word is written.
//   replay FILE touch           plays it once for others to count: of each block one byte in each 64 and the last are
//                               written. Prints the number of calls.
//   replay FILE peak            prints by how many bytes the resident memory has grown at most. All of each block is
//                               written.
//
// What it needs for itself is mapped, so that it is no part of what is measured.

#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum kind { MALLOC, CALLOC, REALLOC, FREE, ALIGNED };
enum { HEADER = 40, AT_CALLS = 8, AT_SLOTS = 12 };

struct call {
  uint32_t kind, slot, size, alignment;
};

struct trace {
  uint32_t calls, slots;
  struct call *call;
};

static void *map(size_t bytes) {
  void *got = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (got == MAP_FAILED) {
    perror("mmap");
    exit(2);
  }
  return got;
}

static uint32_t varint(const unsigned char **at) {
  uint32_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    unsigned char byte = *(*at)++;
    value |= (uint32_t)(byte & 127) << shift;
    if (byte < 128)
      return value;
  }
}

static struct trace read_trace(const char *name) {
  int file = open(name, O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) {
    perror(name);
    exit(2);
  }
  const unsigned char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (bytes == MAP_FAILED || status.st_size < HEADER || memcmp(bytes, "MCTRACE1", 8) != 0) {
    fprintf(stderr, "%s: not an uncompressed trace\n", name);
    exit(2);
  }
  struct trace trace;
  memcpy(&trace.calls, bytes + AT_CALLS, 4);
  memcpy(&trace.slots, bytes + AT_SLOTS, 4);
  trace.call = map(sizeof *trace.call * trace.calls);
  const unsigned char *at = bytes + HEADER;
  for (uint32_t index = 0; index < trace.calls; index++) {
    struct call call = {0};
    call.kind = *at++ & 15;
    call.slot = varint(&at);
    call.alignment = call.kind == ALIGNED ? varint(&at) : 0;
    call.size = call.kind == FREE ? 0 : varint(&at);
    trace.call[index] = call;
  }
  munmap((void *)bytes, (size_t)status.st_size);
  close(file);
  return trace;
}

static void *take(const struct call *call, void *old) {
  switch (call->kind) {
  case MALLOC: return malloc(call->size);
  case CALLOC: return calloc(1, call->size);
  case REALLOC: return realloc(old, call->size);
  default: return memalign(call->alignment, call->size);
  }
}

// How much of each block is written.
enum written { FIRST_WORD, EACH_LINE, ALL };

static inline void write_to(char *block, const struct call *call, enum written written) {
  if (written == ALL && call->kind != CALLOC)
    memset(block, 1, call->size);
  if (written == FIRST_WORD && call->size >= sizeof(uint64_t))
    *(volatile uint64_t *)block = 1;
  if (written != EACH_LINE || call->size == 0)
    return;
  for (uint32_t at = 0; at < call->size; at += 64)
    ((volatile char *)block)[at] = 1;
  ((volatile char *)block)[call->size - 1] = 1;
}

// Inlined each time, so that the timed one asks nothing.
static inline __attribute__((always_inline)) void play(const struct trace *trace, void **blocks,
                                                       enum written written) {
  const struct call *end = trace->call + trace->calls;
  for (const struct call *call = trace->call; call < end; call++) {
    if (call->kind == FREE) {
      free(blocks[call->slot]);
      blocks[call->slot] = NULL;
      continue;
    }
    char *block = take(call, blocks[call->slot]);
    if (block == NULL) {
      fprintf(stderr, "no memory for %u bytes\n", call->size);
      exit(1);
    }
    write_to(block, call, written);
    blocks[call->slot] = block;
  }
}

static void release(const struct trace *trace, void **blocks) {
  for (uint32_t slot = 0; slot < trace->slots; slot++) {
    free(blocks[slot]);
    blocks[slot] = NULL;
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void time_it(const struct trace *trace, void **blocks, int repeats) {
  double least = 0;
  for (int pass = 0; pass < repeats; pass++) {
    double start = now();
    play(trace, blocks, FIRST_WORD);
    double taken = now() - start;
    release(trace, blocks);
    if (pass == 0 || taken < least)
      least = taken;
  }
  printf("%.3f\n", least / trace->calls);
}

// A line of /proc/self/status, in bytes. It is read without stdio, which would allocate.
static long status_of(const char *name) {
  char text[8192];
  int file = open("/proc/self/status", O_RDONLY);
  ssize_t count = file < 0 ? 0 : read(file, text, sizeof text - 1);
  close(file);
  text[count > 0 ? count : 0] = '\0';
  const char *line = strstr(text, name);
  return line == NULL ? 0 : atol(line + strlen(name)) * 1024;
}

static void measure_peak(const struct trace *trace, void **blocks) {
  long before = status_of("VmRSS:");
  play(trace, blocks, ALL);
  printf("%ld\n", status_of("VmHWM:") - before);
}

int main(int count, char **arguments) {
  const char *what = count >= 3 ? arguments[2] : "";
  int is_time = count == 4 && strcmp(what, "time") == 0;
  int is_touch = count == 3 && strcmp(what, "touch") == 0;
  if (!is_time && !is_touch && !(count == 3 && strcmp(what, "peak") == 0)) {
    fprintf(stderr, "usage: replay FILE time REPEATS | replay FILE touch | replay FILE peak\n");
    return 2;
  }
  struct trace trace = read_trace(arguments[1]);
  void **blocks = map(sizeof *blocks * trace.slots);
  if (is_time)
    time_it(&trace, blocks, atoi(arguments[3]));
  else if (is_touch) {
    play(&trace, blocks, EACH_LINE);
    printf("%u\n", trace.calls);
  } else
    measure_peak(&trace, blocks);
  return 0;
}
