// Readme: a package's README, as it is read outside of the checkout.
//
// Owns:  what becomes of links to files that the tarball does not have: addresses of the release's own files in the
//        repository, or, as long as no address is known, the text alone; of a picture, what stands for it.

import { posix } from "node:path";

export interface Published {
  /** Of the package. */
  readonly folder: string;
  readonly version: string;
  /** https://HOST/OWNER/NAME. */
  readonly address: string | undefined;
  /** Paths in the tarball. */
  readonly files: readonly string[];
}

/** A link, or code, in which nothing is one. */
const LINK = /```[\s\S]*?```|`[^`\n]*`|(!?)\[([^\]]*)\]\(([^)\s]+)\)/g;

export function publishedReadme(text: string, published: Published): string {
  return text.replace(LINK, (whole, image: string, label: string, to?: string) => {
    if (to === undefined || isAbsolute(to) || staysInside(to, published.files)) return whole;
    if (published.address === undefined) return label;
    const path = posix.normalize(posix.join(published.folder, to));
    const kind = image === "!" ? "raw" : "blob";
    return `${image}[${label}](${published.address}/${kind}/v${published.version}/${path})`;
  });
}

/** Links of a README that lead nowhere, for someone who has the tarball only. */
export function deadLinks(text: string, files: readonly string[]): string[] {
  return Array.from(text.matchAll(LINK), ([, , , to = "#"]) => to).filter(
    (to) => !isAbsolute(to) && !staysInside(to, files),
  );
}

function isAbsolute(to: string): boolean {
  return /^(?:https:|mailto:|#)/.test(to);
}

function staysInside(to: string, files: readonly string[]): boolean {
  return files.includes(posix.normalize(to.replace(/#.*/, "")));
}
