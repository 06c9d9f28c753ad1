// Memory: where a heap's bytes come from. Anything with these members will do; heap/ and kernel/ know no more.

/** Bytes that a heap can live in, and a way to ask for more of them. Addresses are offsets into `buffer`. */
export interface Memory {
  /**
   * All the bytes, now. May be another object after a growth, by the heap or by anyone else. If so, an ArrayBuffer before
   * must have been detached, and a SharedArrayBuffer stay valid for the bytes that it had. May also be resizable, and grow in
   * place.
   */
  readonly buffer: ArrayBufferLike;

  /**
   * Sees to it that `buffer` shows the memory as it is now. Called when an address leads beyond what `buffer`
   * showed. In shared memory an engine may go on showing the old buffer for a while after another thread has
   * grown it. Missing: it always does.
   */
  settle?(): void;

  /**
   * Of a memory whose buffer is a reservation: how many of its bytes, from the first on, are there to be used. The buffer
   * then never becomes another object; a growth moves this up. Missing: all of them.
   */
  readonly size?: number;

  /**
   * Asks for `bytes` more, a positive multiple of 65 536, in one piece, and returns the address of the first, a multiple of
   * 16. 0 says no; the memory is then as it was. The new bytes are zero. They need not follow the ones before, but lie higher
   * than all that it has given to this heap. It must not call the heap.
   *
   * What it throws is thrown by the call that needed memory, with the heap as it was. So is an error that says what is wrong
   * with an answer that is none (memory/promises.ts).
   */
  grow(bytes: number): number;

  /**
   * Told after a trim that the bytes from one address to the other are not needed for now. They must be still there,
   * with the contents they had or zero, when the heap comes back to them, of which it gives no notice.
   */
  release?(from: number, to: number): void;

  /** Whether it never grows. Heaps keep their slabs short then, so that half-empty ones do not fill it. Default false. */
  readonly fixed?: boolean;

  /** The address from which on no byte has been written yet: all are zero. Its size when nothing is known. */
  readonly untouched: number;
}

/** How many bytes of a memory there are to be used, now. */
export function bytesOf(memory: Memory): number {
  return memory.size ?? memory.buffer.byteLength;
}
