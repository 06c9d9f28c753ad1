// Native: what the native library asks the kernel for besides the family. It keeps each thread's heap itself.

import { joinHeap, leaveHeap } from "./common.ts";
import { beginShared } from "./program.ts";

export * from "./family.ts";
export { beginShared, joinHeap, leaveHeap };
