// Everything that the server refuses or ends has words in all languages, by its code.
import { readFileSync } from "node:fs";
import { QueueFull, RequestFailed } from "@boardcast/client";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { de } from "../src/text/de.js";
import { en } from "../src/text/en.js";
import { speak } from "../src/text/index.js";
import { closing, failure, problem, problemText, refusal } from "../src/text/refusals.js";

const read = (path: string) => readFileSync(`../../${path}`, "utf8");
const all = (text: string, what: RegExp) =>
  [...text.matchAll(what)].map(([, found]) => found ?? "");

const { $defs } = JSON.parse(read("docs/schema/server-message.schema.json"));
const constants = (name: string): string[] =>
  $defs[name].oneOf.map((one: { const: string }) => one.const.replaceAll("_", "-"));
const kinds = read("server/src/http/problem.rs").split("const KINDS")[1]?.split("\n];")[0] ?? "";
const codes = {
  "a problem of HTTP": all(kinds, /\(\s*"([a-z-]+)",\s*\d{3},/g),
  "a reason of a rejection": constants("Reason"),
  "an error of the protocol": constants("ErrorCode"),
  "a question without an answer": all(
    read("web/packages/client/src/requests.ts"),
    /new RequestFailed\(\s*"([a-z_]+)"/g,
  ).map((code) => code.replaceAll("_", "-")),
};

for (const [what, found] of Object.entries(codes)) {
  test(`${what} has words in each language`, () => {
    expect(found.length).toBeGreaterThan(2);
    for (const catalogue of [en, de]) {
      const known: Record<string, string> = catalogue.refusals;
      expect(found.filter((code) => !known[code])).toEqual([]);
    }
  });
}

test("each word belongs to a code", () => {
  const used = new Set([...Object.values(codes).flat(), "queue-full"]);
  expect(Object.keys(en.refusals).filter((code) => !used.has(code))).toEqual([]);
});

test("each end of a connection has words in each language", () => {
  const ends = all(read("protocol/src/close.rs"), /=> (\d{4}),/g).sort();
  expect(ends.length).toBeGreaterThan(15);
  for (const catalogue of [en, de]) expect(Object.keys(catalogue.closes).sort()).toEqual(ends);
});

describe("a page in German", () => {
  beforeEach(async () => {
    vi.stubGlobal("localStorage", { getItem: () => null });
    vi.stubGlobal("navigator", { languages: ["de-AT"] });
    vi.stubGlobal("document", { documentElement: {} });
    await speak();
  });

  test("says by the code what is wrong, and not by the text", () => {
    expect(refusal("wip_limit", "Doing takes at most 1")).toBe("Die Spalte ist voll.");
    expect(problem({ type: "/api/#no-space", detail: "no space" }, "")).toBe(
      "Für Dateien ist kein Platz mehr.",
    );
    expect(closing(4502, "the token is not valid")).toBe("Sie sind abgemeldet");
    expect(failure(new RequestFailed("timeout", "late"))).toContain("einer Minute");
    expect(failure(new QueueFull())).toContain("Zu viele Änderungen");
  });

  test("adds what the server says where the code stands for many things", () => {
    expect(refusal("invalid", "title: at most 500 characters")).toBe(
      "Ein Wert ist nicht erlaubt. (title: at most 500 characters)",
    );
    expect(closing(4505, "an old version")).toBe(
      "die Verwaltung hat die Verbindung geschlossen: an old version",
    );
  });

  test("tells what it has no words for as the server has said it", () => {
    expect(refusal("new-code", "something new")).toBe("something new");
    expect(problem({ type: "/api/#new", detail: "new" }, "")).toBe("new");
    expect(problemText("<html>", "Bad Gateway")).toBe("Bad Gateway");
    expect(closing(4999, "new")).toBe("new");
    expect(closing(4999, "")).toBe("4999");
  });
});
