import type { Card, Priority } from "@boardcast/client";
import { Archive, ArchiveRestore, Trash2, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { moveCard, rename } from "../board/actions.js";
import { Avatar, Other } from "../board/CardTile.js";
import { useCursor } from "../board/cursor.js";
import { useOthersAt } from "../board/Ghosts.js";
import { InlineEdit } from "../board/InlineEdit.js";
import { LabelChip } from "../board/LabelChip.js";
import { Notices } from "../board/Notices.js";
import { useCanEdit } from "../board/rights.js";
import { useAll, useBoard, useColumns, useThing } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { go } from "../route.js";
import { byName, moment, t } from "../text/index.js";
import { Activity } from "./Activity.js";
import { Attachments } from "./Attachments.js";
import { Checklists } from "./Checklists.js";
import { Comments } from "./Comments.js";
import { Description } from "./Description.js";
import { Links } from "./Links.js";

const PRIORITIES = ["none", "low", "medium", "high", "urgent"] as const satisfies Priority[];

/** Everything about one card. */
export default function CardDialog({ id }: { id: string }) {
  const board = useBoard();
  const cursor = useCursor();
  const card = useThing("cards", id);
  const close = () => {
    go(`/b/${board.id}`);
    cursor.go(id);
  };
  useEffect(() => board.open(id), [board, id]);
  useEffect(() => {
    board.tellPresence({ doing: "viewing", card: id });
    return () => board.tellPresence({ doing: "viewing" });
  }, [board, id]);
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => open || close()}>
      <Modal className="modal">
        <Dialog>
          {card ? (
            <Open card={card} close={close} />
          ) : (
            <>
              <Heading slot="title">{t.cardGone}</Heading>
              <button type="button" onClick={close}>
                {t.close}
              </button>
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Open({ card, close }: { card: Card; close(): void }) {
  const board = useBoard();
  const editable = useCanEdit();
  return (
    <>
      <header>
        <Title card={card} editable={editable} />
        <Here card={card.id} />
        <span className="number">{card.number > 0 && `#${card.number}`}</span>
        <IconButton icon={X} label={t.close} act={close} />
      </header>
      <Notices />
      <div className="open-card">
        <div className="text">
          <Description card={card} editable={editable} />
          <Checklists card={card} editable={editable} />
          <Attachments card={card} editable={editable} />
          <Comments card={card} />
          <Activity card={card} />
        </div>
        <aside>
          <Fields card={card} editable={editable} />
          <Links card={card} editable={editable} />
          <p className="made">
            <Avatar user={card.created.by} />
            {t.createdBy(
              board.get("members", card.created.by)?.name ?? card.created.by,
              moment(card.created.at),
            )}
          </p>
        </aside>
      </div>
    </>
  );
}

/** Who else has the card open, and who writes. */
function Here({ card }: { card: string }) {
  const others = useOthersAt(card);
  const board = useBoard();
  const writing = others.filter(({ doing }) => doing === "typing");
  const names = writing.map(({ user }) => board.get("members", user)?.name ?? user);
  return (
    <span className="here" role="status">
      {names.length > 0 && <span className="writes">{t.presence.writes(names)}</span>}
      {others.map(({ user, doing }) => (
        <Other key={user} user={user} doing={doing} />
      ))}
    </span>
  );
}

function Title({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const [renaming, setRenaming] = useState(false);
  const seen = useRef(0);
  if (renaming) {
    return (
      <InlineEdit
        label={t.cardTitle}
        text={card.title}
        done={(title) => {
          setRenaming(false);
          if (title !== undefined) rename(board, card.id, title, seen.current);
        }}
      />
    );
  }
  return (
    <Heading slot="title">
      <button
        type="button"
        className="plain"
        disabled={!editable}
        onClick={() => {
          seen.current = card.revs?.title ?? 0;
          setRenaming(true);
        }}
      >
        {card.title}
      </button>
    </Heading>
  );
}

function Fields({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const columns = useColumns();
  const labels = [...useAll("labels")].sort((a, b) => byName(a.name ?? "", b.name ?? ""));
  const set = (fields: object) => board.submit({ type: "card.set", card: card.id, set: fields });
  return (
    <fieldset disabled={!editable}>
      <label>
        {t.column}
        <select
          value={card.column}
          onChange={(event) => moveCard(board, card.id, event.target.value)}
        >
          {columns.map((column) => (
            <option key={column.id} value={column.id}>
              {column.title}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t.priority}
        <select
          value={card.priority ?? "none"}
          onChange={(event) => set({ priority: event.target.value as Priority })}
        >
          {PRIORITIES.map((priority) => (
            <option key={priority} value={priority}>
              {t.priorities[priority]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t.due}
        <input
          type="date"
          value={typeof card.due === "number" ? dateOf(card.due) : ""}
          onChange={(event) => set({ due: event.target.value ? timeOf(event.target.value) : null })}
        />
      </label>
      {typeof card.due === "number" && (
        <label className="check">
          <input
            type="checkbox"
            checked={card.complete ?? false}
            onChange={(event) => set({ complete: event.target.checked })}
          />
          {t.complete}
        </label>
      )}
      {labels.length > 0 && (
        <div className="choose">
          <span>{t.labels}</span>
          {labels.map((label) => (
            <label key={label.id} className="check">
              <input
                type="checkbox"
                checked={card.labels?.includes(label.id) ?? false}
                onChange={(event) => {
                  const on = event.target.checked;
                  board.submit({ type: "card.label", card: card.id, label: label.id, on });
                }}
              />
              <LabelChip id={label.id} />
            </label>
          ))}
        </div>
      )}
      <button
        type="button"
        onClick={() => {
          board.submit({ type: "card.archive", card: card.id, archived: !card.archived });
        }}
      >
        {card.archived ? <ArchiveRestore aria-hidden="true" /> : <Archive aria-hidden="true" />}
        {card.archived ? t.restore : t.archive}
      </button>
      {card.archived && (
        <button
          type="button"
          className="danger"
          onClick={() => board.submit({ type: "card.remove", card: card.id })}
        >
          <Trash2 aria-hidden="true" />
          {t.deleteThing(card.title)}
        </button>
      )}
    </fieldset>
  );
}

/** The day of a time, as a field for dates has it. */
function dateOf(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => `${n}`.padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The end of the working day. */
function timeOf(date: string): number {
  return new Date(`${date}T17:00:00`).getTime();
}
