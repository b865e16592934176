// Which cards are selected. Only the cards that this is about render.
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";

export class Selection {
  private cards: ReadonlySet<string> = new Set();
  /** The card from which a range goes on. */
  private anchor: string | undefined;
  private readonly perCard = new Map<string, () => void>();
  private readonly listeners = new Set<() => void>();

  get all(): ReadonlySet<string> {
    return this.cards;
  }

  has(card: string): boolean {
    return this.cards.has(card);
  }

  /** Selects a card, or does not any more. */
  toggle(card: string): void {
    const cards = new Set(this.cards);
    if (!cards.delete(card)) cards.add(card);
    this.anchor = card;
    this.change(cards);
  }

  /** Selects the cards of a lane from the last one that was selected there to this one. */
  extend(card: string, lane: readonly string[]): void {
    const from = this.anchor === undefined ? -1 : lane.indexOf(this.anchor);
    const to = lane.indexOf(card);
    if (from < 0 || to < 0) return this.toggle(card);
    const range = lane.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.change(new Set([...this.cards, ...range]));
  }

  clear(): void {
    this.anchor = undefined;
    if (this.cards.size > 0) this.change(new Set());
  }

  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  listenCard(card: string, changed: () => void): () => void {
    this.perCard.set(card, changed);
    return () => {
      if (this.perCard.get(card) === changed) this.perCard.delete(card);
    };
  }

  private change(cards: ReadonlySet<string>): void {
    const before = this.cards;
    this.cards = cards;
    for (const card of new Set([...before, ...cards])) {
      if (before.has(card) !== cards.has(card)) this.perCard.get(card)?.();
    }
    for (const listener of [...this.listeners]) listener();
  }
}

const SelectionContext = createContext(new Selection());
export const ProvideSelection = SelectionContext.Provider;

export function useSelection(): Selection {
  return useContext(SelectionContext);
}

/** Whether a card is selected. */
export function useIsSelected(card: string): boolean {
  const selection = useSelection();
  const listen = useCallback(
    (changed: () => void) => selection.listenCard(card, changed),
    [selection, card],
  );
  return useSyncExternalStore(listen, () => selection.has(card));
}

/** All selected cards. */
export function useSelected(): ReadonlySet<string> {
  const selection = useSelection();
  const listen = useCallback((changed: () => void) => selection.listen(changed), [selection]);
  return useSyncExternalStore(listen, () => selection.all);
}
