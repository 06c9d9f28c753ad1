// settings.c: what the environment says.
//
// Owns:  the settings.
// Needs: the environment; line, to name what is wrong in it.
//
//   MORECORE_MEMORY=sbrk|mmap           where the first region comes from
//   MORECORE_OPTIONS=name=value,…       the names and rules of src/heap/options.ts, and mapThreshold
//   MORECORE_STATS=1                    figures on stderr at the end
//
// What is wrong is named, and the program runs as if it were not there.

#define _GNU_SOURCE
#include "heaps.h"
#include "line.h"
#include "state.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * KIB };

struct settings settings = {
    .sbrk = true,
    .dynamic = true,
    .map_threshold = 128 * KIB,
    .most_mapped = SIZE_MAX,
    .growth_step = 64 * KIB,
    .advance_log2 = 1,
    .small_limit = FAR_MAX,
    .trim_threshold = 2 * MIB,
    .footprint_limit = SIZE_MAX,
};

extern char **environ;

// The environment, when the C library has not been told of it yet. Longer ones are read in part.
static char early[64 * KIB];

static const char *early_variable(const char *name) {
  if (early[0] == '\0') {
    int file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
    if (file < 0)
      return NULL;
    ssize_t count = read(file, early, sizeof early - 2);
    close(file);
    if (count <= 0)
      return NULL;
  }
  size_t length = strlen(name);
  for (const char *at = early; *at != '\0'; at += strlen(at) + 1)
    if (strncmp(at, name, length) == 0 && at[length] == '=')
      return at + length + 1;
  return NULL;
}

static const char *variable(const char *name) { return environ == NULL ? early_variable(name) : getenv(name); }

const char *secure_setting(const char *name) { return getauxval(AT_SECURE) != 0 ? NULL : variable(name); }

// A part of a variable's text.
struct text {
  const char *start;
  size_t length;
};

static bool is_text(struct text text, const char *word) {
  return strlen(word) == text.length && memcmp(text.start, word, text.length) == 0;
}

static bool to_number(struct text text, size_t *number) {
  size_t value = 0;
  for (size_t index = 0; index < text.length; index++) {
    char digit = text.start[index];
    if (digit < '0' || digit > '9' || value > SIZE_MAX / 16)
      return false;
    value = value * 10 + (size_t)(digit - '0');
  }
  *number = value;
  return text.length > 0;
}

// An integer below 2^32 - 1, or Infinity.
static bool to_word_or_infinity(struct text text, size_t *number) {
  *number = UNLIMITED;
  return is_text(text, "Infinity") || (to_number(text, number) && *number < UNLIMITED);
}

static bool is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

static bool set_growth_step(struct text text) {
  size_t bytes;
  if (!to_number(text, &bytes) || !is_power_of_two(bytes) || bytes < OS_PAGE || bytes > 1 << 30)
    return false;
  settings.growth_step = (u32)bytes;
  return true;
}

// 1/2^n, or as JavaScript prints it, or 0.
static bool set_advance(struct text text) {
  static const char *const FRACTIONS[] = {"1",       "0.5",      "0.25",      "0.125",     "0.0625",
                                          "0.03125", "0.015625", "0.0078125", "0.00390625"};
  enum { COUNT = sizeof FRACTIONS / sizeof *FRACTIONS };
  size_t divisor = 0;
  bool is_fraction = text.length > 2 && text.start[0] == '1' && text.start[1] == '/' &&
                     to_number((struct text){text.start + 2, text.length - 2}, &divisor);
  if (is_text(text, "0")) {
    settings.advance_log2 = NO_ADVANCE;
    return true;
  }
  for (u32 log2 = 0; log2 < COUNT; log2++)
    if (is_text(text, FRACTIONS[log2]) || (is_fraction && divisor == (size_t)1 << log2)) {
      settings.advance_log2 = log2;
      return true;
    }
  return false;
}

static bool set_small_limit(struct text text) {
  size_t bytes;
  if (!to_number(text, &bytes) || bytes > FAR_MAX || bytes % GRANULE != 0)
    return false;
  settings.small_limit = (u32)bytes;
  return true;
}

static bool set_trim(struct text text) {
  size_t bytes;
  if (!to_word_or_infinity(text, &bytes))
    return false;
  settings.trim_threshold = (u32)bytes;
  settings.dynamic = false;
  return true;
}

static bool set_footprint_limit(struct text text) {
  size_t bytes;
  if (!to_word_or_infinity(text, &bytes))
    return false;
  settings.footprint_limit = bytes == UNLIMITED ? SIZE_MAX : bytes;
  return true;
}

static bool set_zero_size_realloc(struct text text) {
  settings.zero_realloc_frees = is_text(text, "free");
  return settings.zero_realloc_frees || is_text(text, "alloc");
}

