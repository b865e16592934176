// The language of queries, by the examples that the server's is tested with.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Board } from "../src/board.js";
import type { Detail, View } from "../src/protocol.js";
import { parse, QueryError } from "../src/search/parse.js";
import { Query } from "../src/search/query.js";
import { tokensOf } from "../src/search/text.js";

type Vectors = {
  tokens: { text: string; tokens: string[] }[];
  errors: { q: string; at: number }[];
  user: string;
  now: number;
  view: View;
  details: Record<string, Detail>;
  cases: { q: string; cards: string[] }[];
};
const path = new URL("../../../../docs/schema/search-vectors.json", import.meta.url);
const vectors: Vectors = JSON.parse(readFileSync(path, "utf8"));

function faultOf(q: string): QueryError {
  try {
    parse(q);
  } catch (error) {
    if (error instanceof QueryError) return error;
  }
  throw new Error(`${q} is a query`);
}

test("texts are taken apart into the tokens of the server", () => {
  expect(vectors.tokens.length).toBeGreaterThan(5);
  for (const { text, tokens } of vectors.tokens)
    expect([text, tokensOf(text)]).toEqual([text, tokens]);
});

test("a faulty query is refused at the same place", () => {
  expect(vectors.errors.length).toBeGreaterThan(5);
  for (const { q, at } of vectors.errors) expect([q, faultOf(q).at]).toEqual([q, at]);
});

test("queries match the same cards", () => {
  const board = new Board();
  board.load(vectors.view);
  const asker = { user: vectors.user, now: vectors.now };
  expect(vectors.cases.length).toBeGreaterThan(50);
  for (const { q, cards } of vectors.cases) {
    const query = Query.of(q);
    const found = [...board.all("cards").values()]
      .filter((card) => query.matches(board, card, vectors.details[card.id], asker))
      .map(({ id }) => id);
    expect([q, found.sort()]).toEqual([q, cards]);
  }
});

test("a query is bounded in bytes and terms", () => {
  const most = Array.from({ length: 32 }, () => "a").join(" ");
  expect(parse(most).length).toBe(32);
  expect(faultOf(`${most} b`)).toMatchObject({ at: 65, fault: { is: "terms", max: 32 } });
  expect(faultOf("é".repeat(1_024))).toMatchObject({ at: 513, fault: { is: "bytes", max: 1_024 } });
});

test("a long word is cut and found by what is left", () => {
  expect(tokensOf("x".repeat(200))).toEqual(["x".repeat(64)]);
  expect(tokensOf(`${"ö".repeat(200)} y`)).toEqual(["o".repeat(64), "y"]);
});

test("the words of a query are a query by themselves", () => {
  const query = Query.of('label:bug "the report" -draft rep is:open');
  expect(query.words).toBe('"the report" -draft rep');
  expect(Query.of("is:open label:none").words).toBe("");
});
