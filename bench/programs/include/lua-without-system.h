// Included before each of Lua's files: what Lua's os and io libraries call, and WASI has not.

#include <stdio.h>
#include <stdlib.h>

#define system(command) ((void)(command), -1)
#define tmpfile() ((FILE *)0)
#define LUA_TMPNAMBUFSIZE 1
#define lua_tmpnam(name, failed) ((void)(name), (failed) = 1)

// The seed of Lua's string hashes is made of addresses and the time, else. Each build is to do the same work.
#define luai_makeseed(L) ((void)(L), 0x6d6f7265u)
