// WASI preview 1 and wasi-threads, as far as the test's program needs them, and threads on top of that.

#include <stddef.h>
#include <stdint.h>

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

struct piece {
  void *at;
  size_t bytes;
};

WASI(args_sizes_get) int args_sizes_get(size_t *count, size_t *bytes);
WASI(args_get) int args_get(char **list, char *text);
WASI(fd_read) int fd_read(int fd, const struct piece *pieces, size_t count, size_t *done);
WASI(fd_write) int fd_write(int fd, const struct piece *pieces, size_t count, size_t *done);
WASI(fd_close) int fd_close(int fd);
WASI(fd_seek) int fd_seek(int fd, int64_t offset, int whence, uint64_t *now);
WASI(path_open)
int path_open(int dir, int lookup, const char *path, size_t bytes, int how, uint64_t rights, uint64_t inherited,
              int flags, int *fd);
WASI(proc_exit) _Noreturn void proc_exit(int code);
__attribute__((import_module("wasi"), import_name("thread-spawn"))) int thread_spawn(void *argument);

enum { FIRST_DIRECTORY = 3, CREATE = 1, RIGHTS_TO_SEEK_READ_WRITE = 2 | 4 | 64, STACK_BYTES = 16384, TLS_BYTES = 64 };

// start.s knows where the first two lie.
struct thread {
  char *stack_end;
  char *tls;
  void (*run)(struct thread *self);
  int id;
  // 0 until the thread has run.
  int is_over;
  _Alignas(16) char tls_memory[TLS_BYTES];
  _Alignas(16) char stack[STACK_BYTES];
};

void thread_main(int id, struct thread *self);

// Its number, or what says that there is none.
int start(struct thread *thread, void (*run)(struct thread *));
// Until it has run.
void join(struct thread *thread);
// For ever.
_Noreturn void stay(void);
void say(const char *text);
