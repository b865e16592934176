// How much a browser fetches before a board is there.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const KB = 1_024;

/** The files that a file needs before it runs, itself included. */
function needed(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const source = readFileSync(`${dist}assets/${name}`, "utf8");
  for (const [, next] of source.matchAll(/(?:from|import)"\.\/([\w.-]+\.js)"/g)) {
    if (next) needed(next, found);
  }
  return found;
}

const bytes = (name: string) => gzipSync(readFileSync(`${dist}assets/${name}`)).length;

test("the scripts of the board page have at most 170 KB", () => {
  const page = readFileSync(`${dist}index.html`, "utf8");
  const [, entry = ""] = /src="\/assets\/([\w.-]+\.js)"/.exec(page) ?? [];
  const board = readdirSync(`${dist}assets`).filter((name) => /^index-.*\.js$/.test(name));
  const first = needed(entry);
  for (const name of board) needed(name, first);
  const sum = [...first].reduce((all, name) => all + bytes(name), 0);
  expect(first.size).toBeGreaterThan(1);
  expect(sum).toBeGreaterThan(80 * KB);
  expect(sum).toBeLessThan(170 * KB);
});
