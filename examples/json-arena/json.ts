// JSON into an arena: a parser whose values are structs, and whose end is one call.
//
// A value is a union with a tag. Arrays and objects are chains of nodes, in their order. Strings are UTF-16, as JavaScript's own:
// JSON may contain half of a surrogate pair, which UTF-8 cannot. Nodes are raw pointers, so parsing makes no objects for them.

import {
  assign,
  type Bump,
  bool,
  f64,
  type Init,
  moveTo,
  NULL,
  type Ptr,
  type Ref,
  rawPointer,
  type Static,
  struct,
  u16,
  u32,
  union,
} from "morecore";

const Text = struct({ at: rawPointer(() => u16), length: u32 }, { name: "Text" });
/** Of an array or object: its elements or members, and how many. */
const Items = struct({ first: rawPointer(() => Node), count: u32 }, { name: "Items" });

const Value = union({ null: bool, boolean: bool, number: f64, string: Text, array: Items, object: Items });

/** A value; in an object, with its key; `next` is the one behind it in the same array or object. */
const Node = struct(
  {
    it: Value,
    key: Text,
    next: rawPointer(() => Node),
  },
  { name: "Node" },
);

const MOST_DEPTH = 2000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Up to the next quote, backslash, or character that may not stand in a string. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

type NodePtr = Ptr<typeof Node>;
type GivenText = Init<typeof Text, Static> & { readonly length: number };

/** A document: parsed when it is made, and gone when the arena is. */
export class Document {
  nodes = 0;
  characters = 0;
  readonly root: NodePtr;
  readonly #arena: Bump;
  readonly #at: Ref<typeof Node>;
  readonly #source: string;
  #position = 0;
  #depth = 0;

