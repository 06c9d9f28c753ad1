// Builds the types of a small program, prints them, compares them, and lets all of them go at once.

import { Heap, isAlive, same, UseAfterFreeError } from "morecore";
import { Types } from "./types.ts";

const heap = Heap.create();
const arena = heap.bump({ name: "types" });
const types = new Types(arena);

const i32 = types.basic("i32");
const f64 = types.basic("f64");
const u8 = types.basic("u8");
const nothing = types.basic("void");

// Lists of lists, trees whose nodes know their tree, and a function that takes functions of its own kind of argument.
const list = types.declare("List");
types.define(list, { value: i32, next: types.pointerTo(list) });
const tree = types.declare("Tree");
const node = types.declare("Node");
types.define(node, { tree: types.pointerTo(tree), kids: types.arrayOf(types.pointerTo(node), 2), at: f64 });
const compare = types.func([types.pointerTo(node), types.pointerTo(node)], i32);
types.define(tree, {
  root: types.pointerTo(node),
  compare: types.pointerTo(compare),
  names: types.pointerTo(list),
});
const walk = types.func(
  [types.pointerTo(tree), types.pointerTo(types.func([types.pointerTo(node)], nothing))],
  nothing,
);

console.log("walk is", types.print(walk));
const { lines, reached } = types.printAll(walk);
console.log(lines.join("\n"));
console.log(`${reached} types are reached from walk; ${types.size} have been made`);

// Written again, it is the same type: the same address.
const again = types.func([types.pointerTo(node), types.pointerTo(node)], i32);
console.log("compare, written again, is the same:", same(again, compare));
console.log("*List is *Node:", same(types.pointerTo(list), types.pointerTo(node)));
console.log("the list's next leads back to it:", same(list.parts?.next?.type?.target ?? null, list));

for (const type of [list, node, tree, types.arrayOf(u8, 80)])
  console.log(`a ${types.print(type)} takes ${types.sizeOf(type)} bytes, without padding`);
const [a, b] = [types.declare("A"), types.declare("B")];
types.define(a, { b });
types.define(b, { count: i32, back: types.arrayOf(a, 3) });
try {
  types.sizeOf(a);
} catch (error) {
  console.log((error as Error).message);
}

console.log(`${types.size} types, in ${arena.usedBytes} bytes`);
arena.dispose();
try {
  console.log(list.name);
} catch (error) {
  if (!(error instanceof UseAfterFreeError) || isAlive(list)) throw error;
  console.log(error.message.replace(/0x[0-9a-f]+/, "0x…"));
}
heap.check();
