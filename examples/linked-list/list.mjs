// A doubly linked list of numbers in a heap, with raw pointers, as one would write it in C.
//
// A node is an address. Two cursors read and write all nodes, so no operation makes an object.

import { f64, moveTo, NULL, rawPointer, struct } from "morecore";

const Node = struct(
  { value: f64, prev: rawPointer(() => Node), next: rawPointer(() => Node) },
  { name: "Node" },
);

export class List {
  #heap;
  /** The node that is looked at, and its neighbour. */
  #node;
  #other;
  first = NULL;
  last = NULL;
  length = 0;

  constructor(heap) {
    this.#heap = heap;
    this.#node = heap.cursor(Node);
    this.#other = heap.cursor(Node);
  }

  /** The address of the new node, behind all others. */
  push(value) {
    return this.insert(NULL, value);
  }

  /** A new node in front of another; in front of NULL is the end. O(1). */
  insert(before, value) {
    const node = this.#heap.newPtr(Node);
    moveTo(this.#node, node);
    this.#node.value = value;
    this.#link(this.#prevOf(before), node);
    this.#link(node, before);
    this.length += 1;
    return node;
  }

  /** Frees a node of this list. O(1). */
  remove(node) {
    moveTo(this.#node, node);
    const { prev, next } = this.#node;
    this.#link(prev, next);
    this.#heap.free(node);
    this.length -= 1;
  }

  /** Moves `count` nodes of another list, from `first` to `last` there, in front of a node of this one. O(1), nothing is copied. */
  splice(before, other, first, last, count) {
    moveTo(other.#node, first);
    moveTo(other.#other, last);
    other.#link(other.#node.prev, other.#other.next);
    other.length -= count;
    this.#link(this.#prevOf(before), first);
    this.#link(last, before);
    this.length += count;
  }

  /** Turns the list around, in place. O(length). */
  reverse() {
    for (let at = this.first; at !== NULL; ) {
      moveTo(this.#node, at);
      const { prev, next } = this.#node;
      this.#node.prev = next;
      this.#node.next = prev;
      at = next;
    }
    [this.first, this.last] = [this.last, this.first];
  }

  next(node) {
    moveTo(this.#node, node);
    return this.#node.next;
  }

  /** The values from the first to the last. Each step reads its successor before it hands out the value: it may be removed. */
  *values() {
    for (let at = this.first; at !== NULL; ) {
      moveTo(this.#node, at);
      const { value, next } = this.#node;
      yield value;
      at = next;
    }
  }

  sum() {
    let sum = 0;
    for (let at = this.first; at !== NULL; at = this.#node.next) {
      moveTo(this.#node, at);
      sum += this.#node.value;
    }
    return sum;
  }

  clear() {
    while (this.first !== NULL) this.remove(this.first);
  }

  #prevOf(node) {
    if (node === NULL) return this.last;
    moveTo(this.#other, node);
    return this.#other.prev;
  }

  /** Makes two nodes neighbours; NULL is the beginning's predecessor, and the end's successor. */
  #link(left, right) {
    if (left === NULL) this.first = right;
    else {
      moveTo(this.#other, left);
      this.#other.next = right;
    }
    if (right === NULL) this.last = left;
    else {
      moveTo(this.#other, right);
      this.#other.prev = left;
    }
  }
}
