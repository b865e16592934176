import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestServer } from "./server.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const script = `${here}test/readme-example.mjs`;
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  rmSync(script, { force: true });
  await server.stop();
});

test("the example of the README runs on what is published", () => {
  const readme = readFileSync(`${here}README.md`, "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(
    example
      .trim()
      .split("\n")
      .filter((line) => !/^(import|$)/.test(line)),
  ).toHaveLength(8);
  writeFileSync(script, `const [url, token] = process.argv.slice(2);\n${example}`);
  const output = execFileSync("node", [script, server.url, server.token("ann")], {
    timeout: 20_000,
  });
  expect(`${output}`).toBe("1 2\n");
});
