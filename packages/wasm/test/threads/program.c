// A program with threads, without a C library. What it does is its first argument.

#include "wasi.h"
#include <errno.h>

void *malloc(size_t bytes);
void free(void *ptr);

enum { THREADS = 4, SLOTS = 64, ROUNDS = 20000, TURNS = 24 };

static struct thread threads[THREADS];
static int file;

// work: blocks go from thread to thread.

static uint32_t *slots[SLOTS];

// Exchanges a block of its own for one of anybody's, looks at that, and frees it.
static void work(struct thread *self) {
  uint32_t state = (uint32_t)self->id * 2654435761u;
  for (int round = 0; round < ROUNDS; round++) {
    state = state * 1664525u + 1013904223u;
    uint32_t words = 2 + (state >> 24) + (round % 100 == 0 ? 3000 : 0);
    uint32_t *block = malloc(words * sizeof *block);
    if (block == NULL)
      __builtin_trap();
    block[0] = words;
    block[words - 1] = ~words;
    uint32_t *other = __atomic_exchange_n(&slots[(state >> 8) % SLOTS], block, __ATOMIC_SEQ_CST);
    if (other != NULL && other[other[0] - 1] != ~other[0])
      __builtin_trap();
    free(other);
  }
}

static void work_together(void) {
  for (int i = 0; i < THREADS; i++)
    if (start(&threads[i], work) <= 0)
      proc_exit(1);
  for (int i = 0; i < THREADS; i++)
    join(&threads[i]);
  for (int i = 0; i < SLOTS; i++)
    free(slots[i]);
  say("done\n");
}

// turns: one thread after the other.

static void allocate(struct thread *self) {
  (void)self;
  free(malloc(100));
}

static void take_turns(void) {
  for (int turn = 0; turn < TURNS; turn++) {
    if (start(&threads[0], allocate) != turn + 1)
      proc_exit(1);
    join(&threads[0]);
  }
}

// What a thread can do to the others.

__attribute__((noinline)) static void die(struct thread *self) {
  (void)self;
  __builtin_trap();
}

static void free_twice(struct thread *self) {
  (void)self;
  void *block = malloc(100);
  free(block);
  free(block);
}

static void leave(struct thread *self) {
  (void)self;
  proc_exit(7);
}

// Is in no call any more when it says so.
static void stand_still(struct thread *self) {
  free(malloc(100));
  __atomic_store_n(&self->is_over, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&self->is_over, 1);
  stay();
}

static void leave_standing(void) {
  start(&threads[0], stand_still);
  join(&threads[0]);
}

static void start_another(struct thread *self) {
  if (self == &threads[THREADS - 1])
    proc_exit(self->id);
  start(self + 1, start_another);
  stay();
}

// full: no memory for a thread's place in the heap.

static void fill(void) {
  for (size_t bytes = 1 << 20; bytes >= 16; bytes >>= 1)
    while (malloc(bytes) != NULL)
      ;
  say(start(&threads[0], allocate) < 0 ? "no thread\n" : "a thread\n");
}

// file: what one thread has opened, another writes to.

static void open_file(const char *name, size_t bytes) {
  if (path_open(FIRST_DIRECTORY, 0, name, bytes, CREATE, RIGHTS_TO_SEEK_READ_WRITE, 0, 0, &file) != 0)
    proc_exit(1);
}

static void write_file(struct thread *self) {
  (void)self;
  struct piece piece = {"by a thread\n", 12};
  size_t done;
  if (fd_write(file, &piece, 1, &done) != 0)
    proc_exit(2);
}

static void use_file(void) {
  open_file("shared.txt", 10);
  start(&threads[0], write_file);
  join(&threads[0]);
  char text[32];
  struct piece piece = {text, sizeof text};
  size_t done = 0;
  uint64_t now;
  if (fd_seek(file, 0, 0, &now) != 0 || fd_read(file, &piece, 1, &done) != 0 || fd_close(file) != 0)
    proc_exit(3);
  struct piece got = {text, done};
  fd_write(1, &got, 1, &done);
}

// moved: the standard output of all threads becomes a file.

static void say_it(struct thread *self) {
  (void)self;
  say("to the file\n");
}

static void move_output(void) {
  say("to the stream\n");
  // node:wasi gives the next file the number that is free now; fd_renumber to a stream aborts it.
  fd_close(1);
  open_file("moved.txt", 9);
  if (file != 1)
    proc_exit(2);
  start(&threads[0], say_it);
  join(&threads[0]);
}

// input: one thread waits for it, and holds up nobody.

static void read_input(struct thread *self) {
  (void)self;
  char text[1];
  struct piece piece = {text, sizeof text};
  size_t done;
  fd_read(0, &piece, 1, &done);
}

static void wait_for_input(void) {
  start(&threads[0], read_input);
  open_file("input.txt", 9);
  fd_close(file);
  say("not held up\n");
}

static void run_and_stay(void (*run)(struct thread *)) {
  start(&threads[0], run);
  stay();
}

// break: writes over what lies behind a block.

static void break_heap(void) {
  unsigned char *block = malloc(5000);
  malloc(5000);
  for (int i = 0; i < 5040; i++)
    block[i] = 0xee;
}

__attribute__((export_name("_start"))) void begin(void) {
  static char *arguments[8];
  static char text[256];
  args_get(arguments, text);
  switch (arguments[1][0]) {
  case 'w': return work_together();
  case 't': return take_turns();
  case 'd': return run_and_stay(die);
  case 'm': return run_and_stay(free_twice);
  case 'l': return run_and_stay(leave);
  case 'a': return run_and_stay(start_another);
  case 'b': return break_heap();
  case 'B': break_heap(); return leave_standing();
  case 's': return leave_standing();
  case 'n': return fill();
  case 'f': return use_file();
  case 'o': return move_output();
  case 'i': return wait_for_input();
  default: proc_exit(99);
  }
}
