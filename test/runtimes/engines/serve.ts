// Serve: the page that runs the suite in a browser, and the ear for what it posts.
//
// Owns:  an HTTP server on this machine alone, for one page of one browser.
// Needs: the bundle (bundle.ts).
//
// Every page is isolated from other origins (COOP, COEP): without that, browsers have no SharedArrayBuffer for it.

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import type { Answer } from "../inside/answer.ts";

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const HTML = `<!doctype html><meta charset="utf-8"><title>suite</title><script type="module" src="/page.js"></script>`;
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".mjs": "text/javascript" };

export interface PageServer {
  readonly url: string;
  /** What the page posts. Rejects with what it says went wrong. */
  readonly answer: Promise<Answer>;
  /** The test file that it began last, and what was asked of the server. */
  progress(): string;
  close(): void;
}

/** Serves the bundle in `folder`; `policy` is the page's Content-Security-Policy, or undefined. */
export async function servePage(folder: string, policy: string | undefined): Promise<PageServer> {
  const { promise, resolve, reject } = withResolvers<Answer>();
  // The one who waits for it may have given up.
  promise.catch(() => {});
  let began = "nothing yet";
  const asked: string[] = [];
  const posted: Readonly<Record<string, (body: string) => void>> = {
    "/answer": (body) => resolve(JSON.parse(body)),
    "/error": (body) => reject(new Error(body)),
    "/began": (body) => {
      began = body;
    },
  };
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    void reply(request, response).catch((error) => {
      response.writeHead(404).end(String(error));
    });
  });
  async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const hear = posted[pathname];
    if (request.method === "POST" && hear !== undefined) {
      hear(await text(request));
      response.writeHead(204).end();
      return;
    }
    const csp = policy === undefined ? {} : { "Content-Security-Policy": policy };
    const isPage = pathname === "/";
    const body = isPage ? HTML : await readFile(path.join(folder, path.basename(pathname)), "utf8");
    const type = isPage ? "text/html" : (TYPES[path.extname(pathname)] ?? "text/plain");
    response
      .writeHead(200, { "Content-Type": type, "Cache-Control": "no-store", ...ISOLATED, ...csp })
      .end(body);
  }
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    answer: promise,
    progress: () =>
      `it began ${began}; it asked for ${asked.filter((each) => !each.endsWith("/began")).join(", ")}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Promise.withResolvers, which Node 20 has not. */
function withResolvers<T>(): { promise: Promise<T>; resolve(value: T): void; reject(reason: unknown): void } {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
