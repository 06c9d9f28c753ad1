// Layouts: 200 000 structs of eight floats, 6.4 MB, as an array of structs and as a structure of arrays. An operation is one
// pass over all that touches few fields or many.

import { Columns, f32, Heap, moveTo, type Ptr, struct } from "morecore";
import type { Loop, LoopGroup, Run } from "./loop.ts";

const COUNT = 200_000;
const FIELDS = 8;

const Particle = struct(
  { x: f32, y: f32, z: f32, vx: f32, vy: f32, vz: f32, age: f32, mass: f32 },
  { name: "Particle" },
);
type Name = keyof typeof Particle.fields;
type Floats = Record<Name, number>;
type Touch = (particle: Floats) => void;

function plainObjects(touch: Touch): Run {
  const particles: Floats[] = [];
  for (let i = 0; i < COUNT; i++)
    particles.push({ x: i, y: 1.5, z: 2.5, vx: 0.5, vy: 0.25, vz: 0.125, age: 0.5, mass: 1.5 });
  return (count) => {
    for (let pass = 0; pass < count; pass++) for (let i = 0; i < COUNT; i++) touch(particles[i] as Floats);
    return (particles[0] as Floats).x;
  };
}

function structsByCursor(touch: Touch): Run {
  const heap = Heap.create();
  const particles = heap.newArray(Particle, COUNT);
  const first: number = particles.ptr;
  const at = heap.cursor(Particle);
  return (count) => {
    for (let pass = 0; pass < count; pass++)
      for (let i = 0; i < COUNT; i++) {
        moveTo(at, (first + i * Particle.size) as Ptr<typeof Particle>);
        touch(at);
      }
    return particles.get(0).x;
  };
}

function structsByHand(touch: (all: Float32Array, at: number) => void): Run {
  const all = new Float32Array(COUNT * FIELDS).fill(0.5);
  return (count) => {
    for (let pass = 0; pass < count; pass++) for (let i = 0; i < COUNT; i++) touch(all, i * FIELDS);
    return all[0] as number;
  };
}

type Arrays = Record<Name, Float32Array>;
type TouchColumns = (columns: Arrays, at: number) => void;

function columnsByHand(touch: TouchColumns): Run {
  const column = () => new Float32Array(COUNT).fill(0.5);
  const [x, y, z, vx, vy, vz] = [column(), column(), column(), column(), column(), column()];
  const columns: Arrays = { x, y, z, vx, vy, vz, age: column(), mass: column() };
  return (count) => {
    for (let pass = 0; pass < count; pass++) for (let i = 0; i < COUNT; i++) touch(columns, i);
    return columns.x[0] as number;
  };
}

function filledColumns(): Columns<typeof Particle.fields> {
  const columns = new Columns(Heap.create(), Particle, COUNT);
  for (let i = 0; i < COUNT; i++) columns.push({ x: i, vx: 0.5, mass: 1.5 });
  return columns;
}

function columnsByRow(touch: Touch): Run {
  const columns = filledColumns();
  const row = columns.cursor();
  return (count) => {
    for (let pass = 0; pass < count; pass++)
      for (let i = 0; i < COUNT; i++) {
        row.index = i;
        touch(row);
      }
    return columns.at(0).x;
  };
}

/** The typed arrays, got anew for each pass, as a program must that allocates between passes. */
function columnsByArrays(touch: TouchColumns): Run {
  const all = filledColumns();
  return (count) => {
    for (let pass = 0; pass < count; pass++) {
      const [x, y, z] = [all.column("x"), all.column("y"), all.column("z")];
      const [vx, vy, vz] = [all.column("vx"), all.column("vy"), all.column("vz")];
      const columns: Arrays = { x, y, z, vx, vy, vz, age: all.column("age"), mass: all.column("mass") };
      for (let i = 0; i < COUNT; i++) touch(columns, i);
    }
    return all.at(0).x;
  };
}

interface Ways {
  readonly object: Touch;
  readonly flat: (all: Float32Array, at: number) => void;
  readonly columns: TouchColumns;
}

function layoutLoop(name: string, { object, flat, columns }: Ways): Loop {
  return {
    name,
    variants: {
      "plain objects": () => plainObjects(object),
      "structs, cursor": () => structsByCursor(object),
      "structs by hand": () => structsByHand(flat),
      "Columns, row": () => columnsByRow(object),
      "Columns, arrays": () => columnsByArrays(columns),
      "columns by hand": () => columnsByHand(columns),
    },
  };
}

const one: Ways = {
  object: (p) => {
    p.age += 0.5;
  },
  flat: (all, at) => {
    all[at + 6] = (all[at + 6] as number) + 0.5;
  },
  columns: ({ age }, at) => {
    age[at] = (age[at] as number) + 0.5;
  },
};

const two: Ways = {
  object: (p) => {
    p.x += p.vx;
  },
  flat: (all, at) => {
    all[at] = (all[at] as number) + (all[at + 3] as number);
  },
  columns: ({ x, vx }, at) => {
    x[at] = (x[at] as number) + (vx[at] as number);
  },
};

const eight: Ways = {
  object: (p) => {
    p.x += p.vx * p.mass;
    p.y += p.vy * p.mass;
    p.z += p.vz * p.mass;
    p.age += 0.5;
  },
  flat: (all, at) => {
    const mass = all[at + 7] as number;
    all[at] = (all[at] as number) + (all[at + 3] as number) * mass;
    all[at + 1] = (all[at + 1] as number) + (all[at + 4] as number) * mass;
    all[at + 2] = (all[at + 2] as number) + (all[at + 5] as number) * mass;
    all[at + 6] = (all[at + 6] as number) + 0.5;
  },
  columns: (c, at) => {
    const mass = c.mass[at] as number;
    c.x[at] = (c.x[at] as number) + (c.vx[at] as number) * mass;
    c.y[at] = (c.y[at] as number) + (c.vy[at] as number) * mass;
    c.z[at] = (c.z[at] as number) + (c.vz[at] as number) * mass;
    c.age[at] = (c.age[at] as number) + 0.5;
  },
};

export const layouts: LoopGroup = {
  title: `Layouts: µs for one pass over ${COUNT} structs of ${FIELDS} floats`,
  loops: [
    layoutLoop("touching 1 field", one),
    layoutLoop("touching 2 fields", two),
    layoutLoop("touching all 8", eight),
  ],
};
