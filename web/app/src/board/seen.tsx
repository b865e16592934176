// Which cards others have changed since the person looked at the board.
import type { Card, LiveBoard } from "@boardcast/client";
import { createContext, useCallback, useContext, useEffect, useSyncExternalStore } from "react";
import { announce } from "../announce.js";
import { useBoard, useStatus } from "../live.js";
import { account } from "../session.js";
import { t } from "../text/index.js";
import { type Looked, looked, remember } from "./seen-store.js";

/** How often it is remembered up to where an open board was looked at, in milliseconds. */
const EVERY_MS = 10_000;

export class Seen {
  private fresh: ReadonlySet<string> = new Set();
  private readonly cards = new Map<string, () => void>();
  private readonly listeners = new Set<() => void>();

  get all(): ReadonlySet<string> {
    return this.fresh;
  }

  /** Marks what others have changed since then; what is marked already stays so. */
  mark(board: LiveBoard, since: Looked): void {
    const isFresh = ({ archived, changed }: Card) =>
      !archived && changed.at > since.at && changed.by !== board.user;
    const cards = [...board.all("cards").values()].filter(isFresh).map(({ id }) => id);
    this.set(new Set([...this.fresh, ...cards]));
  }

  /** The person has looked at a card, or at all of them. */
  look(card?: string): void {
    if (card === undefined) return this.set(new Set());
    if (!this.fresh.has(card)) return;
    const rest = new Set(this.fresh);
    rest.delete(card);
    this.set(rest);
  }

  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  listenCard(card: string, changed: () => void): () => void {
    this.cards.set(card, changed);
    return () => {
      if (this.cards.get(card) === changed) this.cards.delete(card);
    };
  }

  private set(fresh: ReadonlySet<string>): void {
    const before = this.fresh;
    this.fresh = fresh;
    for (const card of new Set([...before, ...fresh])) {
      if (before.has(card) !== fresh.has(card)) this.cards.get(card)?.();
    }
    for (const listener of [...this.listeners]) listener();
  }
}

const SeenContext = createContext(new Seen());
export const ProvideSeen = SeenContext.Provider;

export function useSeen(): Seen {
  return useContext(SeenContext);
}

/** Whether others have changed a card since the person looked. */
export function useIsFresh(card: string): boolean {
  const seen = useSeen();
  const listen = useCallback((changed: () => void) => seen.listenCard(card, changed), [seen, card]);
  return useSyncExternalStore(listen, () => seen.all.has(card));
}

/** Up to where a board stands now. */
function nowOf(board: LiveBoard): Looked {
  let at = 0;
  for (const { changed } of board.all("cards").values()) at = Math.max(at, changed.at);
  return { version: board.version, at };
}

/** Marks what was changed while the board was closed or hidden, and remembers up to where it is seen. */
export function useLooking(card: string | undefined): void {
  const board = useBoard();
  const seen = useSeen();
  const isLive = useStatus(board).phase === "live";
  useEffect(() => {
    if (card !== undefined) seen.look(card);
  }, [seen, card]);
  useEffect(() => {
    if (!isLive) return;
    const who = account();
    let since: Looked | undefined;
    let gone = false;
    const keep = () => {
      if (since === undefined) return;
      const now = nowOf(board);
      if (now.version === since.version) return;
      since = now;
      void remember(who, board.id, now);
    };
    const turned = () => {
      // What comes while nobody looks is marked when somebody does.
      if (!document.hidden && since) seen.mark(board, since);
      keep();
    };
    const goOn = () => {
      if (!document.hidden) keep();
    };
    void looked(who, board.id).then((before) => {
      if (gone) return;
      if (before) seen.mark(board, before);
      since = before ?? { version: -1, at: 0 };
      keep();
    });
    const timer = setInterval(goOn, EVERY_MS);
    document.addEventListener("visibilitychange", turned);
    return () => {
      gone = true;
      goOn();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", turned);
    };
  }, [board, seen, isLive]);
}

/** Says how many cards are marked, and takes the marks away. */
export function SeenField() {
  const seen = useSeen();
  const listen = useCallback((changed: () => void) => seen.listen(changed), [seen]);
  const { size } = useSyncExternalStore(listen, () => seen.all);
  if (size === 0) return null;
  return (
    <button
      type="button"
      className="quiet fresh"
      title={t.seen.forget}
      aria-description={t.seen.forget}
      onClick={() => {
        seen.look();
        announce(t.seen.forgotten);
      }}
    >
      {t.seen.count(size)}
    </button>
  );
}
