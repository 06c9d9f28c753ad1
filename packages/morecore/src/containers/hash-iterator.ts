// Hash iterator: through a HashMap's entries in their order, whatever is done to the map meanwhile.
//
// Owns:  where it is.
// Needs: hash-table, hash-order.
//
// As Map's: what is added is visited, what is deleted before its turn is not, and nothing is visited twice.

import { Printed } from "../memory/printed.ts";
import { type Epoch, renumbered } from "./hash-order.ts";
import type { HashTable } from "./hash-table.ts";

export class HashIterator<T> extends Printed implements IterableIterator<T> {
  private readonly table: HashTable;
  private readonly give: (entry: number) => T;
  /** Undefined: not begun. */
  private epoch: Epoch | undefined;
  private index = 0;
  private done = false;

  constructor(table: HashTable, give: (entry: number) => T) {
    super();
    table.enter();
    this.table = table;
    this.give = give;
  }

  next(): IteratorResult<T> {
    if (this.done) return { done: true, value: undefined };
    const { table } = this;
    table.enter();
    if (this.epoch === undefined) {
      this.epoch = table.order.epoch;
      table.order.iterating += 1;
    }
    this.catchUp();
    const { used } = table;
    while (this.index < used) {
      const index = this.index++;
      if (table.hashOf(index) !== 0) return { done: false, value: this.give(table.entryAt(index)) };
    }
    return this.return();
  }

  return(): IteratorResult<T> {
    if (!this.done && this.epoch !== undefined) this.table.order.iterating -= 1;
    this.done = true;
    this.epoch = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  protected override summary(): string {
    return `an iterator of ${this.table.name}`;
  }

  private catchUp(): void {
    while (this.epoch?.next !== undefined) {
      this.index = renumbered(this.index, this.epoch, this.table.name);
      this.epoch = this.epoch.next;
    }
  }
}
