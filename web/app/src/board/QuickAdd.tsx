import { Plus } from "lucide-react";
import { useEffect, useRef } from "react";
import { useBoard } from "../live.js";
import { t } from "../text/index.js";
import { addCards } from "./actions.js";

/** Adds cards to a column: Enter adds one and begins the next, pasted lines become a card each. */
export function QuickAdd(props: { column: string; open: boolean; setOpen(open: boolean): void }) {
  const board = useBoard();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (props.open) field.current?.focus();
  }, [props.open]);
  if (!props.open) {
    return (
      <button type="button" className="quiet add-card" onClick={() => props.setOpen(true)}>
        <Plus aria-hidden="true" />
        {t.addCard}
      </button>
    );
  }
  return (
    <div className="quick-add">
      <textarea
        ref={field}
        rows={2}
        aria-label={t.cardTitle}
        aria-description={t.quickAddHint}
        placeholder={t.cardTitle}
        title={t.quickAddHint}
        onPaste={(event) => {
          const text = event.clipboardData.getData("text/plain");
          if (!/\n\s*\S/.test(text)) return;
          event.preventDefault();
          addCards(board, props.column, event.currentTarget.value + text);
          event.currentTarget.value = "";
        }}
        onKeyDown={(event) => {
          event.stopPropagation();
          if (event.key === "Escape") props.setOpen(false);
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          addCards(board, props.column, event.currentTarget.value);
          event.currentTarget.value = "";
        }}
        onBlur={(event) => {
          if (event.currentTarget.value.trim() === "") props.setOpen(false);
        }}
      />
    </div>
  );
}
