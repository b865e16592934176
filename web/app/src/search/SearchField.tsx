import { useEffect } from "react";
import { t } from "../text/index.js";

/** Looks for cards on all boards. `/` puts the focus into it. */
export function SearchField({ text, type }: { text: string; type(text: string): void }) {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const { target, key } = event;
      if (key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target instanceof HTMLElement && target.matches("input, textarea, select")) return;
      if (document.querySelector("[role=dialog]")) return;
      event.preventDefault();
      document.getElementById("search")?.focus();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return (
    <input
      id="search"
      type="search"
      aria-label={t.search.title}
      aria-description={t.search.language}
      placeholder={t.search.title}
      title={t.search.language}
      autoComplete="off"
      value={text}
      onChange={(event) => type(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        type("");
        event.currentTarget.blur();
      }}
    />
  );
}
