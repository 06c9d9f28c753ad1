// line.h: lines on stderr, put together without allocating.

#ifndef LINE_H
#define LINE_H

#include <stddef.h>

enum { LINE_BYTES = 512 };

struct line {
  size_t length;
  char text[LINE_BYTES];
};

void put(struct line *line, const char *text);
// Of a text that ends with `bytes` or a NUL.
void put_part(struct line *line, const char *text, size_t bytes);
// Filled up with blanks on the left.
void put_number(struct line *line, size_t number, int width);
void put_address(struct line *line, const void *ptr);
// Ends the line and writes it.
void print(struct line *line);
// Lets lines go where stderr leads now, also when the program has closed it by then.
void keep_stderr(void);

#endif
