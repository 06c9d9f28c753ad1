// Runs the JavaScript file that is named on the command line, which may call print. The npm package is a library only.

#include "duktape.h"
#include <stdio.h>
#include <stdlib.h>

static duk_ret_t print(duk_context *context) {
  int count = duk_get_top(context);
  for (int i = 0; i < count; i++) printf("%s%s", i > 0 ? " " : "", duk_to_string(context, i));
  putchar('\n');
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: duktape SCRIPT\n", stderr);
    return 1;
  }
  duk_context *context = duk_create_heap_default();
  if (context == NULL) return 1;
  duk_push_c_function(context, print, DUK_VARARGS);
  duk_put_global_string(context, "print");
  int failed = duk_peval_file(context, argv[1]) != 0;
  if (failed) fprintf(stderr, "duktape: %s\n", duk_safe_to_string(context, -1));
  duk_destroy_heap(context);
  return failed;
}
