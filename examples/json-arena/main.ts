// Parses a generated document, tricky ones, and broken ones; JSON.parse must always agree.

import assert from "node:assert/strict";
import { Heap } from "morecore";
import { Document, NODE_BYTES } from "./json.ts";

/** The same numbers in every run (Numerical Recipes' generator), from 0 up to 1. */
let state = 2026;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

const heap = Heap.create();
const arena = heap.bump({ name: "documents" });

const users = Array.from({ length: 5000 }, (_, id) => ({
  id,
  name: `user ${id} ☃`,
  score: Math.round(random() * 1e6) / 1e3,
  tags: Array.from({ length: Math.floor(random() * 4) }, (_, tag) => `tag-${tag}`),
  friend:
    random() < 0.5 ? null : { id: Math.floor(random() * 5000), since: 1990 + Math.floor(random() * 30) },
  active: random() < 0.8,
}));
const source = JSON.stringify({ users, total: users.length });
const big = new Document(arena, source);
assert.deepEqual(big.toValue(), JSON.parse(source));
console.log(
  `${source.length} characters: ${big.nodes} nodes of ${NODE_BYTES} bytes, ${big.characters} characters of strings`,
);
console.log(`in the arena: ${arena.usedBytes} bytes; equal to JSON.parse's`);
console.log("users[4999].name:", big.toValue(big.at("users", 4999, "name")));
arena.reset();

const deep = 1000;
const tricky = [
  "0",
  "-0",
  "1e400",
  "-1.5E-3",
  "123456789012345678901234567890",
  '""',
  " [ ] ",
  "{ }",
  "[[],{}]",
  '"\\u0000\\b\\f\\n\\r\\t\\"\\\\\\/"',
  '"\\ud83d\\ude00 \\ud83d"',
  '"\u2028\u007f"',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1}}',
  '{"":0,"2":1,"1":2}',
  "[1,\n\t2 , null]",
  `${"[".repeat(deep)}${"]".repeat(deep)}`,
  `"${"long ".repeat(20_000)}"`,
];
for (const text of tricky) {
  const value = new Document(arena, text).toValue();
  const expected: unknown = JSON.parse(text);
  assert.deepStrictEqual(value, expected);
  if (typeof value === "object" && value !== null)
    assert.deepEqual(Object.keys(value), Object.keys(expected as object));
  arena.reset();
}
console.log(`${tricky.length} tricky documents: equal to JSON.parse's`);

const broken = [
  "",
  "nul",
  "01",
  "-",
  "1.",
  "+1",
  "[1,]",
  "[1 2]",
  '{"a" 1}',
  "{a: 1}",
  '{"a": 1,}',
  '"\t"',
  '"\\x"',
  '"\\u12g4"',
  '"open',
  "[1] 2",
  '{\n  "a": [1, 2,\n    tru]\n}',
  "\u00a01",
  "[".repeat(3),
];
for (const text of broken) {
  assert.throws(() => JSON.parse(text), SyntaxError);
  const before = arena.usedBytes;
  try {
    new Document(arena, text);
    assert.fail(`${JSON.stringify(text)} was taken`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    console.log(`${JSON.stringify(text).padEnd(36)} ${error.message}`);
  }
  assert.equal(arena.usedBytes, before);
}

arena.dispose();
heap.check();
