// Capabilities: what the engine that runs a test can do. A test that needs one asks here, and never for an engine's name.

/** The smallest module: its magic and its version. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Whether it makes instances of modules from bytes: a page's policy, or workerd, may forbid either step. */
export const canCompile: boolean = works(() => new WebAssembly.Instance(new WebAssembly.Module(EMPTY)));

/** Whether it makes code from strings. */
export const canEvaluate: boolean = works(() => new Function("return 1"));

/** Whether a WebAssembly.Memory can grow without emptying the arrays over its buffer. */
export const hasGrowthInPlace: boolean = "toResizableBuffer" in WebAssembly.Memory.prototype;

function works(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
