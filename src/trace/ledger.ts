// Ledger: which slots of a trace are taken, and how many bytes that makes.
//
// Owns:       the slot discipline of traces/FORMAT.md, said once for the reader and the writer.
// Needs:      nothing.
// Invariants: L1  a slot is live or on the released stack or has never been taken             O(1) a call
//             L2  the next slot to take is the top of the released stack, or else `slotCount`  O(1) a call
//             L3  liveBytes is the sum of the live slots' sizes, peakLiveBytes its largest value after any call
//
// Its functions answer with what is wrong, or with undefined. They do not throw: only the caller knows where it is.

export class SlotLedger {
  /** Slots ever taken = the largest number live at one moment, as released ones are taken again first. */
  slotCount = 0;
  liveBytes = 0;
  peakLiveBytes = 0;
  totalAllocatedBytes = 0;
  readonly #sizes: Uint32Array;
  readonly #live: Uint8Array;
  readonly #released: Uint32Array;
  #releasedCount = 0;

  /** `capacity` is the largest number of slots that can be taken. */
  constructor(capacity: number) {
    this.#sizes = new Uint32Array(capacity);
    this.#live = new Uint8Array(capacity);
    this.#released = new Uint32Array(capacity);
  }

  take(slot: number, size: number): string | undefined {
    const expected = this.nextSlot();
    if (slot !== expected) {
      if (this.isLive(slot)) return `takes slot ${slot}, which is live`;
      return `takes slot ${slot}, but slot ${expected} is the next by the order of release`;
    }
    if (slot >= this.#live.length) return `takes slot ${slot}, but there are only ${this.#live.length} slots`;
    if (this.#releasedCount > 0) this.#releasedCount--;
    else this.slotCount++;
    this.#live[slot] = 1;
    this.#sizes[slot] = size;
    this.#add(size, size);
    return undefined;
  }

  resize(slot: number, size: number): string | undefined {
    if (!this.isLive(slot)) return `resizes slot ${slot}, which is not live`;
    const old = this.#sizes[slot] ?? 0;
    this.#sizes[slot] = size;
    this.#add(size - old, size);
    return undefined;
  }

  release(slot: number): string | undefined {
    if (!this.isLive(slot)) return `frees slot ${slot}, which is not live`;
    this.#live[slot] = 0;
    this.#released[this.#releasedCount++] = slot;
    this.liveBytes -= this.#sizes[slot] ?? 0;
    return undefined;
  }

  isLive(slot: number): boolean {
    return this.#live[slot] === 1;
  }

  /** The slot that the next allocation has to take. */
  nextSlot(): number {
    return this.#releasedCount > 0 ? (this.#released[this.#releasedCount - 1] ?? 0) : this.slotCount;
  }

  #add(grownBytes: number, allocatedBytes: number): void {
    this.liveBytes += grownBytes;
    this.totalAllocatedBytes += allocatedBytes;
    if (this.liveBytes > this.peakLiveBytes) this.peakLiveBytes = this.liveBytes;
  }
}
