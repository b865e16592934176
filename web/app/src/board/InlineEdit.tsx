import { useEffect, useRef } from "react";

/** A text under change: Enter takes it, Esc gives it up, and leaving takes it. */
export function InlineEdit(props: {
  label: string;
  text: string;
  done(text: string | undefined): void;
}) {
  const field = useRef<HTMLTextAreaElement>(null);
  const over = useRef(false);
  const end = (text: string | undefined) => {
    if (over.current) return;
    over.current = true;
    props.done(text);
  };
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  return (
    <textarea
      ref={field}
      className="inline"
      aria-label={props.label}
      defaultValue={props.text}
      rows={1}
      maxLength={500}
      onBlur={(event) => end(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") end(undefined);
        if (event.key !== "Enter") return;
        event.preventDefault();
        end(event.currentTarget.value);
      }}
    />
  );
}
