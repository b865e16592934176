import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import {
  draggable,
  dropTargetForElements,
} from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import type { Card } from "@boardcast/client";
import { AlignLeft, Ban, Calendar, CheckSquare, MessageSquare, Paperclip } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { announce } from "../announce.js";
import { at } from "../base.js";
import { useBoard, useThing } from "../live.js";
import { go } from "../route.js";
import { day, t } from "../text/index.js";
import { rename } from "./actions.js";
import { useCursor, useIsCursor } from "./cursor.js";
import { useFilter } from "./filter.js";
import { useOthersAt } from "./Ghosts.js";
import { hasBadges } from "./height.js";
import { InlineEdit } from "./InlineEdit.js";
import { hueOf, LabelChip } from "./LabelChip.js";
import { canEdit } from "./rights.js";
import { useIsFresh } from "./seen.js";
import { useIsSelected, useSelection } from "./selection.js";

/** One card in its column. It renders when this card changes, and for no other. */
export const CardTile = memo(function CardTile({ id, first }: { id: string; first: boolean }) {
  const board = useBoard();
  const cursor = useCursor();
  const card = useThing("cards", id);
  const isCursor = useIsCursor(id);
  const selection = useSelection();
  const isSelected = useIsSelected(id);
  const isFresh = useIsFresh(id);
  const filter = useFilter();
  const tile = useRef<HTMLAnchorElement>(null);
  const [edge, setEdge] = useState<"before" | "after">();
  const [dragged, setDragged] = useState(false);
  const [renaming, setRenaming] = useState(false);
  /** The revision of the title as it was when the person began to change it. */
  const seen = useRef(0);

  useEffect(() => {
    const element = tile.current;
    if (!element || renaming) return;
    return combine(
      draggable({
        element,
        canDrag: () => canEdit(board),
        getInitialData: () => ({ kind: "card", card: id }),
        onDragStart: () => setDragged(true),
        onDrop: () => setDragged(false),
      }),
      dropTargetForElements({
        element,
        canDrop: ({ source }) => source.data.kind === "card" && source.data.card !== id,
        getData: ({ input }) => {
          const { top, height } = element.getBoundingClientRect();
          const edge = input.clientY < top + height / 2 ? "before" : "after";
          return { kind: "card", card: id, edge };
        },
        onDrag: ({ self }) => setEdge(self.data.edge as "before" | "after"),
        onDragLeave: () => setEdge(undefined),
        onDrop: () => setEdge(undefined),
      }),
    );
  }, [board, id, renaming]);

  useEffect(() => {
    // This may run late, when the cursor has gone on already.
    if (cursor.card !== id || !cursor.wanted || renaming) return;
    cursor.wanted = false;
    tile.current?.focus();
  });

  if (!card) return null;
  if (renaming) {
    return (
      <div className="card renaming">
        <InlineEdit
          label={t.cardTitle}
          text={card.title}
          done={(title) => {
            if (title !== undefined) rename(board, id, title, seen.current);
            setRenaming(false);
            cursor.go(id);
          }}
        />
      </div>
    );
  }
  return (
    <a
      ref={tile}
      href={at(`/b/${board.id}/c/${id}`)}
      className={`card ${edge ?? ""} ${dragged ? "dragged" : ""} ${isSelected ? "selected" : ""}`}
      data-card={id}
      tabIndex={isCursor || first ? 0 : -1}
      onFocus={() => cursor.entered(id)}
      onClick={(event) => {
        event.preventDefault();
        if (event.shiftKey) selection.extend(id, filter.lane(board, card.column));
        else if (event.metaKey || event.ctrlKey) selection.toggle(id);
        else go(`/b/${board.id}/c/${id}`);
      }}
      onKeyDown={(event) => {
        const key = event.key.toLowerCase();
        if ((key !== "e" && key !== "x") || event.ctrlKey || event.metaKey) return;
        if (key === "x") {
          event.preventDefault();
          if (event.shiftKey) selection.extend(id, filter.lane(board, card.column));
          else selection.toggle(id);
          return announce(t.select.count(selection.all.size));
        }
        if (!canEdit(board)) return;
        event.preventDefault();
        seen.current = card.revs?.title ?? 0;
        setRenaming(true);
      }}
    >
      {card.cover && <Cover color={card.cover} />}
      {card.labels && (
        <span className="labels">
          {card.labels.map((label) => (
            <LabelChip key={label} id={label} />
          ))}
        </span>
      )}
      <Others card={id} />
      {isFresh && (
        <span className="fresh" title={t.seen.card}>
          <span className="unseen">{t.seen.card}</span>
        </span>
      )}
      {isSelected && <span className="unseen">{t.select.selected}</span>}
      <span className="title">{card.title}</span>
      {card.archived && <span className="mark">{t.archivedMark}</span>}
      <Badges card={card} />
    </a>
  );
});

