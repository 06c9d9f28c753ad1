// Kernel text: the wasm kernel's bytes as a string in a module, such that a packed page carries them packed.
//
// Owns:  how bytes are written as text.
//
//     byte        0 … 79              one character of its own
//                 80 … 255            one of three that begin a pair (80, 160, 240), and a character for the rest
//     character   "#" is 0, and so on through ASCII to "w"; the backslash is left out
//
// Why not base64: it moves each byte's bits, so that gzip and brotli find nothing that repeats. Of the kernel, as text of this
// kind, they leave 3/4 of what they leave of base64.

import type { OwnBytes } from "../memory/own-bytes.ts";

/** The code of the character for 0. */
const FIRST = 35;
/** The one that a string would have to escape. */
const BACKSLASH = 92;
/** How many values one character can have by itself. */
const SINGLES = 80;

/** Bytes as text. */
export function textOf(bytes: Uint8Array): string {
  const character = (value: number): string =>
    String.fromCharCode(value + FIRST + (value + FIRST >= BACKSLASH ? 1 : 0));
  return Array.from(bytes, (byte) => {
    const rest = character(byte % SINGLES);
    return byte < SINGLES ? rest : character(SINGLES - 1 + Math.floor(byte / SINGLES)) + rest;
  }).join("");
}

/** The bytes of a text. */
export function bytesOfText(text: string): OwnBytes {
  const bytes: number[] = [];
  let high = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const value = code - FIRST - (code > BACKSLASH ? 1 : 0);
    if (value < SINGLES) {
      bytes.push(high + value);
      high = 0;
    } else high = (value - SINGLES + 1) * SINGLES;
  }
  return Uint8Array.from(bytes);
}
