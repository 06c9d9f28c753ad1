// Thread: a Worker of any engine, and what it says, in turn.
//
// Owns:  what differs between Node's Workers and all others'.
// Needs: of the script: that it takes its order as its first message, and says { failed } if it fails.

/** What both kinds have. */
interface AnyWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** Node's kind. Asked for at run time, since a bundle for browsers has no module of Node's. */
interface NodeWorker extends AnyWorker {
  on(event: "message" | "error", listener: (value: unknown) => void): void;
}

type NodeThreads = { readonly Worker: new (script: URL) => NodeWorker };

const webWorker = (globalThis as { readonly Worker?: typeof Worker }).Worker;

function nodeWorker(): NodeThreads["Worker"] | undefined {
  const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } };
  return (process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined)?.Worker;
}

/**
 * Whether there can be several threads with common memory: a page needs to be isolated from other origins. A Worker's script
 * has an address; where modules have none, as in workerd, none can be started, though there is a class of the name.
 */
export const canStartThreads: boolean =
  (webWorker ?? nodeWorker()) !== undefined &&
  typeof SharedArrayBuffer !== "undefined" &&
  typeof import.meta.url === "string";

export class Thread {
  private readonly worker: AnyWorker;
  private readonly heard: unknown[] = [];
  private failure: Error | undefined;
  /** Told of whatever comes. */
  private wake: () => void = () => undefined;

  constructor(script: URL, order: object) {
    const hear = (message: unknown): void => {
      if (isFailed(message)) this.fail(message.failed);
      else this.heard.push(message);
      this.wake();
    };
    this.worker = started(script, hear, (reason) => this.fail(reason));
    this.worker.postMessage(order);
  }

  /** What it says next, or has said. Throws if it has failed. */
  async said(): Promise<unknown> {
    while (this.heard.length === 0) {
      this.checkFailure();
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.heard.shift();
  }

  /** Throws if it has failed. */
  checkFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** What an engine does then differs: some threads go on for seconds, or for good. */
  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private fail(reason: string): void {
    this.failure ??= new Error(`in a Worker: ${reason}`);
    this.wake();
  }
}

const isFailed = (message: unknown): message is { readonly failed: string } =>
  typeof message === "object" && message !== null && "failed" in message;

function started(script: URL, hear: (message: unknown) => void, fail: (reason: string) => void): AnyWorker {
  if (webWorker !== undefined) {
    const worker = new webWorker(script, { type: "module" });
    worker.onmessage = ({ data }) => hear(data);
    // A script that is not there has an event without a message.
    worker.onerror = ({ message = `${script} was not loaded` }) => fail(message);
    return worker;
  }
  const NodeWorker = nodeWorker();
  if (NodeWorker === undefined) throw new TypeError("expected an engine that has Workers");
  const worker = new NodeWorker(script);
  worker.on("message", hear);
  worker.on("error", (error) => fail(error instanceof Error ? `${error.stack}` : String(error)));
  return worker;
}
