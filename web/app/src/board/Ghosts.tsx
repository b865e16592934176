import type { LiveBoard } from "@boardcast/client";
import { useCallback, useSyncExternalStore } from "react";
import { useBoard, useThing } from "../live.js";
import { t } from "../text/index.js";

/** Where others are, as text that is the same as long as they are: a line `user doing card` for each. */
type Others = { atCard: Map<string, string>; over: Map<string, string> };

/** Each word about people is looked through once, however many cards ask. */
const known = new WeakMap<LiveBoard["people"], Others>();

function othersOf(board: LiveBoard): Others {
  const found = known.get(board.people);
  if (found) return found;
  const others: Others = { atCard: new Map(), over: new Map() };
  const add = (to: Map<string, string>, key: string, line: string) => {
    const before = to.get(key);
    to.set(key, before ? `${before}\n${line}` : line);
  };
  for (const { user, at } of board.people.people ?? []) {
    if (!at || user === board.user) continue;
    const line = `${user} ${at.doing} ${at.card ?? ""}`;
    if (at.card) add(others.atCard, at.card, line);
    if (at.column && at.doing === "dragging") add(others.over, at.column, line);
  }
  known.set(board.people, others);
  return others;
}

function useOthers(kind: keyof Others, id: string): string[][] {
  const board = useBoard();
  const listen = useCallback((changed: () => void) => board.listenPeople(changed), [board]);
  const found = useSyncExternalStore(listen, () => othersOf(board)[kind].get(id) ?? "");
  return found ? found.split("\n").map((line) => line.split(" ")) : [];
}

/** Cards that others hold over a column at this moment. */
export function Ghosts({ column }: { column: string }) {
  const held = useOthers("over", column);
  if (held.length === 0) return null;
  return (
    <div className="ghosts">
      {held.map(([user = "", , card = ""]) => (
        <Ghost key={user} user={user} card={card} />
      ))}
    </div>
  );
}

function Ghost({ user, card }: { user: string; card: string }) {
  const name = useThing("members", user)?.name ?? user;
  const title = useThing("cards", card)?.title ?? "";
  return (
    <p className="ghost">
      {title}
      <span className="who">{t.presence.holds(name)}</span>
    </p>
  );
}

/** Who else has a card open, writes on it or holds it. */
export function useOthersAt(card: string): { user: string; doing: string }[] {
  const found = useOthers("atCard", card);
  return found.map(([user = "", doing = ""]) => ({ user, doing }));
}