  /** Throws a SyntaxError with line and column, and then nothing is left in the arena. */
  constructor(arena: Bump, source: string) {
    this.#arena = arena;
    this.#at = arena.cursor(Node);
    this.#source = source;
    const mark = arena.mark();
    try {
      this.#skip();
      this.root = this.#value();
      if (this.#position < source.length) this.#fail("expected the end");
    } catch (error) {
      arena.release(mark);
      throw error;
    }
  }

  /** JavaScript's own value of a node, as JSON.parse would give it. */
  toValue(node: NodePtr = this.root): unknown {
    moveTo(this.#at, node);
    const { it } = this.#at;
    switch (it.tag) {
      case "null":
        return null;
      case "string":
        return this.#string(it.value);
      case "array":
        return [...this.#items(it.value.first)].map((item) => this.toValue(item));
      case "object": {
        const object = {};
        for (const item of this.#items(it.value.first)) {
          // Not an assignment: a key may be "__proto__". Of equal keys the last one counts.
          const settings = {
            value: this.toValue(item),
            writable: true,
            enumerable: true,
            configurable: true,
          };
          Object.defineProperty(object, this.#keyOf(item), settings);
        }
        return object;
      }
      default:
        return it.value;
    }
  }

  /** The node that a path leads to, or NULL: `at("users", 3, "name")`. Nothing else is read. */
  at(...path: readonly (string | number)[]): NodePtr {
    let node = this.root;
    for (const step of path) {
      moveTo(this.#at, node);
      const { it } = this.#at;
      if (it.tag !== "array" && it.tag !== "object") return NULL;
      if ((it.tag === "array") !== (typeof step === "number")) return NULL;
      let found: NodePtr = NULL;
      let index = 0;
      for (const item of this.#items(it.value.first)) {
        if (typeof step === "number" ? index === step : this.#keyOf(item) === step) found = item;
        index += 1;
      }
      if (found === NULL) return NULL;
      node = found;
    }
    return node;
  }

  *#items(first: NodePtr): Generator<NodePtr> {
    for (let item = first; item !== NULL; ) {
      // Read before it is handed out: whoever gets it moves the cursor.
      moveTo(this.#at, item);
      const { next } = this.#at;
      yield item;
      item = next;
    }
  }

  #keyOf(item: NodePtr): string {
    moveTo(this.#at, item);
    return this.#string(this.#at.key);
  }

  #string({ at, length }: Ref<typeof Text>): string {
    if (length === 0) return "";
    const units = this.#arena.refArray(u16, at, length).view();
    let string = "";
    // In pieces: a call takes only so many arguments.
    for (let i = 0; i < length; i += 4096) string += String.fromCharCode(...units.subarray(i, i + 4096));
    return string;
  }

  /** A new node for what stands at the position, which moves behind it and the space that follows. */
  #value(): NodePtr {
    const node = this.#arena.newPtr(Node);
    this.nodes += 1;
    switch (this.#source[this.#position]) {
      case "{":
        return this.#container(node, "object", "}");
      case "[":
        return this.#container(node, "array", "]");
      case '"':
        return this.#put(node, { tag: "string", value: this.#text() });
      case "t":
        this.#word("true");
        return this.#put(node, { tag: "boolean", value: true });
      case "f":
        this.#word("false");
        return this.#put(node, { tag: "boolean", value: false });
      case "n":
        this.#word("null");
        return this.#put(node, { tag: "null", value: false });
      default:
        return this.#put(node, { tag: "number", value: this.#number() });
    }
  }

  #put(node: NodePtr, it: Init<typeof Value, Static>): NodePtr {
    moveTo(this.#at, node);
    assign(this.#at, { it });
    this.#skip();
    return node;
  }

  #container(node: NodePtr, tag: "array" | "object", end: string): NodePtr {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) this.#fail(`expected at most ${MOST_DEPTH} levels`);
    this.#position += 1;
    this.#skip();
    let first: NodePtr = NULL;
    let last: NodePtr = NULL;
    let count = 0;
    while (this.#source[this.#position] !== end) {
      if (count > 0) this.#word(",");
      if (count > 0) this.#skip();
      const key = tag === "object" ? this.#key() : undefined;
      const item = this.#value();
      if (key !== undefined) {
        moveTo(this.#at, item);
        assign(this.#at, { key });
      }
      if (last === NULL) first = item;
      else {
        moveTo(this.#at, last);
        this.#at.next = item;
      }
      last = item;
      count += 1;
    }
    this.#position += 1;
    this.#depth -= 1;
    return this.#put(node, { tag, value: { first, count } });
  }

  #key(): GivenText {
    if (this.#source[this.#position] !== '"') this.#fail("expected a key in quotes");
    const key = this.#text();
    this.#skip();
    this.#word(":");
    this.#skip();
    return key;
  }

  /** A string's characters, in the arena. */
  #text(): GivenText {
    this.#position += 1;
    let string = this.#match(PLAIN);
    while (this.#source[this.#position] === "\\") {
      this.#position += 1;
      string += this.#escape() + this.#match(PLAIN);
    }
    if (this.#source[this.#position] !== '"') this.#fail("expected the string to go on");
    this.#position += 1;
    this.characters += string.length;
    if (string.length === 0) return { at: NULL, length: 0 };
    const units = this.#arena.newArray(u16, string.length);
    const view = units.view();
    for (let i = 0; i < string.length; i++) view[i] = string.charCodeAt(i);
    return { at: units.ptr, length: string.length };
  }

  #escape(): string {
    const letter = this.#source[this.#position];
    if (letter === "u") {
      const digits = this.#source.slice(this.#position + 1, this.#position + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail("expected four hexadecimal digits");
      this.#position += 5;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const escaped = letter !== undefined && Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (escaped === undefined) this.#fail("expected an escape");
    this.#position += 1;
    return escaped;
  }

  #number(): number {
    const digits = this.#match(NUMBER);
    if (digits === "") this.#fail("expected a value");
    return Number(digits);
  }

  #word(word: string): void {
    if (!this.#source.startsWith(word, this.#position)) this.#fail(`expected ${JSON.stringify(word)}`);
    this.#position += word.length;
  }

  #skip(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#source)?.[0] ?? "";
    this.#position += found.length;
    return found;
  }

  #fail(sentence: string): never {
    const before = this.#source.slice(0, this.#position).split("\n");
    const found = this.#source[this.#position];
    const got = found === undefined ? "the end" : JSON.stringify(found);
    throw new SyntaxError(`${before.length}:${(before.at(-1) ?? "").length + 1}: ${sentence}, got ${got}`);
  }
}

/** Bytes of one node. */
export const NODE_BYTES = Node.size;
