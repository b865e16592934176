import { type FormEvent, type ReactNode, useRef } from "react";
import { t } from "../text/index.js";

/** A field in which something new is named, and a button; what else it needs stands between them. */
export function AddRow(props: {
  label: string;
  add(name: string, fields: FormData): void;
  children?: ReactNode;
}) {
  const { label, add, children } = props;
  const field = useRef<HTMLInputElement>(null);
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const name = `${fields.get("name")}`.trim();
    if (!name) return;
    add(name, fields);
    if (field.current) field.current.value = "";
    field.current?.focus();
  }
  return (
    <form className="row" onSubmit={submit}>
      <input ref={field} name="name" aria-label={label} placeholder={label} maxLength={500} />
      {children}
      <button type="submit" className="compact">
        {t.create}
      </button>
    </form>
  );
}
