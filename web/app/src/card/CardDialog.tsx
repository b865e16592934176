import type { Card } from "@boardcast/client";
import { Link, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { at } from "../base.js";
import { rename } from "../board/actions.js";
import { Avatar, Other } from "../board/CardTile.js";
import { useCursor } from "../board/cursor.js";
import { useOthersAt } from "../board/Ghosts.js";
import { InlineEdit } from "../board/InlineEdit.js";
import { Notices } from "../board/Notices.js";
import { useCanEdit } from "../board/rights.js";
import { useBoard, useThing } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { go } from "../route.js";
import { moment, t } from "../text/index.js";
import { tell } from "../told.js";
import { Activity } from "./Activity.js";
import { Attachments } from "./Attachments.js";
import { Checklists } from "./Checklists.js";
import { Comments } from "./Comments.js";
import { Description } from "./Description.js";
import { Fields } from "./Fields.js";
import { Links } from "./Links.js";

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
        <IconButton
          icon={Link}
          label={t.copyLink.label}
          act={() => void copyLink(card, board.id)}
        />
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
          {card.changed.at > card.created.at && (
            <p className="made">
              <Avatar user={card.changed.by} />
              {t.changedBy(
                board.get("members", card.changed.by)?.name ?? card.changed.by,
                moment(card.changed.at),
              )}
            </p>
          )}
        </aside>
      </div>
    </>
  );
}

/** Browsers have a clipboard on pages of HTTPS and of localhost only; elsewhere the address is shown. */
async function copyLink(card: Card, board: string): Promise<void> {
  const address = `${location.origin}${at(`/b/${board}/c/${card.id}`)}`;
  try {
    await navigator.clipboard.writeText(address);
    tell(t.copyLink.done);
  } catch {
    tell(address);
  }
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
