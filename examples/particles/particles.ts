// Particles: a fixed number of places side by side in an arena, the living ones first. One cursor visits them all.

import { add, type Bump, f32, moveTo, type Ptr, type Ref, struct, u16 } from "morecore";

const Particle = struct(
  { x: f32, y: f32, vx: f32, vy: f32, age: f32, life: f32, colour: u16 },
  { name: "Particle" },
);

const GRAVITY = 9.81;
const BOUNCE = 0.6;

export class Particles {
  readonly #arena: Bump;
  readonly #first: Ptr<typeof Particle>;
  /** The particle that is looked at. */
  readonly #at: Ref<typeof Particle>;
  /** The most that can live at a time. */
  readonly capacity: number;
  count = 0;
  spawned = 0;
  refused = 0;

  /** Everything lies in the arena: when it ends, so does this. */
  constructor(arena: Bump, capacity: number) {
    this.#arena = arena;
    this.#first = arena.newArray(Particle, capacity).ptr;
    this.#at = arena.cursor(Particle);
    this.capacity = capacity;
  }

  /** False: there is no room for another. */
  spawn(x: number, y: number, vx: number, vy: number, life: number, colour: number): boolean {
    if (this.count === this.capacity) {
      this.refused += 1;
      return false;
    }
    const p = this.#goTo(this.count);
    p.x = x;
    p.y = y;
    p.vx = vx;
    p.vy = vy;
    p.age = 0;
    p.life = life;
    p.colour = colour;
    this.count += 1;
    this.spawned += 1;
    return true;
  }

  /** The last one takes the place of the one that dies, so the living ones stay side by side. O(1). */
  kill(index: number): void {
    this.count -= 1;
    if (index < this.count) this.#arena.copy(Particle, this.#place(index), this.#place(this.count));
  }

  /** Moves all by a time in seconds; those that are too old die. Makes no objects. */
  step(seconds: number): void {
    for (let index = 0; index < this.count; ) {
      const p = this.#goTo(index);
      p.age += seconds;
      if (p.age > p.life) {
        this.kill(index);
        continue;
      }
      p.vy -= GRAVITY * seconds;
      p.x += p.vx * seconds;
      p.y += p.vy * seconds;
      if (p.y < 0) {
        p.y = -p.y;
        p.vy *= -BOUNCE;
      }
      index += 1;
    }
  }

  /** Visits the living ones. The one that is handed out is always the same cursor: do not keep it. */
  *[Symbol.iterator](): Generator<Ref<typeof Particle>> {
    for (let index = 0; index < this.count; index++) yield this.#goTo(index);
  }

  #place(index: number): Ptr<typeof Particle> {
    return add(Particle, this.#first, index);
  }

  #goTo(index: number): Ref<typeof Particle> {
    moveTo(this.#at, this.#place(index));
    return this.#at;
  }
}
