import { type Card, type Comment, newId } from "@boardcast/client";
import { type FormEvent, useRef } from "react";
import { Avatar } from "../board/CardTile.js";
import { useBoard, useThing } from "../live.js";
import { moment, t } from "../text/index.js";
import { Markdown } from "./Markdown.js";

/** The comments of a card, the newest first. */
export function Comments({ card }: { card: Card }) {
  const board = useBoard();
  const detail = useThing("details", card.id);
  const field = useRef<HTMLTextAreaElement>(null);
  const comments = [...(detail?.comments ?? [])].sort((a, b) => b.written.at - a.written.at);
  const mayWrite = board.status.role !== "viewer";
  function send(event?: FormEvent) {
    event?.preventDefault();
    const text = field.current?.value.trim();
    if (!text || !field.current) return;
    board.submit({ type: "comment.create", card: card.id, comment: newId(), text });
    field.current.value = "";
  }
  return (
    <section className="comments">
      <h3>{t.comments}</h3>
      {mayWrite && (
        <form onSubmit={send}>
          <textarea
            ref={field}
            rows={2}
            aria-label={t.writeComment}
            placeholder={t.writeComment}
            onFocus={() => board.tellPresence({ doing: "typing", card: card.id })}
            onBlur={() => board.tellPresence({ doing: "viewing", card: card.id })}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            }}
          />
          <button type="submit">{t.send}</button>
        </form>
      )}
      <ul>
        {comments.map((comment) => (
          <Written key={comment.id} comment={comment} />
        ))}
      </ul>
    </section>
  );
}

function Written({ comment }: { comment: Comment }) {
  const { by, at } = comment.written;
  const name = useThing("members", by)?.name ?? comment.author ?? by;
  return (
    <li>
      <Avatar user={by} />
      <div>
        <p className="who">
          <strong>{name}</strong> <time dateTime={new Date(at).toISOString()}>{moment(at)}</time>
        </p>
        <Markdown text={comment.text} />
      </div>
    </li>
  );
}
