// Containers: collections inside the memory.

export { Columns, type Row } from "./columns.ts";
export { HeapString } from "./heap-string.ts";
export { Vec } from "./vec.ts";
