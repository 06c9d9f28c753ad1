// The other half of what clang makes of setjmp and longjmp under -mllvm -wasm-enable-sjlj.
//
// A function that calls setjmp gets a table of those it has made: pairs of their number and the place to go
// on at, ended by a 0. It mallocs the first table itself, with room for 4 pairs. longjmp throws. A function
// that catches looks whether the number is one of its own, and throws on if not.

#include <stdlib.h>

struct entry {
  unsigned long id;
  unsigned long label;
};

static unsigned long last_id;
static int temp_ret;

void setTempRet0(int value) { temp_ret = value; }

int getTempRet0(void) { return temp_ret; }

// A buffer that is filled again from the same place has its number replaced: what it held is gone. (A loop around setjmp,
// such as Duktape's executor, would fill the table without end.)
struct entry *saveSetjmp(unsigned long *env, unsigned long label, struct entry *table, unsigned long size) {
  unsigned long i = 0;
  while (i < size && table[i].id != 0 && (table[i].id != *env || table[i].label != label)) i++;
  if (i == size) {
    size *= 2;
    table = realloc(table, (size + 1) * sizeof *table);
    if (table == NULL) abort();
    table[i].id = 0;
  }
  if (table[i].id == 0) table[i + 1].id = 0;
  *env = table[i].id = ++last_id;
  table[i].label = label;
  setTempRet0((int)size);
  return table;
}

unsigned long testSetjmp(unsigned long id, const struct entry *table, unsigned long size) {
  for (unsigned long i = 0; i < size && table[i].id != 0; i++) {
    if (table[i].id == id) return table[i].label;
  }
  return 0;
}

static struct {
  void *env;
  int value;
} thrown;

_Noreturn void __wasm_longjmp(void *env, int value) {
  thrown.env = env;
  thrown.value = value == 0 ? 1 : value;
  __builtin_wasm_throw(1, &thrown);
}
