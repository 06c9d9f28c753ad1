// Mutate: sequences drawn at random, and changed at random.
//
// Owns:  which sizes and counts are tried, and how a sequence changes.
// Needs: sequence, a random generator.

import type { Random } from "./search.ts";
import { type Burst, type Letter } from "./sequence.ts";

const MOST_BURSTS = 40;
const FIRST_BURSTS = 12;
const MOST_TIMES = 600;
/** Where allocators change their ways: classes, slabs, bins, thresholds, steps of growth. */
const EDGES = [
  1, 16, 128, 240, 256, 257, 508, 512, 1008, 1024, 1025, 4080, 4096, 8192, 32_768, 65_536, 262_144,
];
const LETTERS: readonly Letter[] = ["m", "m", "m", "m", "c", "a", "r", "r", "f", "f", "f", "f"];
const STEPS = [0, 0, 0, 1, 1, 2, 3, 16, 16, 64, 512];

export function createSequence(random: Random): Burst[] {
  return Array.from({ length: 1 + below(random, FIRST_BURSTS) }, () => createBurst(random));
}

export function mutateSequence(bursts: readonly Burst[], random: Random): Burst[] {
  const changed = mutateOnce(bursts, random);
  // Some anomalies need two things changed at once.
  return random() < 0.3 ? mutateSequence(changed, random) : changed;
}

function mutateOnce(bursts: readonly Burst[], random: Random): Burst[] {
  const at = below(random, bursts.length);
  const chosen = bursts[at];
  const [head, tail] = [bursts.slice(0, at), bursts.slice(at + 1)];
  const choice = random();
  if (chosen === undefined || (choice < 0.2 && bursts.length < MOST_BURSTS))
    return [...head, createBurst(random), ...bursts.slice(at)];
  if (choice < 0.35) return [...head, ...tail];
  if (choice < 0.45) return swapped(bursts, at, below(random, bursts.length));
  if (choice < 0.55 && bursts.length < MOST_BURSTS) {
    const copied = bursts.slice(at, at + 1 + below(random, 4));
    return [...head, ...copied, ...bursts.slice(at)];
  }
  return [...head, changeBurst(chosen, random), ...tail];
}

function swapped(bursts: readonly Burst[], a: number, b: number): Burst[] {
  const list = [...bursts];
  const [first, second] = [list[a], list[b]];
  if (first !== undefined && second !== undefined) [list[a], list[b]] = [second, first];
  return list;
}

function createBurst(random: Random): Burst {
  const letter = oneOf(LETTERS, random);
  const isOfBlock = letter === "f" || letter === "r";
  return {
    letter,
    which: isOfBlock ? below(random, random() < 0.5 ? 4 : 500) : 0,
    bytes: letter === "f" ? 0 : drawSize(random),
    alignment: letter === "a" ? 2 ** (5 + below(random, 8)) : 0,
    step: drawStep(letter, random),
    times: drawTimes(random),
  };
}

function changeBurst(burst: Burst, random: Random): Burst {
  const choice = random();
  if (choice < 0.35) return { ...burst, times: changeTimes(burst.times, random) };
  if (choice < 0.5) return { ...burst, step: drawStep(burst.letter, random) };
  if (burst.letter === "f" || (burst.letter === "r" && choice < 0.7))
    return {
      ...burst,
      which: random() < 0.5 ? below(random, 500) : Math.max(0, burst.which + nudge(random)),
    };
  if (burst.letter === "a" && choice < 0.6) return { ...burst, alignment: 2 ** (5 + below(random, 8)) };
  if (choice < 0.75) return { ...burst, bytes: drawSize(random) };
  return { ...burst, bytes: Math.max(0, burst.bytes + 16 * nudge(random)) };
}

function changeTimes(times: number, random: Random): number {
  const choice = random();
  if (choice < 0.3) return Math.min(times * 2, MOST_TIMES);
  if (choice < 0.5) return Math.max(1, times >>> 1);
  if (choice < 0.8) return Math.min(Math.max(1, times + nudge(random)), MOST_TIMES);
  return drawTimes(random);
}

function drawSize(random: Random): number {
  const choice = random();
  if (choice < 0.45) return 16 * (1 + below(random, 16));
  if (choice < 0.65) return oneOf(EDGES, random);
  // As many of 300 to 600 as of 30 000 to 60 000.
  return Math.floor(2 ** (4 + random() * 14));
}

function drawStep(letter: Letter, random: Random): number {
  const step = oneOf(STEPS, random);
  return letter === "f" || letter === "r" ? Math.min(step, 3) : step;
}

function drawTimes(random: Random): number {
  return random() < 0.4 ? 1 : Math.floor(2 ** (random() * 9));
}

/** A small number that is not 0. */
function nudge(random: Random): number {
  const size = 1 + below(random, 8);
  return random() < 0.5 ? size : -size;
}

function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

function oneOf<T>(list: readonly T[], random: Random): T {
  return list[below(random, list.length)] as T; // lists here are not empty
}