/** Who else is at the card. */
function Others({ card }: { card: string }) {
  const others = useOthersAt(card);
  if (others.length === 0) return null;
  return (
    <span className="others">
      {others.slice(0, 3).map(({ user, doing }) => (
        <Other key={user} user={user} doing={doing} />
      ))}
    </span>
  );
}

/** One who is at a card, and what they do there. */
export function Other({ user, doing }: { user: string; doing: string }) {
  const name = useThing("members", user)?.name ?? user;
  const says = t.presence[doing as "viewing"]?.(name) ?? name;
  return (
    <span className={`other ${doing}`} title={says}>
      <span aria-hidden="true">{initialsOf(name)}</span>
      <span className="unseen">{says}</span>
    </span>
  );
}

/** A strip in the colour of the cover; a cover that is a picture has none here. */
function Cover({ color }: { color: string }) {
  const hue = hueOf(color);
  if (hue !== undefined) {
    return <span className="cover" style={{ "--hue": hue } as React.CSSProperties} />;
  }
  if (!color.startsWith("#")) return null;
  return <span className="cover" style={{ background: color }} />;
}

function Badges({ card }: { card: Card }) {
  const items = card.checklists?.flatMap((list) => list.items ?? []) ?? [];
  const done = items.filter((item) => item.done).length;
  const comments = card.detail?.comments ?? 0;
  const late =
    card.due !== undefined && card.due !== null && card.due < Date.now() && !card.complete;
  if (!hasBadges(card)) return null;
  return (
    <span className="badges">
      {card.priority && (
        <span className={`priority ${card.priority}`}>{t.priorities[card.priority]}</span>
      )}
      {typeof card.due === "number" && (
        <span className={late ? "badge late" : card.complete ? "badge done" : "badge"}>
          <Calendar aria-hidden="true" />
          {day(card.due)}
        </span>
      )}
      {items.length > 0 && (
        <span className="badge">
          <CheckSquare aria-hidden="true" />
          <span aria-hidden="true">
            {done}/{items.length}
          </span>
          <span className="unseen">{t.checked(done, items.length)}</span>
        </span>
      )}
      {card.detail?.described && (
        <span className="badge">
          <AlignLeft aria-hidden="true" />
          <span className="unseen">{t.described}</span>
        </span>
      )}
      {comments > 0 && (
        <span className="badge">
          <MessageSquare aria-hidden="true" />
          <span aria-hidden="true">{comments}</span>
          <span className="unseen">{t.commentCount(comments)}</span>
        </span>
      )}
      {card.attachments && (
        <span className="badge">
          <Paperclip aria-hidden="true" />
          <span aria-hidden="true">{card.attachments.length}</span>
          <span className="unseen">{t.files.count(card.attachments.length)}</span>
        </span>
      )}
      {card.blocked_by && (
        <span className="badge late">
          <Ban aria-hidden="true" />
          {card.blocked_by.length}
        </span>
      )}
      <span className="assignees">
        {card.assignees?.map((user) => (
          <Avatar key={user} user={user} />
        ))}
      </span>
    </span>
  );
}

/** A person as initials. */
export function Avatar({ user }: { user: string }) {
  const name = useThing("members", user)?.name ?? user;
  return (
    <span className="avatar" title={name}>
      <span aria-hidden="true">{initialsOf(name)}</span>
      <span className="unseen">{name}</span>
    </span>
  );
}

function initialsOf(name: string): string {
  const letters = name.split(/\s+/).map((word) => word.charAt(0));
  return letters.slice(0, 2).join("").toUpperCase();
}
