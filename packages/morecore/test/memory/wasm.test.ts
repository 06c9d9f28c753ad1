import { afterEach, expect, test, vi } from "vitest";
import { Heap, wasmMemory } from "../../src/index.ts";

const WASM_PAGE = 65_536;

test("a wasm memory of its own has the reserve, in whole wasm pages, and at least one", () => {
  expect(wasmMemory().buffer.byteLength).toBe(WASM_PAGE);
  expect(wasmMemory(undefined, 0).buffer.byteLength).toBe(WASM_PAGE);
  expect(wasmMemory(undefined, 1).buffer.byteLength).toBe(WASM_PAGE);
  expect(wasmMemory(undefined, WASM_PAGE + 1).buffer.byteLength).toBe(2 * WASM_PAGE);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

// Firefox 153 throws no error, but a string.
test.each([
  ["could not allocate memory", new RangeError("could not allocate memory")],
  ["out of memory", "out of memory"],
])("an engine that gives no other memory is quoted (%s), and the ways out are named", (said, cause) => {
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function stubbed() {
    throw cause;
  } as never);
  const error = expect.objectContaining({
    name: "RangeError",
    message: expect.stringMatching(
      new RegExp(
        `^memory: the engine gives no other .* of 1048576 bytes \\(${said}\\).*\`base\`.*ArrayBuffer for each$`,
      ),
    ),
    cause,
  });
  expect(() => Heap.create()).toThrow(error);
});

test("a growth for which an engine has no memory is refused, however it says so", () => {
  const heap = Heap.create({ reserve: WASM_PAGE });
  const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation(() => {
    throw "out of memory";
  });
  expect(heap.malloc(10_000_000)).toBe(0);
  expect(grow).toHaveBeenCalled();
  heap.check();
});

test("where there is no WebAssembly, an ArrayBuffer holds a heap, and create says so", () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(() => Heap.create()).toThrow(/^memory: expected one to be given, as there is no WebAssembly here/);
  const heap = Heap.create({ memory: new ArrayBuffer(WASM_PAGE) });
  heap.free(heap.malloc(100));
  heap.check();
});

test("what is no WebAssembly.Memory is refused", () => {
  expect(() => wasmMemory(new ArrayBuffer(8) as never)).toThrow(
    new TypeError("memory: expected a WebAssembly.Memory, got an object of class ArrayBuffer"),
  );
});

test("a memory of 64 bits is refused, and is as it was", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const { buffer } = memory;
  // As memory64's: a number is not looked at, but a BigInt is wanted first.
  vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation((pages) => Number(BigInt(pages)));
  const message = /^(?:wasmMemory|memory): expected .* with addresses of 32 bits, got one of memory64/;
  const parts = { malloc: () => 0, free: () => undefined };
  expect(() => Heap.create({ memory })).toThrow(message);
  expect(() => Heap.attach(memory, 16)).toThrow(message);
  expect(() => Heap.inside({ memory, ...parts })).toThrow(message);
  expect(() => Heap.inside({ wasmMemory: memory, ...parts })).toThrow(message);
  expect(memory.buffer).toBe(buffer);
});

test("grow gives the address of the first new byte, and the buffer is as long", () => {
  const memory = wasmMemory(new WebAssembly.Memory({ initial: 3 }));
  const before = memory.buffer;
  expect(memory.grow(2 * WASM_PAGE)).toBe(3 * WASM_PAGE);
  expect(memory.buffer.byteLength).toBe(5 * WASM_PAGE);
  expect(before.byteLength).toBe(0);
});

test("grow gives 0 at the maximum and leaves the memory as it was", () => {
  const memory = wasmMemory(new WebAssembly.Memory({ initial: 1, maximum: 2 }));
  const before = memory.buffer;
  expect(memory.grow(2 * WASM_PAGE)).toBe(0);
  expect(memory.buffer).toBe(before);
  expect(memory.grow(WASM_PAGE)).toBe(WASM_PAGE);
  expect(memory.grow(WASM_PAGE)).toBe(0);
});

test("grow gives 0 for more than any engine has", () => {
  expect(wasmMemory().grow(65_536 * WASM_PAGE)).toBe(0);
});

test("an error that is no refusal comes through", () => {
  const given = new WebAssembly.Memory({ initial: 1 });
  given.grow = () => {
    throw new TypeError("broken");
  };
  expect(() => wasmMemory(given).grow(WASM_PAGE)).toThrow("broken");
});

test("a given memory is used as it is, and what others grow it by is seen", () => {
  const given = new WebAssembly.Memory({ initial: 1 });
  const memory = wasmMemory(given);
  expect(memory.buffer).toBe(given.buffer);
  given.grow(1);
  expect(memory.buffer.byteLength).toBe(2 * WASM_PAGE);
  expect(memory.grow(WASM_PAGE)).toBe(2 * WASM_PAGE);
});

test("nothing that a memory has already is said to be untouched", () => {
  const given = new WebAssembly.Memory({ initial: 2 });
  expect(wasmMemory(given).untouched).toBe(2 * WASM_PAGE);
  expect(wasmMemory().untouched).toBe(WASM_PAGE);
});

test("a shared memory grows without losing the views from before", () => {
  const given = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
  const memory = wasmMemory(given);
  const before = memory.buffer;
  new Uint8Array(before)[5] = 77;
  expect(memory.grow(WASM_PAGE)).toBe(WASM_PAGE);
  expect(before.byteLength).toBe(WASM_PAGE);
  expect(new Uint8Array(memory.buffer)[5]).toBe(77);
});

test("one WebAssembly.Memory is one Memory, however often it is asked for", () => {
  const given = new WebAssembly.Memory({ initial: 1 });
  expect(wasmMemory(given)).toBe(wasmMemory(given));
  expect(wasmMemory(given)).not.toBe(wasmMemory(new WebAssembly.Memory({ initial: 1 })));
  expect(wasmMemory()).not.toBe(wasmMemory());
});

test("to settle leaves the buffer of a memory that is not shared alone", () => {
  const memory = wasmMemory();
  const { buffer } = memory;
  memory.settle?.();
  expect(memory.buffer).toBe(buffer);
  const shared = wasmMemory(new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true }));
  shared.settle?.();
  expect(shared.buffer.byteLength).toBe(WASM_PAGE);
});

test("the most that a memory of its own can have is its maximum, in whole wasm pages", () => {
  const memory = wasmMemory(undefined, WASM_PAGE, WASM_PAGE + 1);
  expect(memory.grow(WASM_PAGE)).toBe(WASM_PAGE);
  expect(memory.grow(WASM_PAGE)).toBe(0);
});
