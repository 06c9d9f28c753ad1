// rules: a program that tries every rule of C's malloc family on the allocator that it is linked with.
//
//   rules            all rows but those that must end the program: a line each, id, verdict, what was found
//   rules --list     a line for each row: id, rule, last words
//   rules ID…        these rows
//
// test/c/rules.test.ts runs each row in an instance of its own.

#include "rules.h"
#include <stdarg.h>
#include <stdio.h>

volatile size_t opaque_zero = 0;

static char found[256];

enum verdict says(enum verdict verdict, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(found, sizeof found, format, arguments);
  va_end(arguments);
  return verdict;
}

void *hidden(void *ptr) { return (char *)ptr + opaque_zero; }

static unsigned char byte_of(size_t index, unsigned seed) { return (unsigned char)(index * 7 + seed * 31 + 1); }

void stamp(void *ptr, size_t bytes, unsigned seed) {
  for (size_t index = 0; index < bytes; index++)
    ((unsigned char *)ptr)[index] = byte_of(index, seed);
}

int holds(void *ptr, size_t bytes, unsigned seed) {
  for (size_t index = 0; index < bytes; index++)
    if (((volatile unsigned char *)ptr)[index] != byte_of(index, seed))
      return 0;
  return 1;
}

int is_zero(void *ptr, size_t bytes) {
  for (size_t index = 0; index < bytes; index++)
    if (((volatile unsigned char *)ptr)[index] != 0)
      return 0;
  return 1;
}

static const struct row *const groups[] = {iso_rows, posix_rows, extension_rows, misuse_rows};
enum { GROUP_COUNT = sizeof groups / sizeof *groups };

static const char *const VERDICTS[] = {"fail", "pass", "missing"};

static int run(const struct row *row) {
  found[0] = '\0';
  enum verdict verdict = row->run();
  printf("%s\t%s\t%s\n", row->id, VERDICTS[verdict], found);
  return verdict == PASS;
}

static int is_asked_for(const struct row *row, int count, char **ids) {
  if (count == 0)
    return row->last_words == NULL;
  for (int index = 0; index < count; index++)
    if (strcmp(row->id, ids[index]) == 0)
      return 1;
  return 0;
}

int main(int count, char **arguments) {
  // Not in the heap: there it would lie among the rows' blocks, with a hole before it that is given back at each trim.
  static char output[BUFSIZ];
  setvbuf(stdout, output, _IOFBF, sizeof output);
  int lists = count == 2 && strcmp(arguments[1], "--list") == 0;
  int all_pass = 1;
  for (int group = 0; group < GROUP_COUNT; group++)
    for (const struct row *row = groups[group]; row->id != NULL; row++)
      if (lists)
        printf("%s\t%s\t%s\n", row->id, row->rule, row->last_words == NULL ? "" : row->last_words);
      else if (is_asked_for(row, count - 1, arguments + 1))
        all_pass &= run(row);
  return all_pass ? 0 : 1;
}
