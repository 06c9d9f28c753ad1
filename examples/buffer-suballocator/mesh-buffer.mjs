// A mesh buffer: all meshes' vertices in one GPU buffer, so that a frame binds it once. It grows when it is full.
//
// The GPU's memory cannot hold an allocator's lists: JavaScript cannot read it. An OffsetAllocator keeps them outside.

import { OffsetAllocator } from "morecore";

/** GPUBufferUsage.VERTEX | COPY_SRC | COPY_DST, for where that global is missing. */
const USAGE = 0x20 | 0x04 | 0x08;

export class MeshBuffer {
  #device;
  #allocator;

  constructor(device, bytes) {
    this.#device = device;
    this.#allocator = new OffsetAllocator(bytes, { regions: 1024 });
    this.buffer = device.createBuffer({ size: bytes, usage: USAGE });
  }

  /**
   * Uploads a mesh and returns its handle. It lies at a multiple of its stride, so that its first vertex has a whole number,
   * which `draw` and `drawIndexed` take. Strides and sizes are multiples of 4, as WebGPU wants them.
   */
  load(vertices, stride) {
    const bytes = vertices.byteLength;
    const mesh = this.#allocator.allocate(bytes, stride) ?? this.#growFor(bytes, stride);
    this.#device.queue.writeBuffer(this.buffer, this.#allocator.offsetOf(mesh), vertices);
    return mesh;
  }

  /** Nothing is written to the GPU. A second unload throws. */
  unload(mesh) {
    this.#allocator.free(mesh);
  }

  firstVertexOf(mesh, stride) {
    return this.#allocator.offsetOf(mesh) / stride;
  }

  get report() {
    return this.#allocator.report();
  }

  get allocations() {
    return this.#allocator.allocations();
  }

  get freeBins() {
    return this.#allocator.freeBins();
  }

  /** A buffer of at least twice the size, the old one's bytes copied by the GPU. All offsets stay as they are. */
  #growFor(bytes, stride) {
    const old = this.buffer;
    this.#allocator.grow(Math.max(old.size, Math.ceil((bytes + stride) / 4) * 4));
    this.buffer = this.#device.createBuffer({ size: this.#allocator.bytes, usage: USAGE });
    const encoder = this.#device.createCommandEncoder();
    encoder.copyBufferToBuffer(old, 0, this.buffer, 0, old.size);
    this.#device.queue.submit([encoder.finish()]);
    old.destroy();
    return this.#allocator.allocate(bytes, stride);
  }
}
