// Runs the SQL script that is named on the command line, on a database in memory, and prints all rows.
//
// A line `.repeat N` begins statements that are compiled and run N times, with :i bound to 1 … N; `.end` ends them.

#include "sqlite3.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *db;

static void fail(const char *what) {
  fprintf(stderr, "sqlite: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
  exit(1);
}

static void print_row(sqlite3_stmt *statement) {
  int count = sqlite3_column_count(statement);
  for (int i = 0; i < count; i++) {
    const unsigned char *text = sqlite3_column_text(statement, i);
    printf("%s%s", i > 0 ? "|" : "", text ? (const char *)text : "NULL");
  }
  putchar('\n');
}

// Compiles and runs each statement of the text, as a shell does with what is typed.
static void run(const char *sql, const char *end, int turn) {
  while (sql < end) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, (int)(end - sql), &statement, &sql) != SQLITE_OK) fail("prepare");
    if (statement == NULL) continue;
    int parameter = sqlite3_bind_parameter_index(statement, ":i");
    if (parameter > 0) sqlite3_bind_int(statement, parameter, turn);
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) print_row(statement);
    if (result != SQLITE_DONE) fail("step");
    sqlite3_finalize(statement);
  }
}

static void run_script(const char *text) {
  for (;;) {
    const char *repeat = strstr(text, "\n.repeat ");
    run(text, repeat ? repeat : text + strlen(text), 0);
    if (repeat == NULL) return;
    const char *block = strchr(repeat + 1, '\n');
    const char *end = strstr(repeat, "\n.end\n");
    if (block == NULL || end == NULL) fail(".repeat without .end");
    int turns = atoi(repeat + strlen("\n.repeat "));
    for (int turn = 1; turn <= turns; turn++) run(block, end, turn);
    text = end + strlen("\n.end");
  }
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) fail("usage: sqlite SCRIPT");
  fseek(file, 0, SEEK_END);
  long bytes = ftell(file);
  rewind(file);
  char *text = malloc((size_t)bytes + 1);
  if (text == NULL || fread(text, 1, (size_t)bytes, file) != (size_t)bytes) fail("cannot read the script");
  text[bytes] = 0;
  fclose(file);
  if (sqlite3_open(":memory:", &db) != SQLITE_OK) fail("open");
  run_script(text);
  sqlite3_close(db);
  free(text);
  return 0;
}
