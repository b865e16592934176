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
  /** By a key: what stands there again has the focus, and not the page. */
  const endByKey = (text: string | undefined) => {
    const place = field.current?.parentElement;
    end(text);
    requestAnimationFrame(() => {
      if (document.activeElement !== document.body) return;
      place?.querySelector<HTMLElement>("button, input, a")?.focus();
    });
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
        if (event.key === "Escape") endByKey(undefined);
        if (event.key !== "Enter") return;
        event.preventDefault();
        endByKey(event.currentTarget.value);
      }}
    />
  );
}
