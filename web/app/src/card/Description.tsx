import type { Card } from "@boardcast/client";
import { useRef, useState } from "react";
import { useBoard, useThing } from "../live.js";
import { t } from "../text/index.js";
import { Markdown } from "./Markdown.js";
import { MentionField } from "./MentionField.js";

/** The description of a card. Two who edit it at once are told of each other's text. */
export function Description({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const detail = useThing("details", card.id);
  const [editing, setEditing] = useState(false);
  /** What is written so far, while it is shown as it will look. */
  const [preview, setPreview] = useState<string>();
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
    setPreview(undefined);
    if (!save || description === text) return;
    const set = { description };
    board.submit({ type: "card.set", card: card.id, set }, { description: seen.current });
  }

  return (
    <section className="description">
      <h3>{t.description}</h3>
      {editing ? (
        <>
          {/* The field stays, with what is written and what can be undone in it. */}
          <div hidden={preview !== undefined}>
            <MentionField
              field={field}
              send={() => end(true)}
              giveUp={() => end(false)}
              autoFocus
              aria-label={t.description}
              defaultValue={text}
              rows={8}
            />
          </div>
          {preview?.trim() && <Markdown text={preview} />}
          {preview !== undefined && !preview.trim() && <p className="empty">{t.preview.nothing}</p>}
          <div className="buttons">
            <button type="button" className="primary" onClick={() => end(true)}>
              {t.save}
            </button>
            <button type="button" onClick={() => end(false)}>
              {t.cancel}
            </button>
            <button
              type="button"
              className="quiet"
              onClick={() => setPreview(preview === undefined ? field.current?.value : undefined)}
            >
              {preview === undefined ? t.preview.see : t.preview.write}
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
