// trace.c: the recorder.
//
// Owns:       the records that are not written yet; the file's name.
// Needs:      trace-blocks, line, gzip.
// Invariants: T1  after each write the file is a whole trace, of the calls up to then
//
// The file is opened for each write. A program may close all files, as a daemon does, or change its
// directory. That must neither end the trace nor put it into a file of the program's own. A child of fork
// records nothing: it has its parent's blocks.
//
// A file whose name ends in .gz has a gzip member for each write, behind one for the header, which is stored so that it can be
// written over.

#define _GNU_SOURCE
#include "trace.h"
#include "gzip.h"
#include "line.h"
#include "state.h"
#include "trace-blocks.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { HEADER_LENGTH = 40, BUFFER_BYTES = 1 << 16, MOST_RECORD_BYTES = 24, LAST_THREAD = 15 };

bool tracing;

static struct recorder {
  char path[PATH_MAX];
  pid_t owner;
  bool packed;
  uint32_t records, threads;
  off_t written;
  size_t gathered;
  unsigned char buffer[BUFFER_BYTES], member[BUFFER_BYTES + GZIP_MOST];
} recorder;

// The thread's number, in the order of their first calls, and 1; 0: it has made none.
static __thread uint32_t thread_number __attribute__((tls_model("initial-exec")));

static void stop(const char *why) {
  SHARED_STORE(tracing, false);
  struct line line = {0};
  put(&line, "morecore: MORECORE_TRACE: ");
  put(&line, why);
  put(&line, ": ");
  put(&line, recorder.path);
  print(&line);
}

// Appends to the path, which stays a string.
static void append(const char *text, size_t bytes) {
  size_t length = strlen(recorder.path);
  for (size_t index = 0; index < bytes && length + 1 < sizeof recorder.path; index++)
    recorder.path[length++] = text[index];
  recorder.path[length] = '\0';
}

static void append_number(unsigned number) {
  char digits[12], *first = digits + sizeof digits;
  do
    *--first = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  append(first, (size_t)(digits + sizeof digits - first));
}

// The path from the root, with the process's number for each %p.
static void name_file(const char *given) {
  if (given[0] != '/' && getcwd(recorder.path, sizeof recorder.path / 2) != NULL)
    append("/", 1);
  for (; *given != '\0'; given++)
    if (given[0] == '%' && given[1] == 'p') {
      append_number((unsigned)recorder.owner);
      given++;
    } else
      append(given, 1);
  size_t length = strlen(recorder.path);
  recorder.packed = length > 3 && strcmp(recorder.path + length - 3, ".gz") == 0;
}

bool trace_start(void) {
  const char *given = secure_setting("MORECORE_TRACE");
  if (given == NULL || *given == '\0')
    return false;
  recorder.owner = getpid();
  name_file(given);
  int file = open(recorder.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) {
    stop("cannot write");
    return false;
  }
  // Programs that a recorded one starts inherit the name. The first has the file as long as it runs.
  int kept = fcntl(file, F_DUPFD_CLOEXEC, 200);
  close(file);
  if (kept < 0 || flock(kept, LOCK_EX | LOCK_NB) != 0 || ftruncate(kept, 0) != 0) {
    close(kept);
    return false;
  }
  recorder.written = HEADER_LENGTH + (recorder.packed ? GZIP_STORED : 0);
  tracing = true;
  trace_flush();
  return tracing;
}

static void put_word(unsigned char *at, uint64_t value, unsigned bytes) {
  for (unsigned index = 0; index < bytes; index++)
    at[index] = (unsigned char)(value >> (8 * index));
}

static bool write_at(int file, const unsigned char *bytes, size_t count, off_t at) {
  while (count > 0) {
    ssize_t done = pwrite(file, bytes, count, at);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    bytes += done;
    count -= (size_t)done;
    at += done;
  }
  return true;
}

// Appends what has been gathered.
static bool write_records(int file) {
  const unsigned char *bytes = recorder.buffer;
  size_t count = recorder.gathered;
  if (recorder.packed && count > 0) {
    count = gzip_compressed(recorder.member, sizeof recorder.member, bytes, count);
    bytes = recorder.member;
    if (count == 0)
      return false;
  }
  if (!write_at(file, bytes, count, recorder.written))
    return false;
  recorder.written += (off_t)count;
  recorder.gathered = 0;
  return true;
}

static bool write_header(int file) {
  unsigned char header[HEADER_LENGTH] = "MCTRACE1", packed[HEADER_LENGTH + GZIP_STORED];
  put_word(header + 8, recorder.records, 4);
  put_word(header + 12, slot_totals.count, 4);
  put_word(header + 16, recorder.threads, 4);
  put_word(header + 24, slot_totals.peak_bytes, 8);
  put_word(header + 32, slot_totals.total_bytes, 8);
  if (!recorder.packed)
    return write_at(file, header, sizeof header, 0);
  return write_at(file, packed, gzip_stored(packed, header, sizeof header), 0);
}

void trace_flush(void) {
  // A child that was made without fork's handlers.
  if (getpid() != recorder.owner) {
    SHARED_STORE(tracing, false);
    return;
  }
  int saved = errno;
  int file = open(recorder.path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || !write_records(file) || !write_header(file))
    stop("cannot write");
  if (file >= 0)
    close(file);
  errno = saved;
}

static void put_varint(size_t value) {
  for (; value >= 128; value >>= 7)
    recorder.buffer[recorder.gathered++] = (unsigned char)(value | 128);
  recorder.buffer[recorder.gathered++] = (unsigned char)value;
}

static void put_record(enum trace_kind kind, uint32_t slot) {
  if (thread_number == 0)
    thread_number = ++recorder.threads;
  uint32_t thread = thread_number - 1 < LAST_THREAD ? thread_number - 1 : LAST_THREAD;
  recorder.buffer[recorder.gathered++] = (unsigned char)(thread << 4 | kind);
  put_varint(slot);
  recorder.records++;
}

// Whether the format has room for it. What has been gathered is written
// here if need be, while the totals still fit it.
static bool is_recorded(size_t bytes) {
  if (bytes > UINT32_MAX)
    stop("ends before a block of 4 GiB or more");
  else if (recorder.records == UINT32_MAX)
    stop("ends after 4294967295 calls");
  else if (recorder.gathered > BUFFER_BYTES - MOST_RECORD_BYTES)
    trace_flush();
  return tracing;
}

void trace_taken(enum trace_kind kind, void *ptr, size_t bytes, size_t alignment) {
  if (!is_recorded(bytes))
    return;
  uint32_t slot = take_slot(ptr, bytes);
  if (slot == NO_SLOT) {
    trace_flush();
    stop("ends, for want of memory");
    return;
  }
  put_record(kind, slot);
  if (kind == TRACE_ALIGNED)
    put_varint(alignment);
  put_varint(bytes);
}

void trace_resized(void *old, void *ptr, size_t bytes) {
  uint32_t slot = slot_of(old);
  if (slot == NO_SLOT || !is_recorded(bytes))
    return;
  // The format has no realloc to 0.
  if (bytes == 0) {
    trace_given_back(old);
    trace_taken(TRACE_MALLOC, ptr, 0, 0);
    return;
  }
  move_slot(slot, ptr, bytes);
  put_record(TRACE_REALLOC, slot);
  put_varint(bytes);
}

void trace_given_back(void *ptr) {
  uint32_t slot = slot_of(ptr);
  if (slot == NO_SLOT || !is_recorded(0))
    return;
  release_slot(slot);
  put_record(TRACE_FREE, slot);
}
