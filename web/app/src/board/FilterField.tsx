import { useEffect } from "react";
import { useBoard } from "../live.js";
import { faultWords } from "../search/fault.js";
import { t } from "../text/index.js";
import { useFilter, useFilterNow } from "./filter.js";
import { watchTexts } from "./texts.js";

/** Leaves the cards of the board that fit what is typed. */
export function FilterField() {
  const board = useBoard();
  const filter = useFilter();
  const { text, fault } = useFilterNow();
  useEffect(() => watchTexts(board, filter), [board, filter]);
  return (
    <div className="filter">
      <input
        id="filter"
        type="search"
        aria-label={t.filter}
        aria-description={t.search.language}
        aria-invalid={fault !== undefined}
        aria-errormessage="filter-fault"
        placeholder={t.filter}
        title={t.search.language}
        autoComplete="off"
        value={text}
        onChange={(event) => filter.type(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          filter.type("");
          event.currentTarget.blur();
        }}
      />
      <p id="filter-fault" role="alert" className={fault ? "fault" : "unseen"}>
        {fault && faultWords(fault)}
      </p>
    </div>
  );
}

/** Puts the focus into the field; whether there is one. */
export function focusFilter(): boolean {
  const field = document.getElementById("filter");
  field?.focus();
  return field !== null;
}
