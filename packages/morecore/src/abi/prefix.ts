// Prefix: what stands before C's names in the kernel's exports, so that they clash with none of a program's when the two are
// merged. Apart from the table: a heap needs no more of it when it runs.

export const PREFIX = "mc_";
