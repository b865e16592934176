// Which cards the person wants to see: a query in the language of the search.
import { byRank, type Column, type LiveBoard, Query, QueryError } from "@boardcast/client";
import {
  createContext,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { useBoard, useColumns, useLane } from "../live.js";

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
      const { words, wantsArchived } = this.now.query;
      const same = query.words === words && query.wantsArchived === wantsArchived && this.now.found;
      this.set({ text, query, ...(same && { found: same }) });
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      this.set({ ...this.now, text, fault: error });
    }
  }

  /** The server has looked through the texts of all cards for the words of this filter. */
  answered(found: ReadonlySet<string>): void {
    this.set({ ...this.now, found });
  }

  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  /** The columns in which cards that fit may stand: archived ones where they hold such cards. */
  columns(board: LiveBoard): readonly Column[] {
    if (!this.now.query.wantsArchived) return board.columns();
    return [...board.all("columns").values()]
      .filter(({ id, archived }) => !archived || this.lane(board, id).length > 0)
      .sort(byRank);
  }

  /** The cards of a column among which those stand that fit. */
  among(board: LiveBoard, column: string): readonly string[] {
    const { wantsArchived } = this.now.query;
    return wantsArchived ? board.cardsWithArchived(column) : board.cards(column);
  }

  /** The cards of a column that fit, in order. */
  lane(board: LiveBoard, column: string): readonly string[] {
    const cards = this.among(board, column);
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

/**
 * The cards of a column that fit, among how many they stand, and how many of the column are open.
 * Without a filter no card is listened to.
 */
export function useFilteredLane(column: string): {
  ids: readonly string[];
  all: number;
  open: number;
} {
  const board = useBoard();
  const filter = useFilter();
  const state = useFilterNow();
  const lane = useLane(column);
  const now = useCardTurn(!state.query.isEmpty);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on what these count
  return useMemo(() => {
    const ids = filter.lane(board, column);
    return { ids, all: filter.among(board, column).length, open: lane.length };
  }, [filter, board, column, lane, state, now]);
}

/** The columns in which cards that fit may stand. */
export function useFilteredColumns(): readonly Column[] {
  const board = useBoard();
  const filter = useFilter();
  const state = useFilterNow();
  const open = useColumns();
  const now = useCardTurn(state.query.wantsArchived);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on what these count
  return useMemo(() => filter.columns(board), [filter, board, open, state, now]);
}

/** Another number whenever cards have changed, as long as that is asked for. */
function useCardTurn(listens: boolean): number {
  const board = useBoard();
  const turn = useRef(0);
  const listen = useCallback(
    (changed: () => void) => {
      if (!listens) return () => {};
      return board.listen("cards/", () => {
        turn.current += 1;
        changed();
      });
    },
    [board, listens],
  );
  return useSyncExternalStore(listen, () => turn.current);
}
