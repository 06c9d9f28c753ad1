// Forgetful: a fault of V8 11.3 to 12.4 (Node 20 and 22). Once a piece of code has seen an array over a resizable buffer,
// `length` of an array whose buffer a growth has emptied is what it was, not 0, in what TurboFan makes of that code.
//
// Nobody is told of a growth of a WebAssembly.Memory, and `length` is how the library sees it. So heaps in resizable
// buffers and heaps in growing wasm memories must not share a process there, and tests of both must not either.

const ROUNDS = 1_000_000;

const TRIES = 10;

/** Takes some milliseconds. Tried again and again: when the engine optimizes is its own affair. */
export function isForgetful(): boolean {
  for (let tries = 0; tries < TRIES; tries++) if (forgets()) return true;
  return false;
}

function forgets(): boolean {
  const lengthOf = (view: Uint8Array): number => view.length;
  const optimize = (view: Uint8Array): number => {
    let sum = 0;
    for (let round = 0; round < ROUNDS; round++) sum += lengthOf(view);
    return sum;
  };
  const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new Uint8Array(memory.buffer);
  optimize(view);
  optimize(new Uint8Array(new Resizable(65_536, { maxByteLength: 131_072 }), 0, 65_536));
  optimize(view);
  memory.grow(1);
  return optimize(view) !== 0;
}
