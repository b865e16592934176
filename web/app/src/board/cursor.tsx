// Which card the keyboard is at. Only the cards that it leaves and enters render.
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";

export class Cursor {
  card: string | undefined;
  /** Whether the card is to take the focus as soon as it is there. */
  wanted = false;
  private readonly cards = new Map<string, () => void>();
  private readonly moves = new Set<() => void>();

  /** The focus has come to a card by itself. */
  entered(card: string): void {
    if (this.card !== card) this.change(card);
  }

  /** Goes to a card and brings it into view. */
  go(card: string): void {
    this.wanted = true;
    this.change(card);
    for (const moved of [...this.moves]) moved();
  }

  listenCard(card: string, changed: () => void): () => void {
    this.cards.set(card, changed);
    return () => {
      if (this.cards.get(card) === changed) this.cards.delete(card);
    };
  }

  /** Calls back when the cursor goes somewhere that may not be in view. */
  listenMoves(moved: () => void): () => void {
    this.moves.add(moved);
    return () => this.moves.delete(moved);
  }

  private change(card: string): void {
    const before = this.card;
    this.card = card;
    if (before) this.cards.get(before)?.();
    this.cards.get(card)?.();
  }
}

const CursorContext = createContext(new Cursor());
export const ProvideCursor = CursorContext.Provider;

export function useCursor(): Cursor {
  return useContext(CursorContext);
}

/** Whether the cursor is at a card. */
export function useIsCursor(card: string): boolean {
  const cursor = useCursor();
  const listen = useCallback(
    (changed: () => void) => cursor.listenCard(card, changed),
    [cursor, card],
  );
  return useSyncExternalStore(listen, () => cursor.card === card);
}
