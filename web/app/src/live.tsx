// The client of the page, and hooks that render a component when what it shows has changed.
import type {
  BoardStatus,
  Client,
  Column,
  Kind,
  LinkState,
  LiveBoard,
  Things,
} from "@boardcast/client";
import {
  createContext,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";

const ClientContext = createContext<Client | undefined>(undefined);
const BoardContext = createContext<LiveBoard | undefined>(undefined);
export const ProvideClient = ClientContext.Provider;
export const ProvideBoard = BoardContext.Provider;

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("there is no client here");
  return client;
}

export function useBoard(): LiveBoard {
  const board = useContext(BoardContext);
  if (!board) throw new Error("there is no board here");
  return board;
}

/** Where the connection stands. */
export function useLink(): LinkState {
  const client = useClient();
  const listen = useCallback((changed: () => void) => client.listen(changed), [client]);
  return useSyncExternalStore(listen, () => client.state);
}

/** How the board stands. */
export function useStatus(board: LiveBoard): BoardStatus {
  const listen = useCallback((changed: () => void) => board.listenStatus(changed), [board]);
  return useSyncExternalStore(listen, () => board.status);
}

/** Who is on the board. */
export function usePeople(board: LiveBoard): LiveBoard["people"] {
  const listen = useCallback((changed: () => void) => board.listenPeople(changed), [board]);
  return useSyncExternalStore(listen, () => board.people);
}

/** One thing of the board; renders when this thing changes and never for another. */
export function useThing<K extends Kind>(kind: K, id: string): Things[K] | undefined {
  const board = useBoard();
  const listen = useCallback(
    (changed: () => void) => board.listen(`${kind}/${id}`, changed),
    [board, kind, id],
  );
  return useSyncExternalStore(listen, () => board.get(kind, id));
}

/** All things of a kind; renders when any of them changes. */
export function useAll<K extends Kind>(kind: K): Things[K][] {
  const board = useBoard();
  const turn = useRef(0);
  const listen = useCallback(
    (changed: () => void) =>
      board.listen(`${kind}/`, () => {
        turn.current += 1;
        changed();
      }),
    [board, kind],
  );
  const now = useSyncExternalStore(listen, () => turn.current);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map stays the same, its things do not
  return useMemo(() => [...board.all(kind).values()], [board, kind, now]);
}

/** The columns in order. */
export function useColumns(): readonly Column[] {
  const board = useBoard();
  const listen = useCallback((changed: () => void) => board.listen("columns/", changed), [board]);
  return useSyncExternalStore(listen, () => board.columns());
}

/** The cards of a column in order. */
export function useLane(column: string): readonly string[] {
  const board = useBoard();
  const listen = useCallback(
    (changed: () => void) => board.listen(`lane/${column}`, changed),
    [board, column],
  );
  return useSyncExternalStore(listen, () => board.cards(column));
}
