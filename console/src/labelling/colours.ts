const COLOURS = [
  "#4aa8d0",
  "#e0a043",
  "#55b98a",
  "#e5645f",
  "#b48ce0",
  "#d8c94a",
  "#5ed0c4",
  "#e58fb6",
  "#9bb5c4",
];

/** The colour of a class, by its place among all; those beyond the ninth share them. */
export function colourOf(word: string, classes: readonly string[]): string {
  return COLOURS[Math.max(0, classes.indexOf(word)) % COLOURS.length] ?? "#4aa8d0";
}
