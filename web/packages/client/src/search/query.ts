// Which cards a query matches: the same as protocol/src/search/matching.rs.
import { HEAD, type Kind, type Things } from "../board.js";
import type { Card, Checklist, Detail } from "../protocol.js";
import { type Due, parse, type Term, type What } from "./parse.js";
import { type Phrase, tokensOf } from "./text.js";

/** Where cards, columns, labels and members are looked up: a board. */
export type Searched = { get<K extends Kind>(kind: K, id: string): Things[K] | undefined };

/** Who asks, and when, in milliseconds since 1970. */
export type Asker = { user: string; now: number };

/** What cards are looked for: those for which every term holds. */
export class Query {
  private readonly phrases: readonly { phrase: Phrase; negated: boolean }[];
  /** Its words and phrases alone, as a query; empty where it has none. */
  readonly words: string;

  private constructor(private readonly terms: readonly Term[]) {
    const words = terms.flatMap(({ what, negated }) =>
      what.is === "words" ? [{ phrase: what.phrase, text: what.text, negated }] : [],
    );
    this.phrases = words;
    this.words = words.map(({ text, negated }) => `${negated ? "-" : ""}${text}`).join(" ");
  }

  /**
   * Reads a query of at most 1,024 bytes and 32 terms. Throws {@link QueryError}: it is longer, has a
   * filter that is not known or a value that a filter does not take, or a lone quotation mark.
   */
  static of(text: string): Query {
    return new Query(parse(text));
  }

  /** Whether every card matches that is not archived. */
  get isEmpty(): boolean {
    return this.terms.length === 0;
  }

  /** Whether a card matches; `detail` holds its description and its comments. */
  matches(board: Searched, card: Card, detail: Detail | undefined, asker: Asker): boolean {
    return this.mayMatch(board, card, asker) && this.wordsMatch(card, detail);
  }

  /** Whether a card matches as far as its texts are not needed. */
  mayMatch(board: Searched, card: Card, asker: Asker): boolean {
    if (!this.wantsArchived && isArchived(board, card)) return false;
    return this.terms.every(
      ({ what, negated }) => what.is === "words" || holds(what, board, card, asker) !== negated,
    );
  }

  /** Whether its words stand in the texts of a card that are given. */
  wordsMatch(card: Card, detail: Detail | undefined): boolean {
    if (this.phrases.length === 0) return true;
    const texts = [...tokensIn(card, ofCard), ...(detail ? tokensIn(detail, ofDetail) : [])];
    return this.phrases.every(
      ({ phrase, negated }) => texts.some((text) => phrase.isIn(text)) !== negated,
    );
  }

  /** Whether cards are looked for that are archived, or whose column or board is: no others match. */
  get wantsArchived(): boolean {
    return this.terms.some(
      ({ what, negated }) => what.is === "state" && what.state === "archived" && !negated,
    );
  }
}

/** The tokens of things that were looked through; a change of a thing is another object. */
const known = new WeakMap<Card | Detail, readonly (readonly string[])[]>();

function tokensIn<T extends Card | Detail>(
  thing: T,
  texts: (thing: T) => readonly string[],
): readonly (readonly string[])[] {
  let tokens = known.get(thing);
  if (!tokens) {
    tokens = texts(thing).map(tokensOf);
    known.set(thing, tokens);
  }
  return tokens;
}

function ofCard({ title, checklists }: Card): string[] {
  const items = (list: Checklist) => [list.title, ...(list.items ?? []).map(({ text }) => text)];
  return [title, ...(checklists ?? []).flatMap(items)];
}

function ofDetail({ description, comments }: Detail): string[] {
  return [description ?? "", ...(comments ?? []).map(({ text }) => text)];
}

function isArchived(board: Searched, card: Card): boolean {
  return Boolean(
    card.archived ||
      board.get("head", HEAD)?.archived ||
      board.get("columns", card.column)?.archived,
  );
}

function holds(
  what: Exclude<What, { is: "words" }>,
  board: Searched,
  card: Card,
  asker: Asker,
): boolean {
  switch (what.is) {
    case "label": {
      const { named } = what;
      const labels = card.labels ?? [];
      if (!named) return labels.length === 0;
      return labels.some((id) => named.is(id, board.get("labels", id)?.name ?? ""));
    }
    case "assignee": {
      const { named } = what;
      const people = card.assignees ?? [];
      if (!named) return people.length === 0;
      return people.some((id) => named.is(id, board.get("members", id)?.name ?? ""));
    }
    case "me":
      return card.assignees?.includes(asker.user) ?? false;
    case "column":
      return what.named.is(card.column, board.get("columns", card.column)?.title ?? "");
    case "board": {
      const head = board.get("head", HEAD);
      return what.named.is(head?.id ?? "", head?.title ?? "");
    }
    case "due":
      return isDue(what.due, card.due ?? undefined);
    case "priority":
      return (card.priority ?? "none") === what.priority;
    case "state":
      return stands(what.state, board, card, asker);
  }
}

function stands(
  state: Extract<What, { is: "state" }>["state"],
  board: Searched,
  card: Card,
  asker: Asker,
): boolean {
  switch (state) {
    case "archived":
      return isArchived(board, card);
    case "open":
      return !isArchived(board, card);
    case "overdue":
      return !card.complete && typeof card.due === "number" && card.due < asker.now;
    case "blocked":
      return (card.blocked_by ?? []).length > 0;
  }
}

function isDue(wanted: Due, due: number | undefined): boolean {
  if (wanted === "never" || due === undefined) return wanted === "never" && due === undefined;
  const { from, before } = wanted;
  return (from === undefined || due >= from) && (before === undefined || due < before);
}
