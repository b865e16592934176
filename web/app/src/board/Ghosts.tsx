import type { LiveBoard } from "@boardcast/client";
import { useCallback, useSyncExternalStore } from "react";
import { useBoard, useThing } from "../live.js";
import { t } from "../text/index.js";

/** Others, as text that is the same as long as they are: `user doing card` for each. */
function othersAt(
  board: LiveBoard,
  fits: (at: { card?: string | null; column?: string | null; doing: string }) => boolean,
): string {
  const others = (board.people.people ?? []).filter(({ user }) => user !== board.user);
  const found = others.flatMap(({ user, at }) =>
    at && fits(at) ? `${user} ${at.doing} ${at.card ?? ""}` : [],
  );
  return found.join("\n");
}

function useOthers(fits: Parameters<typeof othersAt>[1]): string[][] {
  const board = useBoard();
  const listen = useCallback((changed: () => void) => board.listenPeople(changed), [board]);
  const found = useSyncExternalStore(listen, () => othersAt(board, fits));
  return found ? found.split("\n").map((line) => line.split(" ")) : [];
}

/** Cards that others hold over a column at this moment. */
export function Ghosts({ column }: { column: string }) {
  const held = useOthers((at) => at.doing === "dragging" && at.column === column);
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
  const found = useOthers((at) => at.card === card);
  return found.map(([user = "", doing = ""]) => ({ user, doing }));
}
