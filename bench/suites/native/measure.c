// measure: runs a program once with a library preloaded, and prints what it took.
//
//   measure LIBRARY COMMAND [ARGUMENTS…]    "": none. Prints wall and processor time in ms and the peak of the resident
//                                           memory in bytes; the program's own output goes nowhere. Ends as it does.
//
// Of several processes, the times are those of all and the peak is that of the largest.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double ms_of(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void become(char **arguments) {
  int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDOUT_FILENO);
  if (arguments[1][0] != '\0')
    setenv("LD_PRELOAD", arguments[1], 1);
  execvp(arguments[2], arguments + 2);
  perror(arguments[2]);
  _exit(127);
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: measure LIBRARY COMMAND [ARGUMENTS...]\n");
    return 2;
  }
  double start = now();
  pid_t child = fork();
  if (child == 0)
    become(arguments);
  int status;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) != child)
    return 2;
  printf("%.3f %.3f %ld\n", now() - start, ms_of(usage.ru_utime) + ms_of(usage.ru_stime), usage.ru_maxrss * 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
