// setjmp for wasm32-wasi: Debian's wasi-libc has none. What clang makes of these calls is in ../c/setjmp.c.

#ifndef MORECORE_PROGRAMS_SETJMP_H
#define MORECORE_PROGRAMS_SETJMP_H

// One word is used: the number of the setjmp that filled it.
typedef unsigned long jmp_buf[1];

int setjmp(jmp_buf) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf, int);

#endif
