/** The numbers of a line with commas between them; undefined: an empty one. What is no number is NaN. */
export function numbersOf(text: string): number[] | undefined {
  const parts = text.split(/[,，\s]+/).filter(Boolean);
  return parts.length > 0 ? parts.map(Number) : undefined;
}
