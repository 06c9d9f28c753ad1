// words: how often each word occurs on standard input, the commonest first.
//
// A hash table that grows (calloc), a node and a copy for each word (malloc, strdup), a line of any length (getline, in
// the C library, which calls realloc), a sorted array (reallocarray). Nothing here knows of morecore.

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
  struct word *next;
  char *text;
  unsigned count;
};

static struct word **buckets;
static size_t bucket_count, word_count;

static void *or_die(void *ptr) {
  if (ptr != NULL)
    return ptr;
  fprintf(stderr, "words: %s\n", strerror(errno));
  exit(1);
}

static size_t hash(const char *text) {
  size_t hash = 5381;
  while (*text != '\0')
    hash = hash * 33 + (unsigned char)*text++;
  return hash;
}

// Twice as many buckets, the words put into their new ones.
static void grow(void) {
  size_t more = bucket_count == 0 ? 64 : 2 * bucket_count;
  struct word **larger = or_die(calloc(more, sizeof *larger));
  for (size_t index = 0; index < bucket_count; index++)
    for (struct word *word = buckets[index], *next; word != NULL; word = next) {
      struct word **bucket = &larger[hash(word->text) % more];
      next = word->next;
      word->next = *bucket;
      *bucket = word;
    }
  free(buckets);
  buckets = larger;
  bucket_count = more;
}

static void count(const char *text) {
  if (word_count >= bucket_count)
    grow();
  struct word **bucket = &buckets[hash(text) % bucket_count];
  for (struct word *word = *bucket; word != NULL; word = word->next)
    if (strcmp(word->text, text) == 0) {
      word->count++;
      return;
    }
  struct word *word = or_die(malloc(sizeof *word));
  *word = (struct word){*bucket, or_die(strdup(text)), 1};
  *bucket = word;
  word_count++;
}

static void count_line(char *line) {
  for (char *at = line; *at != '\0';) {
    while (*at != '\0' && !isalpha((unsigned char)*at))
      at++;
    char *start = at;
    for (; isalpha((unsigned char)*at); at++)
      *at = (char)tolower((unsigned char)*at);
    if (at == start)
      continue;
    char after = *at;
    *at = '\0';
    count(start);
    *at = after;
  }
}

static int by_count(const void *a, const void *b) {
  const struct word *first = *(struct word *const *)a, *second = *(struct word *const *)b;
  if (first->count != second->count)
    return first->count < second->count ? 1 : -1;
  return strcmp(first->text, second->text);
}

int main(int argument_count, char **arguments) {
  size_t shown = argument_count > 1 ? strtoul(arguments[1], NULL, 10) : 10;
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) >= 0)
    count_line(line);
  free(line);

  struct word **sorted = NULL;
  size_t total = 0;
  for (size_t index = 0; index < bucket_count; index++)
    for (struct word *word = buckets[index]; word != NULL; word = word->next) {
      sorted = or_die(reallocarray(sorted, total + 1, sizeof *sorted));
      sorted[total++] = word;
    }
  if (total > 0)
    qsort(sorted, total, sizeof *sorted, by_count);
  for (size_t index = 0; index < total && index < shown; index++)
    printf("%6u %s\n", sorted[index]->count, sorted[index]->text);
  printf("%zu different words\n", total);

  for (size_t index = 0; index < total; index++) {
    free(sorted[index]->text);
    free(sorted[index]);
  }
  free(sorted);
  free(buckets);
  return 0;
}
