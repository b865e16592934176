import { type Card, type Comment, newId } from "@boardcast/client";
import { Pencil, Trash2 } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Avatar } from "../board/CardTile.js";
import { useBoard, useStatus, useThing } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { moment, t } from "../text/index.js";
import { Markdown } from "./Markdown.js";
import { MentionField } from "./MentionField.js";

/** The comments of a card, the newest first. */
export function Comments({ card }: { card: Card }) {
  const board = useBoard();
  const detail = useThing("details", card.id);
  const head = useThing("head", "");
  const { role } = useStatus(board);
  const field = useRef<HTMLTextAreaElement>(null);
  const comments = [...(detail?.comments ?? [])].sort((a, b) => b.written.at - a.written.at);
  const mayWrite = role !== "viewer" && !head?.archived;
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
          <MentionField
            field={field}
            send={send}
            rows={2}
            aria-label={t.writeComment}
            placeholder={t.writeComment}
            onFocus={() => board.tellPresence({ doing: "typing", card: card.id })}
            onBlur={() => board.tellPresence({ doing: "viewing", card: card.id })}
          />
          <button type="submit">{t.send}</button>
        </form>
      )}
      <ul>
        {comments.map((comment) => {
          const own = comment.written.by === board.user;
          return (
            <Written
              key={comment.id}
              card={card.id}
              comment={comment}
              mayChange={mayWrite && own}
              mayRemove={mayWrite && (own || role === "admin")}
            />
          );
        })}
      </ul>
    </section>
  );
}

function Written(props: {
  card: string;
  comment: Comment;
  mayChange: boolean;
  mayRemove: boolean;
}) {
  const { card, comment, mayChange, mayRemove } = props;
  const board = useBoard();
  const { by, at } = comment.written;
  const name = useThing("members", by)?.name ?? comment.author ?? by;
  const [changing, setChanging] = useState(false);
  const about = { card, comment: comment.id };
  return (
    <li>
      <Avatar user={by} />
      <div className="said">
        <p className="who">
          <strong>{name}</strong> <time dateTime={new Date(at).toISOString()}>{moment(at)}</time>
          {comment.edited && <span className="mark">{t.commented.edited}</span>}
          {mayChange && !changing && (
            <IconButton
              faint
              icon={Pencil}
              label={t.commented.change}
              act={() => setChanging(true)}
            />
          )}
          {mayRemove && (
            <IconButton
              faint
              icon={Trash2}
              label={t.commented.remove(name)}
              act={() => board.submit({ type: "comment.remove", ...about })}
            />
          )}
        </p>
        {changing ? (
          <Change
            text={comment.text}
            done={(text) => {
              setChanging(false);
              if (text && text !== comment.text)
                board.submit({ type: "comment.set", ...about, text });
            }}
          />
        ) : (
          <Markdown text={comment.text} />
        )}
      </div>
    </li>
  );
}

/** A comment under change. */
function Change({ text, done }: { text: string; done(text?: string): void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const save = () => done(field.current?.value.trim());
  return (
    <>
      <MentionField
        field={field}
        send={save}
        giveUp={() => done()}
        autoFocus
        rows={3}
        aria-label={t.commented.text}
        defaultValue={text}
      />
      <div className="buttons">
        <button type="button" className="primary" onClick={save}>
          {t.save}
        </button>
        <button type="button" onClick={() => done()}>
          {t.cancel}
        </button>
      </div>
    </>
  );
}
