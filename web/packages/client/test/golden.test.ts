import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { apply } from "../src/apply.js";
import { Board } from "../src/board.js";
import { digestOf, hashOf } from "../src/canonical.js";
import type { Event, View } from "../src/protocol.js";

const here = fileURLToPath(new URL("..", import.meta.url));
const golden = join(here, "../../../protocol/golden");
const folder = mkdtempSync(join(here, "test/golden-"));
afterAll(() => rmSync(folder, { recursive: true }));

const TYPES = {
  client: "ClientMessage",
  command: "Command",
  event: "Event",
  server: "ServerMessage",
};

/** What the compiler says about constants of these types. */
function compiled(name: string, constants: [type: string, value: string][]): string {
  const lines = constants.map(([type, value], at) => `export const c${at}: ${type} = ${value};`);
  const types = Object.values(TYPES).join(", ");
  const file = join(folder, `${name}.ts`);
  writeFileSync(
    file,
    `import type { ${types} } from "../../src/protocol.js";\n${lines.join("\n")}\n`,
  );
  const config = { extends: "../../tsconfig.json", files: [`${name}.ts`], include: [] };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  try {
    execFileSync("npx", ["tsc", "--noEmit", "-p", join(folder, `${name}.json`)], { cwd: here });
    return "";
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout);
  }
}

const files = readdirSync(join(golden, "messages"));
const messages = files.map((file): [string, string, string] => {
  const kind = file.split(".")[0] as keyof typeof TYPES;
  return [file, TYPES[kind], readFileSync(join(golden, "messages", file), "utf8")];
});

describe("the types of the protocol", () => {
  test("are those of docs/schema", () => {
    execFileSync("node", ["scripts/generate.mjs", "--check"], { cwd: here });
  });

  test("fit every golden file", () => {
    expect(messages.length).toBeGreaterThan(80);
    const constants = messages.map(([, type, text]): [string, string] => [type, text]);
    expect(compiled("all", constants)).toBe("");
  });

  test("do not fit a file that is not golden", () => {
    const [, type, text] = messages.find(([file]) => file === "client.submit.json") ?? [];
    const wrong = (from: string, to: string): [string, string] => {
      expect(text).toContain(from);
      return [type ?? "", (text ?? "").replace(from, to)];
    };
    expect(compiled("field", [wrong('"seq"', '"sequence"')])).toContain("sequence");
    expect(compiled("value", [wrong('"card.move"', '"card.jump"')])).toContain("card.jump");
  });
});

type Step = {
  by: string;
  at: number;
  expect: { events?: Event[]; hash?: string; version?: number };
};
const scenarios = readdirSync(join(golden, "scenarios")).map(
  (file): [string, { start: View; steps: Step[] }] => [
    file,
    JSON.parse(readFileSync(join(golden, "scenarios", file), "utf8")),
  ],
);

describe("apply", () => {
  test("is tried with many versions", () => {
    const steps = scenarios.flatMap(([, scenario]) => scenario.steps);
    expect(steps.filter((step) => step.expect.hash).length).toBeGreaterThan(60);
  });

  test.each(scenarios)("reproduces %s", async (_, { start, steps }) => {
    const board = new Board();
    board.load(start);
    for (const card of board.all("cards").keys()) board.put("details", card, {});
    for (const step of steps.filter((step) => step.expect.events)) {
      const moment = { version: step.expect.version ?? 0, by: step.by, at: step.at };
      for (const event of step.expect.events ?? []) {
        apply(board, moment, event);
        if (event.type === "card.put") {
          board.put("details", event.card.id, event.detail ?? {});
        }
      }
      expect(await hashOf(board.view() as View)).toBe(step.expect.hash);
    }
    for (const [id, detail] of board.all("details")) {
      const digest = board.get("cards", id)?.detail?.digest ?? "";
      expect([id, await digestOf(detail)]).toEqual([id, digest]);
    }
  });

  test("leaves the board as it was where an event does not fit", () => {
    const board = new Board();
    board.load(scenarios[0]?.[1].start as View);
    const before = JSON.stringify(board.view());
    const moment = { version: 1, by: "ann", at: 1 };
    const set: Event = { type: "card.set", card: "nowhere", set: { title: "a" } };
    expect(() => apply(board, moment, set)).toThrow("nowhere of the cards");
    const unknown = { type: "card.jumped", card: "k0" } as unknown as Event;
    expect(() => apply(board, moment, unknown)).toThrow("card.jumped");
    expect(JSON.stringify(board.view())).toBe(before);
  });
});
