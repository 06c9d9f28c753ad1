// Frames: meshes come into view and leave it, for 600 frames; then what the buffer looks like, as text.

import type { Allocation } from "morecore";
import { FakeDevice } from "./fake-device.ts";
import { MeshBuffer } from "./mesh-buffer.ts";

const FRAMES = 600;
/** Bytes of a vertex: position; and texture coordinates; and normal. */
const STRIDES = [12, 20, 32];
const COLUMNS = 64;
const ROWS = 8;

/** The same numbers in every run (Numerical Recipes' generator), from 0 up to 1. */
let state = 2026;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

const device = new FakeDevice();
const meshes = new MeshBuffer(device, 256 * 1024);
/** What is in view: the handle, and what has been uploaded, to compare. */
interface Mesh {
  readonly handle: Allocation;
  readonly vertices: Uint32Array;
  readonly stride: number;
}
const inView: Mesh[] = [];

function enter(frame: number): void {
  const stride = STRIDES[Math.floor(random() * STRIDES.length)] ?? 12;
  const count = 24 + Math.floor(600 * random() ** 3);
  const vertices = new Uint32Array((count * stride) / 4).fill(frame + 1);
  inView.push({ handle: meshes.load(vertices, stride), vertices, stride });
}

function leave(): void {
  const [mesh] = inView.splice(Math.floor(random() * inView.length), 1);
  if (mesh === undefined) return;
  compare(mesh);
  meshes.unload(mesh.handle);
}

/** Throws unless a mesh lies where its handle says, at a whole vertex, as it was uploaded, whatever has moved since. */
function compare({ handle, vertices, stride }: Mesh): void {
  const first = meshes.firstVertexOf(handle, stride);
  const there = meshes.buffer.bytes(first * stride, vertices.byteLength);
  if (!Number.isInteger(first) || Buffer.compare(there, new Uint8Array(vertices.buffer)) !== 0)
    throw new Error(`the mesh at vertex ${first} is not what was uploaded`);
}

const kib = (bytes: number): string => (bytes / 1024).toFixed(0);
const row = (...cells: readonly (string | number)[]): void =>
  console.log(cells.map((cell) => String(cell).padStart(8)).join(""));

row("frame", "meshes", "used", "free", "holes", "largest", "buffer");
for (let frame = 0; frame <= FRAMES; frame++) {
  // More and more are in view, later fewer.
  const wanted = 40 + 160 * Math.sin((0.8 * Math.PI * frame) / FRAMES);
  for (let step = 0; step < 4; step++) {
    if (inView.length < wanted) enter(frame);
    if (inView.length > wanted || random() < 0.5) leave();
  }
  if (frame % 100 === 0) {
    const { bytes, usedBytes, freeBytes, holeCount, largestHole } = meshes.report;
    row(frame, inView.length, kib(usedBytes), kib(freeBytes), holeCount, kib(largestHole), kib(bytes));
  }
}

// What is left lies where it should, too.
for (const mesh of inView) compare(mesh);

const { counts } = device;
console.log(`\n${counts.uploads} uploads, ${kib(counts.uploadedBytes)} KiB, each mesh once;`);
console.log(`grown ${counts.copies} times, which copied ${kib(counts.copiedBytes)} KiB on the GPU`);

// The picture: how much of each cell is in use.
const cellBytes = meshes.report.bytes / (COLUMNS * ROWS);
const used = new Array<number>(COLUMNS * ROWS).fill(0);
for (const { offset, bytes } of meshes.allocations) {
  for (let at = offset; at < offset + bytes; ) {
    const cell = Math.floor(at / cellBytes);
    const end = Math.min(offset + bytes, (cell + 1) * cellBytes);
    used[cell] = (used[cell] ?? 0) + end - at;
    at = end;
  }
}
console.log(`\n#: in use, +: in part, .: free; a character is ${cellBytes} bytes\n`);
const shades = used.map((bytes) => (bytes === 0 ? "." : bytes < cellBytes ? "+" : "#"));
for (let line = 0; line < ROWS; line++)
  console.log(shades.slice(line * COLUMNS, (line + 1) * COLUMNS).join(""));

console.log("\nHoles by size, from 4 KiB on\n");
row("from", "to", "holes", "bytes");
for (const { least, most, count, bytes } of meshes.freeBins)
  if (least >= 4096) row(least, most, count, bytes);
