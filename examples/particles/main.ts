// A fountain of sparks for ten seconds, 60 steps each; every second what lives, and a sum over all bytes of it.

import { Heap } from "morecore";
import { Particles } from "./particles.ts";

const STEPS = 600;
const SECONDS = 1 / 60;
const EACH_STEP = 200;

/** The same numbers in every run (Numerical Recipes' generator), from 0 up to 1. */
let state = 2026;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

/** Of numbers as 32-bit floats: FNV-1a over their bits. */
const word = new DataView(new ArrayBuffer(4));
function checksum(particles: Particles): string {
  let sum = 0x811c9dc5;
  const take = (number: number): void => {
    word.setFloat32(0, number);
    sum = Math.imul(sum ^ word.getUint32(0), 0x01000193) >>> 0;
  };
  for (const { x, y, vx, vy, age, colour } of particles)
    for (const value of [x, y, vx, vy, age, colour]) take(value);
  return sum.toString(16).padStart(8, "0");
}

const heap = Heap.create();
const arena = heap.bump({ name: "particles" });
const particles = new Particles(arena, 20_000);

console.log("  second  living  highest   checksum");
for (let step = 1; step <= STEPS; step++) {
  for (let i = 0; i < EACH_STEP; i++) {
    // Steps of a hundredth: sums of such products are the same on every machine.
    const [vx, vy] = [Math.round((random() - 0.5) * 800) / 100, 6 + Math.round(random() * 600) / 100];
    particles.spawn(0, 0, vx, vy, 0.5 + Math.round(random() * 200) / 100, i);
  }
  particles.step(SECONDS);
  if (step % 60 !== 0) continue;
  let highest = 0;
  for (const { y } of particles) highest = Math.max(highest, y);
  const cells = [step / 60, particles.count, highest.toFixed(3), checksum(particles)];
  console.log([8, 8, 9, 11].map((width, index) => String(cells[index]).padStart(width)).join(""));
}
console.log(`\n${particles.spawned} spawned, ${particles.refused} refused, ${arena.usedBytes} bytes`);

arena.dispose();
heap.check();
