import { en } from "./en.js";

/** What the page says, in the language of the person. */
export const t = en;

/** A day, as the person writes it; with the year, where that is another one. */
export function day(ms: number): string {
  const sameYear = new Date(ms).getFullYear() === new Date().getFullYear();
  const year = sameYear ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...year }).format(ms);
}

/** A day and a time, as the person writes them. */
export function moment(ms: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(ms);
}

/** A number of bytes in the unit that suits it, of 1,000 each. */
export function bytes(n: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const at = units.findIndex((_, at) => n < 1_000 ** (at + 1));
  const unit = units[at] ?? "gigabyte";
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(undefined, style).format(n / 1_000 ** units.indexOf(unit));
}
