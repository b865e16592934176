// How a query is read: the same language as protocol/src/search/parse.rs.
import type { Priority } from "../protocol.js";
import { Phrase, tokensOf } from "./text.js";

/** Bytes of a query. */
export const QUERY_MAX_BYTES = 1_024;
/** Terms of a query. */
export const QUERY_TERMS_MAX = 32;

const DAY_MS = 24 * 60 * 60 * 1_000;
const STATES = ["archived", "open", "overdue", "blocked"] as const;
const PRIORITIES = ["none", "low", "medium", "high", "urgent"] as const satisfies Priority[];

/** One condition. */
export type Term = { negated: boolean; what: What };

/** What a term is about. */
export type What =
  /** It stands in the title, the description, a checklist or a comment. */
  | { is: "words"; phrase: Phrase; text: string }
  /** It has such a label, or such a member; without a name: it has none. */
  | { is: "label" | "assignee"; named: Named | undefined }
  | { is: "column" | "board"; named: Named }
  | { is: "me" }
  | { is: "due"; due: Due }
  | { is: "state"; state: (typeof STATES)[number] }
  | { is: "priority"; priority: Priority };

/** From the first moment on and before the second one; `"never"`: at no time. */
export type Due = "never" | { from?: number; before?: number };

/** What names a thing: its id, or words of its name. */
export class Named {
  private readonly words: Phrase | undefined;

  constructor(private readonly text: string) {
    this.words = Phrase.of(text, false);
  }

  /** Whether it names the thing with this id and this name. Without words it is the name itself. */
  is(id: string, name: string): boolean {
    if (this.text === id) return true;
    return this.words ? this.words.isIn(tokensOf(name)) : this.text.trim() === name.trim();
  }
}

/** What is wrong with a query. */
export type QueryFault =
  | { is: "bytes" | "terms"; max: number }
  /** A quotation mark without a second one. */
  | { is: "quote" }
  /** A filter without a value. */
  | { is: "empty"; key: string }
  | { is: "date" | "state" | "priority"; value: string }
  /** No such filter. */
  | { is: "filter"; key: string; value: string };

/** A text that is no query, and where it is none. */
export class QueryError extends Error {
  override name = "QueryError";

  constructor(
    /** The character at which it is wrong, from 1. */
    readonly at: number,
    readonly fault: QueryFault,
  ) {
    super(`at character ${at}: ${fault.is}`);
  }
}

/** The terms of a query. Throws {@link QueryError}. */
export function parse(text: string): Term[] {
  const over = new TextEncoder().encode(text).length > QUERY_MAX_BYTES;
  if (over) {
    throw new QueryError(charsWithin(text, QUERY_MAX_BYTES) + 1, {
      is: "bytes",
      max: QUERY_MAX_BYTES,
    });
  }
  const parser = new Parser(text);
  const terms: Term[] = [];
  for (;;) {
    const read = parser.term();
    if (!read) return terms;
    if (terms.length === QUERY_TERMS_MAX) {
      throw parser.error(read.start, { is: "terms", max: QUERY_TERMS_MAX });
    }
    if (read.term) terms.push(read.term);
  }
}

/** The characters that fit whole into so many bytes. */
function charsWithin(text: string, bytes: number): number {
  let left = bytes;
  let chars = 0;
  for (const char of text) {
    left -= new TextEncoder().encode(char).length;
    if (left < 0) break;
    chars += 1;
  }
  return chars;
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  error(at: number, fault: QueryFault): QueryError {
    return new QueryError([...this.text.slice(0, at)].length + 1, fault);
  }

  private get rest(): string {
    return this.text.slice(this.at);
  }

  /** The next term and where it begins; without one inside for what has no word to look for. */
  term(): { start: number; term: Term | undefined } | undefined {
    this.at += /^\p{White_Space}*/u.exec(this.rest)?.[0].length ?? 0;
    const start = this.at;
    if (this.rest === "") return undefined;
    const negated = this.rest.startsWith("-");
    if (negated) this.at += 1;
    const what = this.what(start);
    return { start, term: what && { negated, what } };
  }

  private what(start: number): What | undefined {
    if (this.rest.startsWith('"')) return words(this.quoted(), false);
    const key = this.key();
    return key === undefined ? words(this.bare(), true) : this.filter(start, key);
  }

  /** The letters before a colon, which is passed. */
  private key(): string | undefined {
    const key = /^([A-Za-z]+):/.exec(this.rest)?.[1];
    if (key !== undefined) this.at += key.length + 1;
    return key;
  }

  /** What stands up to the next space. */
  private bare(): string {
    const word = /^\P{White_Space}*/u.exec(this.rest)?.[0] ?? "";
    this.at += word.length;
    return word;
  }

  /** What stands between quotation marks. */
  private quoted(): string {
    const inside = this.rest.slice(1);
    const end = inside.indexOf('"');
    if (end < 0) throw this.error(this.at, { is: "quote" });
    this.at += end + 2;
    return inside.slice(0, end);
  }

  private filter(start: number, name: string): What {
    const from = this.at;
    const value = this.rest.startsWith('"') ? this.quoted() : this.bare();
    const key = name.toLowerCase();
    const lower = value.toLowerCase();
    const named = () => {
      if (value.trim() === "") throw this.error(from, { is: "empty", key });
      return new Named(value);
    };
    switch (key) {
      case "assignee":
        if (lower === "me") return { is: "me" };
        return { is: "assignee", named: lower === "none" ? undefined : named() };
      case "label":
        return { is: "label", named: lower === "none" ? undefined : named() };
      case "column":
      case "board":
        return { is: key, named: named() };
      case "due": {
        const due = dueOf(value);
        if (!due) throw this.error(from, { is: "date", value });
        return { is: "due", due };
      }
      case "is": {
        const state = STATES.find((state) => state === lower);
        if (!state) throw this.error(from, { is: "state", value });
        return { is: "state", state };
      }
      case "priority": {
        const priority = PRIORITIES.find((priority) => priority === lower);
        if (!priority) throw this.error(from, { is: "priority", value });
        return { is: "priority", priority };
      }
      default:
        throw this.error(start, { is: "filter", key, value });
    }
  }
}

function words(text: string, begins: boolean): What | undefined {
  const phrase = Phrase.of(text, begins);
  return phrase && { is: "words", phrase, text: begins ? text : `"${text}"` };
}

/** A comparison with a day of UTC. */
function dueOf(value: string): Due | undefined {
  if (value.toLowerCase() === "none") return "never";
  const [, sign = "", day = ""] = /^([<>=]*)(.*)$/s.exec(value) ?? [];
  const from = dayOf(day);
  if (from === undefined) return undefined;
  const before = from + DAY_MS;
  const dues: Record<string, Due> = {
    "": { from, before },
    "=": { from, before },
    "<": { before: from },
    "<=": { before },
    ">": { from: before },
    ">=": { from },
  };
  return dues[sign];
}

/** The first moment of a day `YYYY-MM-DD` of UTC, from 1970 on. */
function dayOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text < "1970") return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  // February 30 would be a day of March.
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(text)) return undefined;
  return at;
}
