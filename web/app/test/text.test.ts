// All languages say the same things, in all forms that they have for numbers.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { de } from "../src/text/de.js";
import { en } from "../src/text/en.js";
import { mirrored } from "../src/text/mirrored.js";
import { plural } from "../src/text/plural.js";

// What is counted is looked at on its way; it does what it always does.
vi.mock(import("../src/text/plural.js"), async (original) => {
  const real = await original();
  return { plural: vi.fn(real.plural) };
});

type Text = string | readonly Text[] | ((...given: never[]) => string) | { [key: string]: Text };

/** Every text by the way to it. */
function flat(text: Text, way = ""): Map<string, Exclude<Text, object>> {
  if (typeof text === "string" || typeof text === "function")
    return new Map([[way, text as string]]);
  const inner = Object.entries(text).map(([key, one]) => flat(one as Text, `${way}.${key}`));
  return new Map(inner.flatMap((all) => [...all]));
}

/** Values that fit a function that takes so many, as texts or as numbers. */
function given(length: number, n: number): unknown[] {
  return Array.from({ length }, (_, at) => n * 10 ** at);
}

/** How a text comes out for numbers, and by which forms it was counted; `of` tells what it takes. */
function said(text: unknown, n: number, of = text): { words: string; forms: string[] } {
  if (typeof text !== "function" || typeof of !== "function")
    return { words: `${text}`, forms: [] };
  vi.mocked(plural).mockClear();
  const numbers = given(of.length, n);
  let words: string = text(...numbers);
  // It takes names.
  if (/undefined/.test(words)) words = text(numbers.map(String));
  return {
    words,
    forms: vi.mocked(plural).mock.calls.flatMap(([, , forms]) => Object.keys(forms)),
  };
}

const languages = { de, "ar-XB": mirrored };

for (const [language, catalogue] of Object.entries(languages)) {
  test(`${language} says what English says`, () => {
    const english = flat(en as Text);
    const texts = flat(catalogue as Text);
    expect(english.size).toBeGreaterThan(300);
    expect([...texts.keys()]).toEqual([...english.keys()]);
    for (const [way, text] of texts) {
      const original = english.get(way);
      expect([way, typeof text]).toEqual([way, typeof original]);
      for (const n of [1, 2, 7]) {
        const [here, there] = [said(text, n, original), said(original, n)];
        // Everything that English tells stands in the other language as well.
        const told = (words: string) => (words.match(/\d+/g) ?? []).sort();
        if (typeof text === "function")
          expect([way, told(here.words)]).toEqual([way, told(there.words)]);
        expect([way, here.forms]).toEqual([way, there.forms]);
        expect([way, here.words === ""]).toEqual([way, there.words === ""]);
        expect(here.words).not.toMatch(/#(?!\d)|undefined|\[object/);
      }
    }
  });
}

test("what is counted has all forms of its language", () => {
  for (const [language, catalogue] of Object.entries({ en, de })) {
    const rules = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    let counted = 0;
    for (const text of flat(catalogue as Text).values()) {
      const { forms } = said(text, 1);
      if (forms.length === 0) continue;
      counted += 1;
      expect([...new Set(forms)].sort()).toEqual([...rules].sort());
      for (const [spoken] of vi.mocked(plural).mock.calls) expect(spoken).toBe(language);
    }
    expect(counted).toBeGreaterThan(20);
  }
});

test("numbers are written as the language writes them", () => {
  expect(en.cardsIn(1, "Done")).toBe("1 card in Done");
  expect(en.cardsIn(1_234, "Done")).toBe("1,234 cards in Done");
  expect(de.cardsIn(1, "Fertig")).toBe("1 Karte in Fertig");
  expect(de.cardsIn(1_234, "Fertig")).toBe("1.234 Karten in Fertig");
});

test("all texts of the components are in the catalogues", () => {
  const words = />\s*[A-Z][a-z]+ [a-z]+[^<{]*</;
  const files = readdirSync("src", { recursive: true, encoding: "utf8" });
  const components = files.filter((file) => file.endsWith(".tsx"));
  expect(components.length).toBeGreaterThan(30);
  for (const file of components) {
    const found = words.exec(readFileSync(`src/${file}`, "utf8"))?.[0];
    expect([file, found]).toEqual([file, undefined]);
  }
});

test("styles name no side, so that they hold from right to left as well", () => {
  const sides =
    /^\s*(?:(?:margin|padding|border|inset)-(?:left|right)|left|right|float|clear)\b.*|.*(?:text-align|float|clear):\s*(?:left|right).*/m;
  const files = readdirSync("src/styles");
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) {
    const style = readFileSync(`src/styles/${file}`, "utf8");
    expect([file, sides.exec(style)?.[0]]).toEqual([file, undefined]);
    // Four values differ between left and right.
    const four = /(?:margin|padding|inset):\s*\S+ (\S+) \S+ (\S+);/g;
    for (const [rule, right, left] of style.matchAll(four))
      expect([file, rule, left]).toEqual([file, rule, right]);
  }
});
