// Which cards the person wants to see: a query in the language of the search.
import { type LiveBoard, Query, QueryError } from "@boardcast/client";
import {
  createContext,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { useBoard, useLane } from "../live.js";

const EVERYTHING = Query.of("");

/** What the filter knows of itself; a new object at each change. */
type Now = {
  text: string;
  query: Query;
  /** What is wrong with the text; the query is the last one that was none of it. */
  fault?: QueryError;
  /** The cards in whose texts the server finds the words, as long as it has said so. */
  found?: ReadonlySet<string>;
};

/** The cards that a query leaves. */
export class Filter {
  private now: Now = { text: "", query: EVERYTHING };
  private readonly listeners = new Set<() => void>();

  get state(): Now {
    return this.now;
  }

  /** Looks for other cards; a text that is no query leaves those that are there. */
  type(text: string): void {
    try {
      const query = Query.of(text);
      const same = query.words === this.now.query.words && this.now.found;
      this.set({ text, query, ...(same && { found: same }) });
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      this.set({ ...this.now, text, fault: error });
    }
  }

  /** The server has looked through the texts of all cards for these words. */
  answered(words: string, found: ReadonlySet<string>): void {
    if (words === this.now.query.words) this.set({ ...this.now, found });
  }

  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  /** The cards of a column that fit, in order. */
  lane(board: LiveBoard, column: string): readonly string[] {
    const cards = board.cards(column);
    if (this.now.query.isEmpty) return cards;
    const asker = { user: board.user, now: Date.now() };
    return cards.filter((id) => this.fits(board, id, asker));
  }

  /** The words of a card that was not opened are not here: there the answer of the server counts. */
  private fits(board: LiveBoard, id: string, asker: { user: string; now: number }): boolean {
    const { query, found } = this.now;
    const card = board.get("cards", id);
    if (!card || !query.mayMatch(board, card, asker)) return false;
    const detail = board.get("details", id);
    const isHere = detail !== undefined || !(card.detail?.described || card.detail?.comments);
    return isHere || !found ? query.wordsMatch(card, detail) : found.has(id);
  }

  private set(now: Now): void {
    this.now = now;
    for (const listener of [...this.listeners]) listener();
  }
}

const FilterContext = createContext(new Filter());
export const ProvideFilter = FilterContext.Provider;

export function useFilter(): Filter {
  return useContext(FilterContext);
}

/** What the filter is now. */
export function useFilterNow(): Now {
  const filter = useFilter();
  const listen = useCallback((changed: () => void) => filter.listen(changed), [filter]);
  return useSyncExternalStore(listen, () => filter.state);
}

/** The cards of a column that fit, and how many there are. Without a filter no card is listened to. */
export function useFilteredLane(column: string): { ids: readonly string[]; all: number } {
  const board = useBoard();
  const filter = useFilter();
  const state = useFilterNow();
  const lane = useLane(column);
  const turn = useRef(0);
  const { isEmpty } = state.query;
  const listen = useCallback(
    (changed: () => void) => {
      if (isEmpty) return () => {};
      return board.listen("cards/", () => {
        turn.current += 1;
        changed();
      });
    },
    [board, isEmpty],
  );
  const now = useSyncExternalStore(listen, () => turn.current);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on what these count
  const ids = useMemo(() => filter.lane(board, column), [filter, board, column, lane, state, now]);
  return { ids, all: lane.length };
}
