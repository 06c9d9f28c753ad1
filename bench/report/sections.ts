// Sections: parts of RESULTS.md that commands of their own write, and that all others leave as they are.
//
// Owns:  the lines that a section stands between.
// Needs: nothing.

const NAME = "[a-z ]+";

function opening(name: string): string {
  return `<!-- section: ${name} -->`;
}

function closing(name: string): string {
  return `<!-- end of section: ${name} -->`;
}

/** The text with a section of this name: in place of the one that it has, or at its end. */
export function withSection(text: string, name: string, contents: string): string {
  const section = [opening(name), "", contents.replace(/^\n+|\s+$/g, ""), "", closing(name)].join("\n");
  const start = text.indexOf(opening(name));
  const end = text.indexOf(closing(name));
  if (start < 0 || end < start) return `${text.trimEnd()}\n\n${section}\n`;
  return text.slice(0, start) + section + text.slice(end + closing(name).length);
}

/** A text with the sections that another one has. */
export function withSectionsOf(text: string, other: string): string {
  const pattern = new RegExp(`${opening(`(${NAME})`)}\n([^]*?)\n${closing("\\1")}`, "g");
  let result = text;
  for (const [, name = "", contents = ""] of other.matchAll(pattern))
    result = withSection(result, name, contents);
  return result;
}
