// The service worker answers with the document where the server does, and nowhere else.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const quoted = (text: string) => [...text.matchAll(/"([^"]*)"/g)].map(([, inside]) => inside ?? "");
const part = (text: string, from: string, to: string) => text.split(from)[1]?.split(to)[0] ?? "";

test("the pages that are kept are those of the server", () => {
  const server = readFileSync("../../server/src/http/page.rs", "utf8");
  const worker = readFileSync("src/offline/worker.ts", "utf8");
  const served = quoted(part(server, "const CLIENT_PAGES", "];")).map((path) => path.split("/")[1]);
  const kept = quoted(part(worker, "const PAGES", "]);"));
  expect(kept.length).toBeGreaterThan(5);
  expect(kept).toEqual([...new Set(served)].sort());
});

test("the worker that is built stands alone and names all files of the build", () => {
  const worker = readFileSync("dist/worker.js", "utf8");
  const files = JSON.parse(/FILES=(\[.*?\])/.exec(worker)?.[1] ?? "[]") as string[];
  const assets = readdirSync("dist/assets").filter((name) => !/\.(map|br|gz)$/.test(name));
  expect(files.sort()).toEqual([...assets.map((name) => `assets/${name}`), "icon.svg"].sort());
  expect(worker).not.toMatch(/\b(?:import|export)\b/);
});
