// The forms of a language for numbers.

// Making them takes a hundred times as long as using them.
const known = new Map<string, { rules: Intl.PluralRules; numbers: Intl.NumberFormat }>();

/** A text for a number, in the form that the language has for it; `#` stands for the number. */
export function plural(
  language: string,
  n: number,
  forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string },
): string {
  let of = known.get(language);
  if (!of) {
    of = { rules: new Intl.PluralRules(language), numbers: new Intl.NumberFormat(language) };
    known.set(language, of);
  }
  return (forms[of.rules.select(n)] ?? forms.other).replaceAll("#", of.numbers.format(n));
}
