// Moments as fields for days and times have them, in the time zone of the browser.

const two = (n: number) => `${n}`.padStart(2, "0");

/** The day of a moment, as `2030-05-06`; empty for none. */
export function dayOf(ms: number | null | undefined): string {
  if (typeof ms !== "number") return "";
  const date = new Date(ms);
  const year = `${date.getFullYear()}`.padStart(4, "0");
  return `${year}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The time of a moment on its day, as `17:00`. */
export function timeOf(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * The moment of a day and a time, in milliseconds since 1970; `undefined` where they are none, or lie
 * before 1970, as a year does that is still being typed. A time that the clocks skip is the one after.
 */
export function momentOf(day: string, time: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || !/^\d\d:\d\d$/.test(time)) return undefined;
  const ms = new Date(`${day}T${time}:00`).getTime();
  return ms >= 0 ? ms : undefined;
}

/** The time zone in which days and times are shown, as `Europe/Berlin`. */
export function zone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
