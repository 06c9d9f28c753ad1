// No nodes: the calls, the numbers drawn and the ticks alone. Their time is taken off the others'.

import { type GraphVariant, share, tick } from "./shape.ts";

let nodes = 0;
let sum = 0;

function build(count: number): number {
  if (count === 0) return 0;
  const toTheLeft = share(count - 1);
  const left = build(toTheLeft);
  const right = build(count - 1 - toTheLeft);
  return (count + left + right) | 0;
}

/** As many calls, as a tree without a memory makes them: halved each time. */
function walk(count: number): number {
  if (count === 0) return 0;
  tick();
  const toTheLeft = (count - 1) >>> 1;
  return (1 + walk(toTheLeft) + walk(count - 1 - toTheLeft)) | 0;
}

export const variant: GraphVariant = {
  build: (count) => {
    nodes = count;
    sum = build(count);
  },
  walk: () => (walk(nodes) === nodes ? sum >>> 0 : 0),
  drop: () => {},
  collected: false,
};
