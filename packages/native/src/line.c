// line.c: lines on stderr.

#define _GNU_SOURCE
#include "line.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

// Where descriptors of ours begin: above those that programs count on.
enum { FIRST_OWN = 200 };

static int kept = -1;
static struct stat kept_file;

void keep_stderr(void) {
  kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_OWN);
  if (kept >= 0 && fstat(kept, &kept_file) != 0)
    kept = -1;
}

// The kept one, if the program has not closed that too and opened something else under its number.
static int standard_error(void) {
  struct stat file;
  bool is_ours = kept >= 0 && fstat(kept, &file) == 0 && file.st_ino == kept_file.st_ino &&
                 file.st_dev == kept_file.st_dev;
  return is_ours ? kept : STDERR_FILENO;
}

void put_part(struct line *line, const char *text, size_t bytes) {
  // One byte is kept for the line's end.
  for (size_t index = 0; index < bytes && text[index] != '\0' && line->length < LINE_BYTES - 1; index++)
    line->text[line->length++] = text[index];
}

void put(struct line *line, const char *text) { put_part(line, text, LINE_BYTES); }

static void put_digits(struct line *line, size_t number, unsigned radix, int width, char pad) {
  char digits[24];
  char *end = digits + sizeof digits, *first = end;
  do
    *--first = "0123456789abcdef"[number % radix];
  while ((number /= radix) != 0);
  while (end - first < width && first > digits)
    *--first = pad;
  put_part(line, first, (size_t)(end - first));
}

void put_number(struct line *line, size_t number, int width) { put_digits(line, number, 10, width, ' '); }

void put_address(struct line *line, const void *ptr) {
  put(line, "0x");
  put_digits(line, (uintptr_t)ptr, 16, 12, '0');
}

void print(struct line *line) {
  int saved = errno;
  line->text[line->length++] = '\n';
  // There is nobody to tell if it fails.
  if (write(standard_error(), line->text, line->length) < 0)
    line->length = 0;
  errno = saved;
}
