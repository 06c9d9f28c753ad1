// Replay: plays a trace on a peer, one call after another, in the order of the recording.
//
// Owns:       the two inner loops that are timed, and what surrounds them untimed.
// Needs:      a peer; a decoded trace; one array of slotCount addresses.
// Invariants: R1  after a whole play and releaseRest no block is live
//             R2  a touched play writes no byte outside of what was asked for
// Note:       the loops only ever see one peer (fresh.ts).

import type { Trace } from "@morecore/inspect";
import type { Peer } from "../peers/peer.ts";

/** Plays the records from begin up to end. Throws when the peer returns 0. */
export function play(peer: Peer, trace: Trace, ptrs: Uint32Array, begin: number, end: number): void {
  const { kinds, slots, sizes, alignments } = trace;
  for (let i = begin; i < end; i++) {
    const slot = slots[i] as number; // in bounds: the decoder has checked every slot
    let ptr = 0;
    switch (kinds[i]) {
      case 0:
        ptr = peer.malloc(sizes[i] as number);
        break;
      case 1:
        ptr = peer.calloc(sizes[i] as number);
        break;
      case 2:
        ptr = peer.realloc(ptrs[slot] as number, sizes[i] as number);
        break;
      case 3:
        peer.free(ptrs[slot] as number);
        continue;
      default:
        ptr = peer.memalign(alignments[i] as number, sizes[i] as number);
    }
    if (ptr === 0) throw refused(i);
    ptrs[slot] = ptr;
  }
}

/** The same, and writes the first and the last word of each payload it gets, and each 64th byte between. */
export function playTouched(peer: Peer, trace: Trace, ptrs: Uint32Array, begin: number, end: number): void {
  const { kinds, slots, sizes, alignments } = trace;
  let words: Uint32Array = new Uint32Array(0);
  for (let i = begin; i < end; i++) {
    const slot = slots[i] as number; // in bounds, as above
    const bytes = sizes[i] as number;
    let ptr = 0;
    switch (kinds[i]) {
      case 0:
        ptr = peer.malloc(bytes);
        break;
      case 1:
        ptr = peer.calloc(bytes);
        break;
      case 2:
        ptr = peer.realloc(ptrs[slot] as number, bytes);
        break;
      case 3:
        peer.free(ptrs[slot] as number);
        continue;
      default:
        ptr = peer.memalign(alignments[i] as number, bytes);
    }
    if (ptr === 0) throw refused(i);
    ptrs[slot] = ptr;
    // A memory that has grown leaves an old view detached (length 0) or too short.
    if ((ptr + bytes) >>> 2 > words.length) words = peer.words(ptr);
    touch(words, ptr, bytes, i);
  }
}

/** Payloads of less than a word stay untouched. */
function touch(words: Uint32Array, ptr: number, bytes: number, value: number): void {
  if (bytes < 4) return;
  const first = ptr >>> 2;
  const last = (ptr + bytes - 4) >>> 2;
  for (let word = first; word < last; word += 16) words[word] = value;
  words[last] = value;
}

/** The slots that are live when the trace ends, by slot number. */
export function liveAtEnd(trace: Trace): Uint32Array {
  const live = new Uint8Array(trace.slotCount);
  for (let i = 0; i < trace.opCount; i++) live[trace.slots[i] as number] = trace.kinds[i] === 3 ? 0 : 1;
  const slots: number[] = [];
  for (const [slot, isLive] of live.entries()) if (isLive === 1) slots.push(slot);
  return Uint32Array.from(slots);
}

export function releaseRest(peer: Peer, ptrs: Uint32Array, live: Uint32Array): void {
  for (const slot of live) peer.free(ptrs[slot] as number);
}

function refused(record: number): Error {
  return new Error(`returned 0 at record ${record}`);
}
