// SVG: text that is well-formed. Elements are strings; what comes from outside is escaped here and nowhere else.
//
// Owns:  the sheet: a picture complete in itself, with no script, no font and no link to anything.
// Needs: palette's styles.

import { STYLE } from "./palette.ts";

type Attributes = Readonly<Record<string, string | number>>;

/**
 * An element; `children` are elements already. Numbers are rounded to a hundredth of a pixel.
 *
 * @example
 *
 * ```ts
 * console.log(element("rect", { width: 10.001, class: "a<b" })); // <rect width="10" class="a&lt;b"/>
 * ```
 */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const parts = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(rounded(value))}"`);
  if (children.length === 0) return `<${name}${parts.join("")}/>`;
  return `<${name}${parts.join("")}>${children.join("\n")}</${name}>`;
}

/**
 * The text of an SVG file.
 *
 * @example
 *
 * ```ts
 * const picture = sheet({ width: 10, height: 10, title: "dots", description: "none" }, []);
 * console.log(picture.startsWith("<svg")); // true
 * ```
 */
export function sheet({ width, height, title, description }: Sheet, children: readonly string[]): string {
  const box = { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" };
  return `${element("svg", { xmlns: "http://www.w3.org/2000/svg", ...box }, [
    `<title>${escapeText(title)}</title>`,
    `<desc>${escapeText(description)}</desc>`,
    `<style>${STYLE}</style>`,
    element("rect", { width, height, class: "paper" }),
    ...children,
  ])}\n`;
}

/** A picture's size and what it is called. */
export interface Sheet {
  /** Pixels across. */
  readonly width: number;
  /** Pixels down. */
  readonly height: number;
  /** For those who cannot see it, as the description is. */
  readonly title: string;
  /** What it shows, in words. */
  readonly description: string;
}

/**
 * A line of text; `what` is a class of STYLE.
 *
 * @example
 *
 * ```ts
 * console.log(text(1, 2, "label", "a & b")); // <text x="1" y="2" class="label">a &amp; b</text>
 * ```
 */
export function text(x: number, y: number, what: string, words: string, more: Attributes = {}): string {
  return element("text", { x, y, class: what, ...more }, [escapeText(words)]);
}

/**
 * A straight line from one point to another; `what` is a class of STYLE.
 *
 * @example
 *
 * ```ts
 * console.log(line(0, 0, 10, 0, "axis")); // <line x1="0" y1="0" x2="10" y2="0" class="axis"/>
 * ```
 */
export function line(x1: number, y1: number, x2: number, y2: number, what: string): string {
  return element("line", { x1, y1, x2, y2, class: what });
}

/**
 * Elements moved right by x and down by y.
 *
 * @example
 *
 * ```ts
 * console.log(translated(1, 2, [element("g", {})])); // <g transform="translate(1 2)"><g/></g>
 * ```
 */
export function translated(x: number, y: number, children: readonly string[]): string {
  return element("g", { transform: `translate(${x} ${y})` }, children);
}

/** For text and attributes alike. Control characters have no place in XML, escaped or not. */
export function escapeText(words: string): string {
  return [...words]
    .map((character) => ESCAPES[character] ?? (isControl(character) ? "\ufffd" : character))
    .join("");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code < 32 || (code >= 0xd800 && code < 0xe000) || code === 0xfffe || code === 0xffff;
}

function rounded(value: string | number): string {
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
}