static bool set_threshold(struct text text) {
  size_t bytes;
  if (!to_word_or_infinity(text, &bytes) || bytes < OS_PAGE)
    return false;
  set_map_threshold(bytes);
  settings.dynamic = false;
  return true;
}

static const struct option {
  const char *name;
  const char *rule;
  bool (*set)(struct text value);
} OPTIONS[] = {
    {"growthStep", "a power of two from 4096 to 2^30", set_growth_step},
    {"advance", "0, or 1 divided by a power of two up to 256", set_advance},
    {"smallLimit", "a multiple of 16 from 0 to 1024", set_small_limit},
    {"trimThreshold", "an integer from 0 to 4294967294, or Infinity", set_trim},
    {"footprintLimit", "an integer from 0 to 4294967294, or Infinity", set_footprint_limit},
    {"zeroSizeRealloc", "alloc or free", set_zero_size_realloc},
    {"mapThreshold", "an integer from 4096 to 4294967294, or Infinity", set_threshold},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

static void complain(const char *what, struct text name, const char *expected, struct text value) {
  struct line line = {0};
  put(&line, "morecore: ");
  put(&line, what);
  put_part(&line, name.start, name.length);
  put(&line, expected);
  put_part(&line, value.start, value.length);
  print(&line);
}

static void set_option(struct text name, struct text value) {
  for (size_t index = 0; index < OPTION_COUNT; index++) {
    const struct option *option = &OPTIONS[index];
    if (!is_text(name, option->name))
      continue;
    if (option->set(value))
      return;
    struct line line = {0};
    put(&line, "morecore: MORECORE_OPTIONS: ");
    put(&line, option->name);
    put(&line, ": expected ");
    put(&line, option->rule);
    put(&line, ", got ");
    put_part(&line, value.start, value.length);
    print(&line);
    return;
  }
  struct line line = {0};
  put(&line, "morecore: MORECORE_OPTIONS: unknown option ");
  put_part(&line, name.start, name.length);
  put(&line, "; known are ");
  for (size_t index = 0; index < OPTION_COUNT; index++) {
    put(&line, index == 0 ? "" : ", ");
    put(&line, OPTIONS[index].name);
  }
  print(&line);
}

static void set_options(const char *list) {
  while (*list != '\0') {
    size_t length = strcspn(list, ",");
    size_t name = strcspn(list, "=,");
    if (length > 0) {
      struct text value = {list + name + (name < length), length - name - (name < length)};
      set_option((struct text){list, name}, value);
    }
    list += length + (list[length] == ',');
  }
}

static struct text whole(const char *text) { return (struct text){text, strlen(text)}; }

void read_settings(void) {
  const char *memory = variable("MORECORE_MEMORY"), *options = variable("MORECORE_OPTIONS");
  const char *stats = variable("MORECORE_STATS");
  if (memory != NULL && *memory != '\0') {
    settings.sbrk = !is_text(whole(memory), "mmap");
    if (settings.sbrk && !is_text(whole(memory), "sbrk"))
      complain("MORECORE_MEMORY: expected sbrk or mmap, got ", whole(memory), "", whole(""));
  }
  if (options != NULL)
    set_options(options);
  settings.stats = stats != NULL && *stats != '\0' && !is_text(whole(stats), "0");
  if (settings.stats)
    keep_stderr();
}

void apply_settings(Base base) {
  // A region may have something once share_limit says so.
  set_common_word(base, AT_FOOTPRINT_LIMIT, settings.footprint_limit == SIZE_MAX ? UNLIMITED : 0);
  set_common_word(base, AT_GROWTH_STEP, settings.growth_step);
  set_common_word(base, AT_ADVANCE_LOG2, settings.advance_log2);
  set_common_word(base, AT_SMALL_LIMIT, settings.small_limit);
  set_common_word(base, AT_TRIM_THRESHOLD, settings.trim_threshold);
}

void set_trim_threshold(size_t bytes) {
  settings.trim_threshold = bytes < UNLIMITED ? (u32)bytes : UNLIMITED;
  for (unsigned index = 0; index < region_count; index++) {
    Base base = regions[index].base;
    set_common_word(base, AT_TRIM_THRESHOLD, settings.trim_threshold);
    // Their threads may be allocating. Each reads these words when it frees, and either value will do.
    for (u32 heap = next_heap(base, COMMON); heap != 0; heap = next_heap(base, heap)) {
      set_shared_word(base, heap + AT_TRIM_THRESHOLD, settings.trim_threshold);
      set_shared_word(base, heap + AT_TRIM_KEEP, 0);
    }
  }
}

void set_map_threshold(size_t bytes) {
  SHARED_STORE(settings.map_threshold, bytes);
  // What is allocated and freed in turn must not be given back each time.
  if (settings.dynamic && 2 * bytes > settings.trim_threshold)
    set_trim_threshold(2 * bytes);
  set_hot_limit();
}
