import { describe, expect, it } from "vitest";
import type { DatasetVersion } from "../api/datasets";
import { counted, grown, treeOf } from "./datasets";

const version = (digest: string, parent: string | null) => ({ digest, parent }) as DatasetVersion;

describe("versions", () => {
  it("stand under their parents, in the order in which they come", () => {
    const tree = treeOf([version("c", "a"), version("b", "a"), version("a", null), version("x", "not kept")]);
    expect(tree.map((one) => one.digest)).toEqual(["a", "x"]);
    expect(tree[0]?.children?.map((one) => one.digest)).toEqual(["c", "b"]);
    expect(tree[0]?.children?.[0]?.children).toBeUndefined();
  });

  it("tell what grew and what shrank", () => {
    expect(grown({ car: 2, bus: -1 })).toBe("car +2、bus −1");
    expect(counted({ photos: 3 })).toBe("photos 3");
  });
});
