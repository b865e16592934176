import type { Card } from "@boardcast/client";
import { X } from "lucide-react";
import { at } from "../base.js";
import { useBoard, useThing } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { follow } from "../route.js";
import { t } from "../text/index.js";
import { CardPicker } from "./CardPicker.js";

/** The cards that must be done before a card, and the one that it is a part of. */
export function Links({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const blockers = card.blocked_by ?? [];
  const block = (by: string, on: boolean) =>
    board.submit({ type: "card.block", card: card.id, by, on });
  const setParent = (parent: string | null) =>
    board.submit({ type: "card.set", card: card.id, set: { parent } });
  const isOther = (other: Card) => other.id !== card.id;
  if (!editable && blockers.length === 0 && !card.parent) return null;
  return (
    <>
      <div className="links">
        <span>{t.links.blockedBy}</span>
        <ul>
          {blockers.map((by) => (
            <Linked
              key={by}
              id={by}
              remove={t.links.unblock}
              {...(editable && { take: () => block(by, false) })}
            />
          ))}
        </ul>
        {editable && (
          <CardPicker
            label={t.links.addBlocker}
            fits={(other) => isOther(other) && !blockers.includes(other.id)}
            chosen={(by) => block(by, true)}
          />
        )}
      </div>
      <div className="links">
        <span>{t.links.parent}</span>
        {card.parent ? (
          <ul>
            <Linked
              id={card.parent}
              remove={t.links.leave}
              {...(editable && { take: () => setParent(null) })}
            />
          </ul>
        ) : (
          editable && (
            <CardPicker label={t.links.setParent} fits={isOther} chosen={(id) => setParent(id)} />
          )
        )}
      </div>
    </>
  );
}

function Linked(props: { id: string; remove(title: string): string; take?(): void }) {
  const board = useBoard();
  const { id, remove, take } = props;
  const card = useThing("cards", id);
  const title = card?.title ?? t.cardGone;
  const path = `/b/${board.id}/c/${id}`;
  return (
    <li>
      <a href={at(path)} onClick={(event) => follow(event, path)}>
        {card ? t.activity.numbered(title, card.number) : title}
      </a>
      {take && <IconButton icon={X} label={remove(title)} act={take} />}
    </li>
  );
}
