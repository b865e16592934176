import { t } from "../text/index.js";

type Named = keyof typeof t.colors;

/** A colour of the palette, or none; one that is not of the palette stays until another is chosen. */
export function ColorSelect(props: {
  label: string;
  color: string | null | undefined;
  disabled?: boolean;
  set(color: string | null): void;
}) {
  const { label, color, disabled, set } = props;
  const names = Object.keys(t.colors) as Named[];
  const other = color && !names.includes(color as Named);
  return (
    <select
      className="compact"
      aria-label={label}
      disabled={disabled}
      value={color ?? ""}
      onChange={(event) => set(event.target.value || null)}
    >
      <option value="">{t.noColor}</option>
      {other && <option value={color}>{t.otherColor}</option>}
      {names.map((name) => (
        <option key={name} value={name}>
          {t.colors[name]}
        </option>
      ))}
    </select>
  );
}
