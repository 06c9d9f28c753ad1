// Native: which of the kernel's functions the native library calls, each with the heap first.

import { type Call, type CallName, familyCalls } from "../../packages/morecore/src/abi/family.ts";

/** The calls on a heap that is there already. */
export function callsOnHeap(): readonly (readonly [name: CallName, call: Call])[] {
  return familyCalls().filter(([, { group }]) => group !== "program" && group !== "threads");
}

/** What it calls besides: src/kernel/native.ts exports it. */
export const NATIVE_CALLS: Readonly<
  Record<string, { readonly c: string; readonly parameters: readonly string[]; readonly answers: boolean }>
> = {
  beginShared: { c: "begin_shared", parameters: ["common", "most"], answers: true },
  joinHeap: { c: "join", parameters: ["common"], answers: true },
  leaveHeap: { c: "leave", parameters: ["heap"], answers: false },
};
