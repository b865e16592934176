import { useThing } from "../live.js";

/** The hues of the colours that have a name. */
const HUES: Record<string, number> = {
  red: 25,
  orange: 55,
  yellow: 90,
  lime: 125,
  green: 150,
  teal: 185,
  sky: 230,
  blue: 255,
  purple: 300,
  pink: 350,
};

/** The hue of a colour by its name, which may say how light it is; `undefined` for other colours. */
export function hueOf(color: string | null | undefined): number | undefined {
  return HUES[(color ?? "").replace(/^(light|dark)_|_(light|dark)$/g, "")];
}

/** A label by its name and colour. */
export function LabelChip({ id }: { id: string }) {
  const label = useThing("labels", id);
  if (!label) return null;
  const color = label.color ?? "";
  const hue = hueOf(color);
  const style =
    hue !== undefined
      ? ({ "--hue": hue } as React.CSSProperties)
      : ({ "--chip": color.startsWith("#") ? color : "var(--line)" } as React.CSSProperties);
  return (
    <span className={hue !== undefined ? "chip hued" : "chip"} style={style}>
      {label.name || color}
    </span>
  );
}
