// Containers: collections inside the memory.

export { Columns, type Row } from "./columns.ts";
export type { HashReport } from "./hash-check.ts";
export { HashMap, type HashMapOptions, type KeyOf } from "./hash-map.ts";
export { HeapString } from "./heap-string.ts";
export { Vec } from "./vec.ts";
