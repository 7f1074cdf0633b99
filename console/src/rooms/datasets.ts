import type { DatasetVersion } from "../api/datasets";

export interface Branch extends DatasetVersion {
  children?: Branch[];
}

/** Versions as a tree by parent; a version whose parent is not among them begins one. Newest first on each level. */
export function treeOf(versions: readonly DatasetVersion[]): Branch[] {
  const branches = new Map<string, Branch>(versions.map((one) => [one.digest, { ...one }]));
  const roots: Branch[] = [];
  for (const branch of branches.values()) {
    const parent = branch.parent == null ? undefined : branches.get(branch.parent);
    if (!parent) roots.push(branch);
    else if (parent.children) parent.children.push(branch);
    else parent.children = [branch];
  }
  return roots;
}

/** car +2, bus −1 */
export const grown = (by: Record<string, number>) =>
  Object.entries(by)
    .map(([name, count]) => `${name} ${count > 0 ? "+" : "−"}${Math.abs(count)}`)
    .join("、");

/** car 2, bus 1 */
export const counted = (by: Record<string, number>, word: (id: string) => string = (id) => id) =>
  Object.entries(by)
    .map(([name, count]) => `${word(name)} ${count}`)
    .join("、");
