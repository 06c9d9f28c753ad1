// Peers: the allocators that native programs are run with.
//
// Owns:  where the libraries are.
// Needs: what `npm run build:native` and Debian's packages put there.

import { existsSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../harness/paths.ts";

export const PEER_NAMES = ["morecore", "glibc", "mimalloc", "jemalloc"] as const;
export type NativePeer = (typeof PEER_NAMES)[number];

const DEBIAN = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;

/** To be preloaded; "": nothing, the C library's own malloc. */
export const LIBRARIES: Readonly<Record<NativePeer, string>> = {
  morecore: path.join(ROOT, "packages", "native", "linux-x64", "libmorecore.so"),
  glibc: "",
  mimalloc: path.join(DEBIAN, "libmimalloc.so.2"),
  jemalloc: path.join(DEBIAN, "libjemalloc.so.2"),
};

/** Debian's packages that they are in; "": in none. */
export const MADE_BY_DEBIAN: Readonly<Record<NativePeer, string>> = {
  morecore: "",
  glibc: "libc6",
  mimalloc: "libmimalloc2.0",
  jemalloc: "libjemalloc2",
};

function howToGet(peer: NativePeer): string {
  return peer === "morecore" ? "npm run build:native" : `apt-get install ${MADE_BY_DEBIAN[peer]}`;
}

/** Those that are here, and a sentence for each that is not. */
export function findPeers(): { readonly peers: readonly NativePeer[]; readonly remarks: readonly string[] } {
  const isHere = (peer: NativePeer) => LIBRARIES[peer] === "" || existsSync(LIBRARIES[peer]);
  return {
    peers: PEER_NAMES.filter(isHere),
    remarks: PEER_NAMES.filter((peer) => !isHere(peer)).map(
      (peer) => `${peer} is left out: ${howToGet(peer)}`,
    ),
  };
}
