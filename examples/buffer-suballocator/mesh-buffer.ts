// A mesh buffer: all meshes' vertices in one GPU buffer, so that a frame binds it once. It grows when it is full.
//
// The GPU's memory cannot hold an allocator's lists: JavaScript cannot read it. An OffsetAllocator keeps them outside.

import {
  type AllocatedRegion,
  type Allocation,
  type FreeBin,
  OffsetAllocator,
  type OffsetReport,
} from "morecore";
import type { FakeBuffer, FakeDevice } from "./fake-device.ts";

/** GPUBufferUsage.VERTEX | COPY_SRC | COPY_DST, for where that global is missing. */
const USAGE = 0x20 | 0x04 | 0x08;

export class MeshBuffer {
  readonly #device: FakeDevice;
  readonly #allocator: OffsetAllocator;
  buffer: FakeBuffer;

  constructor(device: FakeDevice, bytes: number) {
    this.#device = device;
    this.#allocator = new OffsetAllocator(bytes, { regions: 1024 });
    this.buffer = device.createBuffer({ size: bytes, usage: USAGE });
  }

  /**
   * Uploads a mesh and returns its handle. It lies at a multiple of its stride, so that its first vertex has a whole number,
   * which `draw` and `drawIndexed` take. Strides and sizes are multiples of 4, as WebGPU wants them.
   */
  load(vertices: ArrayBufferView, stride: number): Allocation {
    const bytes = vertices.byteLength;
    const mesh = this.#allocator.allocate(bytes, stride) ?? this.#growFor(bytes, stride);
    this.#device.queue.writeBuffer(this.buffer, this.#allocator.offsetOf(mesh), vertices);
    return mesh;
  }

  /** Nothing is written to the GPU. A second unload throws. */
  unload(mesh: Allocation): void {
    this.#allocator.free(mesh);
  }

  firstVertexOf(mesh: Allocation, stride: number): number {
    return this.#allocator.offsetOf(mesh) / stride;
  }

  get report(): OffsetReport {
    return this.#allocator.report();
  }

  get allocations(): Iterable<AllocatedRegion> {
    return this.#allocator.allocations();
  }

  get freeBins(): Iterable<FreeBin> {
    return this.#allocator.freeBins();
  }

  /** A buffer of at least twice the size, the old one's bytes copied by the GPU. All offsets stay as they are. */
  #growFor(bytes: number, stride: number): Allocation {
    const old = this.buffer;
    this.#allocator.grow(Math.max(old.size, Math.ceil((bytes + stride) / 4) * 4));
    this.buffer = this.#device.createBuffer({ size: this.#allocator.bytes, usage: USAGE });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(old, 0, this.buffer, 0, old.size);
    this.#device.queue.submit([encoder.finish()]);
    old.destroy();
    const mesh = this.#allocator.allocate(bytes, stride);
    if (mesh === undefined) throw new RangeError(`a mesh of ${bytes} bytes has no room`);
    return mesh;
  }
}
