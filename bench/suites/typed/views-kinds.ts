// Kinds: of memory, by how its views live. The first is what the others are compared with.

export const VIEW_KINDS = [
  "until-growth",
  "lasting",
  "shared",
  "growable",
  "following",
  "shared following",
] as const;
export type ViewKind = (typeof VIEW_KINDS)[number];
