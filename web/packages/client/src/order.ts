// Ranks: fractions between 0 and 1, written as base-62 digits in ASCII order.

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Digits of a step beyond the first or the last, as the server takes them. */
const STEP_DIGITS = 4;

/** Something that stands in an order. */
export type Ranked = { readonly id: string; readonly rank: string };

/** The order of columns, cards, checklists and items: by rank, then by id. */
export function byRank(a: Ranked, b: Ranked): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return 0;
}

/**
 * A rank strictly between two others, `undefined` being the open end: what a prediction shows until
 * the server has said the real one. Where `low` is not below `high`, a rank right behind `low`.
 */
export function between(low: string | undefined, high: string | undefined): string {
  if (low === undefined && high === undefined) return "V";
  if (low !== undefined && high !== undefined && low < high) return middle(low, high);
  return low === undefined ? step(high ?? "V", -1) : step(low, 1);
}

/** The rank of something that goes between neighbours: right after one, before the other, or last. */
export function rankAt(
  lane: readonly Ranked[],
  place: { after?: string | null; before?: string | null } | undefined,
  self: string,
): string {
  const others = lane.filter((other) => other.id !== self);
  const indexOf = (id: string | null | undefined) =>
    id ? others.findIndex((other) => other.id === id) : -1;
  const [after, before] = [indexOf(place?.after), indexOf(place?.before)];
  const at = after >= 0 ? after + 1 : before >= 0 ? before : others.length;
  return between(others[at - 1]?.rank, others[at]?.rank);
}

/** A small step away, in the four digits that the server steps in; else halfway to the end. */
function step(rank: string, by: 1 | -1): string {
  const width = Math.ceil(rank.length / STEP_DIGITS) * STEP_DIGITS;
  const digits = Array.from({ length: width }, (_, at) => digit(rank, at));
  for (let at = width - 1; at >= 0; at--) {
    const next = (digits[at] ?? 0) + by;
    digits[at] = (next + DIGITS.length) % DIGITS.length;
    if (next >= 0 && next < DIGITS.length) {
      const text = written(digits);
      return text === "" ? middle("", rank) : text;
    }
  }
  return by > 0 ? middle(rank, undefined) : middle("", rank);
}

/** The middle of two ranks, `undefined` being 1. */
function middle(low: string, high: string | undefined): string {
  const digits: number[] = [];
  let open = high === undefined;
  for (let at = 0; ; at++) {
    const from = digit(low, at);
    const to = open ? DIGITS.length : digit(high ?? "", at);
    if (to - from > 1) return written([...digits, from + ((to - from) >> 1)]);
    digits.push(from);
    open ||= to > from;
  }
}

function digit(rank: string, at: number): number {
  return at < rank.length ? DIGITS.indexOf(rank.charAt(at)) : 0;
}

function written(digits: readonly number[]): string {
  const text = digits.map((value) => DIGITS.charAt(value)).join("");
  return text.replace(/0+$/, "");
}
