import type { Card } from "@boardcast/client";
import { useRef, useState } from "react";
import { useBoard, useThing } from "../live.js";
import { t } from "../text/index.js";
import { Markdown } from "./Markdown.js";

/** The description of a card. Two who edit it at once are told of each other's text. */
export function Description({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const detail = useThing("details", card.id);
  const [editing, setEditing] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const seen = useRef(0);
  const text = detail?.description ?? "";

  function begin() {
    seen.current = card.revs?.description ?? 0;
    board.tellPresence({ doing: "typing", card: card.id });
    setEditing(true);
  }

  function end(save: boolean) {
    const description = field.current?.value ?? "";
    board.tellPresence({ doing: "viewing", card: card.id });
    setEditing(false);
    if (!save || description === text) return;
    const set = { description };
    board.submit({ type: "card.set", card: card.id, set }, { description: seen.current });
  }

  return (
    <section className="description">
      <h3>{t.description}</h3>
      {editing ? (
        <>
          <textarea
            ref={field}
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to write here
            autoFocus
            aria-label={t.description}
            defaultValue={text}
            rows={8}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                event.stopPropagation();
                end(false);
              }
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) end(true);
            }}
          />
          <div className="buttons">
            <button type="button" className="primary" onClick={() => end(true)}>
              {t.save}
            </button>
            <button type="button" onClick={() => end(false)}>
              {t.cancel}
            </button>
          </div>
        </>
      ) : detail === undefined ? (
        <p className="empty">{t.loading}</p>
      ) : (
        <>
          {text && <Markdown text={text} />}
          {editable && (
            <button type="button" className="quiet" onClick={begin}>
              {text ? t.edit : t.noDescription}
            </button>
          )}
        </>
      )}
    </section>
  );
}
