import { type InputHTMLAttributes, useEffect, useRef } from "react";

type Props = {
  label: string;
  text: string;
  /** The text was changed, and the field is left. */
  take(text: string): void;
} & Pick<
  InputHTMLAttributes<HTMLInputElement>,
  "disabled" | "inputMode" | "maxLength" | "placeholder"
>;

/** A text that is taken when its field is left or Enter is pressed; Escape gives the change up. */
export function TextField({ label, text, take, ...rest }: Props) {
  const field = useRef<HTMLInputElement>(null);
  /** What was taken since the last key: it is not asked for twice where it was refused. */
  const asked = useRef<string>(undefined);
  // What somebody else writes does not take away what is being typed; what became of one's own shows.
  useEffect(() => {
    const { current } = field;
    const typing = current === document.activeElement && asked.current === undefined;
    if (current && !typing) current.value = text;
  }, [text]);
  function commit(next: string) {
    if (next === text || next === asked.current) return;
    asked.current = next;
    take(next);
  }
  return (
    <input
      {...rest}
      ref={field}
      aria-label={label}
      defaultValue={text}
      onChange={() => {
        asked.current = undefined;
      }}
      onBlur={({ target }) => {
        const next = target.value.trim();
        target.value = text;
        commit(next);
      }}
      onKeyDown={(event) => {
        const { key, currentTarget } = event;
        if (key === "Enter") {
          event.preventDefault();
          commit(currentTarget.value.trim());
        }
        if (key !== "Escape" || currentTarget.value === text) return;
        event.stopPropagation();
        currentTarget.value = text;
      }}
    />
  );
}
