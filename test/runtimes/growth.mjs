// What test/engines/growth.test.ts runs in each engine: claims about memories that grow in place, each with true, or what was
// found instead. Prints them as JSON. Needs dist/.

import { f64, Heap, i32, struct, Vec } from "../../packages/morecore/dist/index.js";

const PAGE = 65_536;
const Point = struct({ a: i32, b: i32 });
const results = {};

function claim(title, check) {
  try {
    results[title] = check() ?? true;
  } catch (error) {
    results[title] = `${error.name}: ${error.message}`;
  }
}

/** A heap in a resizable memory that has grown since its views were made, and blocks that lie in the new part. */
function grown(shared = false) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000, shared });
  memory.toResizableBuffer();
  const heap = Heap.create({ memory, base: 16 });
  const other = Heap.attach(memory, 16);
  other.new(Point, { a: 1 });
  const blocks = Array.from({ length: 8 }, () => heap.malloc(300_000));
  return { memory, heap, other, blocks };
}

for (const shared of [false, true]) {
  const kind = shared ? "growable" : "resizable";
  claim(`${kind}: a sound heap is sound in both windows`, () => {
    const { heap, other } = grown(shared);
    heap.check();
    other.check();
  });
  claim(`${kind}: mallinfo is the same in both`, () => {
    const { heap, other } = grown(shared);
    return JSON.stringify(heap.mallinfo()) === JSON.stringify(other.mallinfo());
  });
  claim(`${kind}: inspectAll sees all live blocks`, () => {
    const { other } = grown(shared);
    let bytes = 0;
    other.inspectAll((piece) => {
      if (piece.state === "live") bytes += piece.usable;
    });
    return bytes >= 8 * 300_000;
  });
  claim(`${kind}: bulkFree frees them`, () => {
    const { heap, other, blocks } = grown(shared);
    other.bulkFree(blocks);
    heap.check();
  });
  claim(`${kind}: 200 blocks in turn are all different`, () => {
    const { heap, other, blocks } = grown(shared);
    for (let index = 0; index < 200; index++) blocks.push((index % 2 ? heap : other).malloc(20_000));
    heap.check();
    return new Set(blocks).size === 208;
  });
  claim(`${kind}: references, views and containers go on`, () => {
    const { heap, other } = grown(shared);
    const ref = other.new(Point, { a: 5 });
    const vec = new Vec(other, f64);
    for (let index = 0; index < 100_000; index++) vec.push(index);
    heap.malloc(3_000_000);
    const late = heap.new(Point, { a: 6 });
    return ref.a === 5 && other.ref(Point, late.ptr).a === 6 && vec.get(99_999) === 99_999;
  });
}

claim("a memory that becomes resizable when a heap is there goes on", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000 });
  const heap = Heap.create({ memory, base: 16 });
  const ref = heap.new(Point, { a: 5 });
  memory.toResizableBuffer();
  const blocks = Array.from({ length: 8 }, () => heap.malloc(300_000));
  heap.check();
  memory.toFixedLengthBuffer();
  heap.malloc(1_000_000);
  heap.check();
  heap.bulkFree(blocks);
  return ref.a === 5;
});

claim("a growth by buffer.resize is seen, and its bytes are left to who made it", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000 });
  const buffer = memory.toResizableBuffer();
  const heap = Heap.create({ memory, base: 16 });
  buffer.resize(20 * PAGE);
  new Uint8Array(buffer, PAGE).fill(0xa5);
  const ptr = heap.malloc(500_000);
  heap.u8(ptr, 500_000).fill(1);
  heap.check();
  return ptr >= 20 * PAGE && new Uint8Array(buffer, PAGE, 19 * PAGE).every((byte) => byte === 0xa5);
});

claim("lasting views of a heap, an array and a Vec see what is written after a growth", () => {
  const heap = Heap.create({ views: "lasting", reserve: PAGE });
  const ptr = heap.malloc(800);
  const view = heap.f64(ptr, 100);
  const array = heap.newArray(i32, 10).view();
  const vec = new Vec(heap, f64, 10);
  vec.push(1);
  const elements = vec.view();
  const { buffer } = heap;
  heap.malloc(50_000_000);
  heap.f64(ptr, 100)[3] = 7;
  vec.set(0, 2);
  heap.check();
  return (
    heap.views === "lasting" &&
    heap.buffer === buffer &&
    view[3] === 7 &&
    array.length === 10 &&
    elements[0] === 2
  );
});

claim("a given memory with a maximum is made lasting", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2000 });
  const heap = Heap.create({ memory, views: "lasting" });
  const view = heap.u8(heap.malloc(100), 100);
  heap.malloc(10_000_000);
  return memory.buffer.resizable && view.length === 100;
});

claim("one without a maximum is refused, or made lasting where the engine can", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  try {
    return Heap.create({ memory, views: "lasting" }).views === "lasting";
  } catch (error) {
    return (
      error instanceof TypeError &&
      /made with a maximum$/.test(error.message) &&
      memory.buffer.byteLength === PAGE
    );
  }
});

console.log(JSON.stringify(results));
