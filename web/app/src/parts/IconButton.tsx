import type { LucideIcon } from "lucide-react";

/** A button that is only an icon: what it does is told to those who do not see it, and on a pause of the pointer. */
export function IconButton(props: {
  icon: LucideIcon;
  label: string;
  act(): void;
  /** Shown weakly until it is looked for. */
  faint?: boolean;
}) {
  const { icon: Icon, label, act, faint } = props;
  return (
    <button
      type="button"
      className={faint ? "icon faint" : "icon"}
      aria-label={label}
      title={label}
      onClick={act}
    >
      <Icon aria-hidden="true" />
    </button>
  );
}
