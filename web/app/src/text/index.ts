// What the page says, in the language of the person, and how that language writes numbers and times.
import { en } from "./en.js";

/** All texts of the page in one language. */
export type Catalogue = typeof en;

/** The languages that there are, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** What is fetched for a language besides English; one of the tests reads from right to left. */
const OTHERS: Record<string, () => Promise<Catalogue>> = {
  de: () => import("./de.js").then(({ de }) => de),
  "ar-XB": () => import("./mirrored.js").then(({ mirrored }) => mirrored),
};
const FROM_RIGHT_TO_LEFT: ReadonlySet<string> = new Set(["ar-XB"]);
const CHOSEN = "boardcast-language";

/** What the page says. */
export let t: Catalogue = en;
/** The language that is spoken. */
let spoken = "en";
/** By whose customs numbers and times are written: those of the browser, where it speaks the language. */
let locale: string | undefined;

/**
 * Speaks the language that was chosen in this browser, else the first of the browser's that there is,
 * else English. To be called before anything is shown.
 */
export async function speak(): Promise<void> {
  const chosen = chosenLanguage();
  const tags = chosen ? [chosen] : navigator.languages;
  const known = (tag: string) => (tag in OTHERS ? tag : baseOf(tag));
  const language = tags.map(known).find((base) => base === "en" || base in OTHERS) ?? "en";
  try {
    t = (await OTHERS[language]?.()) ?? en;
  } catch {
    // It cannot be fetched now: English is here.
    return;
  }
  spoken = language;
  locale = navigator.languages.find((tag) => baseOf(tag) === language) ?? baseOf(language);
  if (FROM_RIGHT_TO_LEFT.has(language)) locale = "en";
  document.documentElement.lang = language;
  document.documentElement.dir = FROM_RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
}

function baseOf(tag: string): string {
  return tag.split("-")[0] ?? tag;
}

/** The language that was chosen in this browser; none for the browser's own. */
export function chosenLanguage(): string | undefined {
  return localStorage.getItem(CHOSEN) ?? undefined;
}

/** Chooses a language, or the browser's own. The page is to be loaded anew. */
export function chooseLanguage(language: Language | undefined): void {
  if (language) localStorage.setItem(CHOSEN, language);
  else localStorage.removeItem(CHOSEN);
}

/** Whether the page speaks as the server does. */
export function isEnglish(): boolean {
  return spoken === "en";
}

/** Whether the page reads from right to left. */
export function isRightToLeft(): boolean {
  return document.documentElement.dir === "rtl";
}

/** How days are written, without the year and with it: kept, for they are many and slow to make. */
const days: Partial<Record<"short" | "long", Intl.DateTimeFormat>> = {};

/** A day, as the person writes it; with the year, where that is another one. */
export function day(ms: number): string {
  const sameYear = new Date(ms).getFullYear() === new Date().getFullYear();
  const form = sameYear ? "short" : "long";
  const year = sameYear ? {} : ({ year: "numeric" } as const);
  days[form] ??= new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", ...year });
  return days[form].format(ms);
}

/** A day and a time, as the person writes them. */
export function moment(ms: number): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(ms);
}

/** The time of a day, to the second. */
export function time(ms: number): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(ms);
}

/** A number, with two digits behind the point at most. */
export function number(n: number): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(n);
}

/** A number of bytes in the unit that suits it, of 1,000 each. */
export function bytes(n: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const at = units.findIndex((_, at) => n < 1_000 ** (at + 1));
  const unit = units[at] ?? "gigabyte";
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(locale, style).format(n / 1_000 ** units.indexOf(unit));
}

/** Names one after the other, as the language lists them. */
export function list(names: readonly string[]): string {
  return new Intl.ListFormat(locale, { style: "narrow", type: "unit" }).format(names);
}

/** Puts texts into the order of the language. */
export function byName(a: string, b: string): number {
  return a.localeCompare(b, locale);
}
