// A device without a GPU: as much of WebGPU's GPUDevice as the mesh buffer uses, with its rules, counting what goes over the bus.
//
// In a browser, `await (await navigator.gpu.requestAdapter()).requestDevice()` goes in its place.

/** What WebGPU's validation asks of the offsets and sizes of writes and copies. */
const UNIT = 4;

export class FakeBuffer {
  readonly size: number;
  #bytes: Uint8Array | undefined;

  constructor(size: number) {
    this.size = size;
    this.#bytes = new Uint8Array(size);
  }

  /** The bytes themselves, which a page cannot see; here for the device, and for looking at what has arrived. */
  bytes(offset: number, size: number): Uint8Array {
    if (this.#bytes === undefined) throw new Error("the buffer is destroyed");
    if (offset % UNIT !== 0 || size % UNIT !== 0)
      throw new Error(`${offset}, ${size}: not multiples of ${UNIT}`);
    if (offset + size > this.size)
      throw new Error(`${offset} + ${size}: beyond the buffer's ${this.size} bytes`);
    return this.#bytes.subarray(offset, offset + size);
  }

  destroy(): void {
    this.#bytes = undefined;
  }
}

type Step = () => void;

export class FakeDevice {
  counts = { buffers: 0, uploads: 0, uploadedBytes: 0, copies: 0, copiedBytes: 0 };

  queue = {
    writeBuffer: (buffer: FakeBuffer, offset: number, data: ArrayBufferView): void => {
      const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      buffer.bytes(offset, source.length).set(source);
      this.counts.uploads += 1;
      this.counts.uploadedBytes += source.length;
    },
    submit: (commands: readonly (readonly Step[])[]): void => {
      for (const command of commands) for (const step of command) step();
    },
  };

  createBuffer({ size }: { readonly size: number; readonly usage: number }): FakeBuffer {
    this.counts.buffers += 1;
    return new FakeBuffer(size);
  }

  createCommandEncoder() {
    const steps: Step[] = [];
    return {
      copyBufferToBuffer: (
        from: FakeBuffer,
        fromOffset: number,
        to: FakeBuffer,
        toOffset: number,
        size: number,
      ): void => {
        steps.push(() => {
          to.bytes(toOffset, size).set(from.bytes(fromOffset, size));
          this.counts.copies += 1;
          this.counts.copiedBytes += size;
        });
      },
      finish: (): readonly Step[] => steps,
    };
  }
}
