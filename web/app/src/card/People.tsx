import type { Card } from "@boardcast/client";
import { X } from "lucide-react";
import { Avatar } from "../board/CardTile.js";
import { useAll, useBoard } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { byName, t } from "../text/index.js";

/** Who works on a card. */
export function People({ card, editable }: { card: Card; editable: boolean }) {
  const board = useBoard();
  const members = [...useAll("members")].sort((a, b) => byName(a.name, b.name));
  const assigned = card.assignees ?? [];
  const others = members.filter(({ id }) => !assigned.includes(id));
  const assign = (user: string, on: boolean) =>
    board.submit({ type: "card.assign", card: card.id, user, on });
  if (!editable && assigned.length === 0) return null;
  return (
    <div className="links">
      <span>{t.assignees.title}</span>
      <ul>
        {assigned.map((user) => {
          const name = members.find(({ id }) => id === user)?.name ?? user;
          return (
            <li key={user}>
              <Avatar user={user} />
              <span className="name" aria-hidden="true">
                {name}
              </span>
              {editable && (
                <IconButton
                  icon={X}
                  label={t.assignees.take(name)}
                  act={() => assign(user, false)}
                />
              )}
            </li>
          );
        })}
      </ul>
      {editable && others.length > 0 && (
        <select
          aria-label={t.assignees.assign}
          value=""
          onChange={(event) => assign(event.target.value, true)}
        >
          <option value="" disabled hidden>
            {t.assignees.assign}
          </option>
          {others.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
