// The forms of a language for numbers.

/** A text for a number, in the form that the language has for it; `#` stands for the number. */
export function plural(
  language: string,
  n: number,
  forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string },
): string {
  const form = new Intl.PluralRules(language).select(n);
  const number = new Intl.NumberFormat(language).format(n);
  return (forms[form] ?? forms.other).replaceAll("#", number);
}
