import { expect, test } from "vitest";
import { between, rankAt } from "../src/order.js";

/** Whether these are ranks in ascending order. */
function ascending(ranks: readonly (string | undefined)[]): boolean {
  const present = ranks.filter((rank) => rank !== undefined);
  const wellFormed = present.every((rank) => /^[0-9A-Za-z]*[1-9A-Za-z]$/.test(rank));
  return wellFormed && present.every((rank, at) => at === 0 || (present[at - 1] ?? "") < rank);
}

test("a rank stands between its neighbours, wherever it is put and however often", () => {
  for (const choose of [
    () => 0,
    (n: number) => n,
    (n: number) => n >> 1,
    (n: number) => n - (n > 0 ? 1 : 0),
  ]) {
    const ranks: string[] = [];
    for (let count = 0; count < 300; count++) {
      const at = choose(ranks.length);
      ranks.splice(at, 0, between(ranks[at - 1], ranks[at]));
    }
    expect(ascending(ranks)).toBe(true);
  }
});

test.each([
  ["V", "V001"],
  ["V", "V1"],
  ["0001", "001"],
  ["V", "W"],
  ["zzzz", undefined],
  [undefined, "0001"],
  ["V001", "V002"],
  ["a", "aV"],
])("between %s and %s", (low, high) => {
  expect(ascending([low, between(low, high), high])).toBe(true);
});

test("things are put after one neighbour, else before the other, else at the end", () => {
  const lane = ["a", "b", "c"].map((id, at) => ({ id, rank: ["F", "V", "k"][at] ?? "" }));
  const at = (place?: { after?: string; before?: string }) =>
    [...lane, { id: "x", rank: rankAt(lane, place, "x") }]
      .sort((a, b) => (a.rank < b.rank ? -1 : 1))
      .map((thing) => thing.id)
      .join("");
  expect(at({ after: "a" })).toBe("axbc");
  expect(at({ before: "a" })).toBe("xabc");
  expect(at({ after: "gone", before: "c" })).toBe("abxc");
  expect(at({ after: "b", before: "a" })).toBe("abxc");
  expect(at({ after: "gone" })).toBe("abcx");
  expect(at()).toBe("abcx");
});
