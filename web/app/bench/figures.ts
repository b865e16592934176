// Figures, with what each must be.

/** One figure; `most` and `least` say what it must be, where it must be something. */
export type Figure = {
  name: string;
  unit: string;
  measured: number;
  most?: number;
  least?: number;
  /** What else there is to know of it. */
  note?: string;
};

/** Whether a figure is what it must be. */
export function holds({ measured, most, least }: Figure): boolean {
  return !(measured > (most ?? Infinity)) && !(measured < (least ?? -Infinity));
}

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  const value = sorted[at];
  if (value === undefined) throw new Error("nothing was measured");
  return value;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The figures as a table of text. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, unit, most, least, note } = figure;
    const must = most !== undefined ? `at most ${most}` : least !== undefined ? `${least}` : "";
    const word = must === "" ? "" : holds(figure) ? "ok" : "MISSED";
    return [name, must, written(figure.measured), unit, word, note ?? ""];
  });
  const all = [["figure", "must", "measured", "", "", ""], ...rows];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]) =>
    row.map((cell, at) =>
      at === 2 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
    );
  return all.map((row) => line(row).join("  ").trimEnd()).join("\n");
}

function written(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toFixed(1);
}
