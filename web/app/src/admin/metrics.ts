// The numbers of the server as Prometheus gets them, and what happened between two looks at them.

/** A look at all metrics: each value by its name with its labels, as the server writes them. */
export type Look = { at: number; values: ReadonlyMap<string, number> };

/** Reads the text form of Prometheus, as far as this server uses it. */
export function readMetrics(text: string, at: number): Look {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const end = line.lastIndexOf(" ");
    values.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return { at, values };
}

/** A value; nothing where the system does not tell. */
export function gaugeOf(look: Look, name: string): number | null {
  return look.values.get(name) ?? null;
}

/** How much a counter rose in a second between two looks; nothing where the server began anew. */
export function rateOf(before: Look, now: Look, name: string): number | null {
  const rise = riseOf(before, now, name);
  const seconds = (now.at - before.at) / 1_000;
  return rise === null || seconds <= 0 ? null : rise / seconds;
}

function riseOf(before: Look, now: Look, name: string): number | null {
  const from = before.values.get(name);
  const to = now.values.get(name);
  if (from === undefined || to === undefined || to < from) return null;
  return to - from;
}

/**
 * Quantiles of what a histogram took up between two looks, in the unit of its bounds: estimated inside
 * the interval into which each falls. Nothing where it took nothing up.
 */
export function quantilesOf(
  before: Look,
  now: Look,
  name: string,
  quantiles: readonly number[],
): (number | null)[] {
  const nothing = quantiles.map(() => null);
  const buckets: { bound: number; count: number }[] = [];
  const prefix = `${name}_bucket{le="`;
  for (const key of now.values.keys()) {
    if (!key.startsWith(prefix)) continue;
    const count = riseOf(before, now, key);
    if (count === null) return nothing;
    const text = key.slice(prefix.length, -2);
    buckets.push({ bound: text === "+Inf" ? Number.POSITIVE_INFINITY : Number(text), count });
  }
  buckets.sort((a, b) => a.bound - b.bound);
  const all = buckets.at(-1)?.count ?? 0;
  if (all === 0) return nothing;
  return quantiles.map((quantile) => {
    const rank = quantile * all;
    const at = buckets.findIndex(({ count }) => count >= rank);
    const upper = buckets[at];
    const lower = buckets[at - 1] ?? { bound: 0, count: 0 };
    if (!upper) return null;
    if (upper.bound === Number.POSITIVE_INFINITY) return lower.bound;
    const inside = upper.count - lower.count;
    const part = inside === 0 ? 1 : (rank - lower.count) / inside;
    return lower.bound + (upper.bound - lower.bound) * part;
  });
}

/** The values of a metric by what a label says. */
export function byLabel(look: Look, name: string, label: string): [string, number][] {
  const prefix = `${name}{${label}="`;
  const found: [string, number][] = [];
  for (const [key, value] of look.values) {
    if (key.startsWith(prefix)) found.push([key.slice(prefix.length, -2), value]);
  }
  return found;
}
