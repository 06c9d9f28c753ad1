// Gate: where threads wait for each other.
//
// Owns:  the waiting: some looks, then a sleep, so that more threads than cores are not in each other's way.
// Needs: a shared array of two words, both 0 at first.

const LOOKS = 20_000;
const ARRIVED = 0;
const PASSED = 1;

/** Returns when all of them are here. */
export function passGate(gate: Int32Array, threads: number): void {
  const passed = Atomics.load(gate, PASSED);
  if (Atomics.add(gate, ARRIVED, 1) === threads - 1) {
    Atomics.store(gate, ARRIVED, 0);
    Atomics.add(gate, PASSED, 1);
    Atomics.notify(gate, PASSED);
    return;
  }
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(gate, PASSED) !== passed) return;
  while (Atomics.load(gate, PASSED) === passed) Atomics.wait(gate, PASSED, passed);
}
