// Steps: how many loads and stores each call takes, on a heap that counts them.

export { countedHeap, countedHeapIn, stepsSoFar } from "./heap.ts";
export { isOrdinary, OUTCOMES, type Outcome } from "./outcome.ts";
export { OutcomeWatch } from "./outcome-watch.ts";
export { ALL, type KindProfile, profileTrace, type StepProfile } from "./profile.ts";
export type { CountedCall, Spread } from "./spread.ts";
