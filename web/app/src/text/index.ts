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
