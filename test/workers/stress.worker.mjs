// Stress worker: a player in a Worker of any engine: Node's, Deno's, Bun's or a page's.
//
// It says { thread } when it has come to the heap, "quiet" before each round and when it has freed all, and "done" when it has left.
// A player on a leash counts its steps there, and stops where it stands when it is told to: it leaves nothing and says nothing, as
// one that is gone.

import { Player } from "./player.mjs";

const ENTRIES = {
  index: () => import("../../packages/morecore/dist/index.js"),
  js: () => import("../../packages/morecore/dist/js.js"),
};

const port =
  globalThis.postMessage === undefined
    ? process.getBuiltinModule("node:worker_threads").parentPort
    : globalThis;

async function play({ handle, entry, control, slots, leash, rounds, calls, ...character }) {
  const { Heap } = await ENTRIES[entry]();
  const heap = Heap.attach(handle);
  port.postMessage({ thread: heap.thread });
  const player = new Player(heap, slots, character);
  for (let round = 0; round < rounds; round++) {
    port.postMessage("quiet");
    Atomics.wait(control, 0, round);
    if (leash !== undefined) {
      playOnLeash(player, leash);
      return;
    }
    for (let call = 0; call < calls && Atomics.load(control, 1) <= round; call++) player.step();
  }
  player.finish();
  port.postMessage("quiet");
  Atomics.wait(control, 0, rounds);
  // What others have freed of its blocks, too.
  heap.trim(0);
  heap.dispose();
  port.postMessage("done");
}

function playOnLeash(player, leash) {
  while (Atomics.load(leash, 1) === 0) {
    player.step();
    Atomics.add(leash, 0, 1);
  }
}

port.onmessage = ({ data }) => {
  play(data).catch((error) =>
    port.postMessage({ failed: `${error.name}: ${error.message}\n${error.stack}` }),
  );
};
