// Pages: the repository's Markdown, and what leads from one page to another.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT } from "./c-program.ts";

/** What is built, fetched, or kept as it was found. */
const NOT_OURS = /(?:^|\/)(?:node_modules|build|dist|findings|\.git|\.ci)(?:\/|$)/;

export function pageOf(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

/** All pages of the repository, by their paths from its root. */
export function allPages(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (NOT_OURS.test(relative(ROOT, path))) return [];
    if (entry.isDirectory()) return allPages(path);
    return entry.name.endsWith(".md") ? [relative(ROOT, path)] : [];
  });
}

/** The page without its fenced code, in which nothing is a link or a heading. */
function withoutFences(page: string): string {
  return page.replace(/^( *)```.*?^\1```$/gms, "");
}

/** What a page's links and pictures lead to, but for other sites. */
export function linksOf(page: string): string[] {
  const links = withoutFences(page).matchAll(/\]\(([^)\s]+)\)/g);
  return Array.from(links, ([, to]) => to ?? "").filter((to) => !/^[a-z]+:/.test(to));
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): string[] {
  const headings = withoutFences(page).matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}
