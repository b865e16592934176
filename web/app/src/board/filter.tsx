// Which cards the person wants to see.
import type { LiveBoard } from "@boardcast/client";
import {
  createContext,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { useBoard, useLane } from "../live.js";

/** The words that a card must have, in its title, its number, its labels or its people. */
export class Filter {
  private text = "";
  private words: readonly string[] = [];
  private readonly listeners = new Set<() => void>();

  get query(): string {
    return this.text;
  }

  set query(text: string) {
    this.text = text;
    this.words = text
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    for (const listener of [...this.listeners]) listener();
  }

  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  /** The cards of a column that fit, in order. */
  lane(board: LiveBoard, column: string): readonly string[] {
    const cards = board.cards(column);
    return this.words.length === 0 ? cards : cards.filter((card) => this.fits(board, card));
  }

  private fits(board: LiveBoard, id: string): boolean {
    const card = board.get("cards", id);
    if (!card) return false;
    const names = [
      ...(card.labels ?? []).map((label) => board.get("labels", label)?.name ?? ""),
      ...(card.assignees ?? []).map((user) => board.get("members", user)?.name ?? user),
    ];
    const text = [card.title, ...names].join("\n").toLowerCase();
    return this.words.every((word) => text.includes(word) || word === `#${card.number}`);
  }
}

const FilterContext = createContext(new Filter());
export const ProvideFilter = FilterContext.Provider;

export function useFilter(): Filter {
  return useContext(FilterContext);
}

/** What the person has typed. */
export function useQuery(): string {
  const filter = useFilter();
  const listen = useCallback((changed: () => void) => filter.listen(changed), [filter]);
  return useSyncExternalStore(listen, () => filter.query);
}

/** The cards of a column that fit, and how many there are. Without a filter no card is listened to. */
export function useFilteredLane(column: string): { ids: readonly string[]; all: number } {
  const board = useBoard();
  const filter = useFilter();
  const query = useQuery();
  const lane = useLane(column);
  const turn = useRef(0);
  const listen = useCallback(
    (changed: () => void) => {
      if (query === "") return () => {};
      return board.listen("cards/", () => {
        turn.current += 1;
        changed();
      });
    },
    [board, query],
  );
  const now = useSyncExternalStore(listen, () => turn.current);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on what these count
  const ids = useMemo(() => filter.lane(board, column), [filter, board, column, lane, query, now]);
  return { ids, all: lane.length };
}
