// What a client says first.
import type { World } from "./link.js";
import type { ClientMessage, HelloBoard } from "./protocol.js";
import type { Replica } from "./replica.js";
import type { Store } from "./store.js";

/** The largest first message of a client that has no token yet, in bytes. */
const HELLO_MAX_BYTES = 4_096;
/** Boards that the first message may ask for. */
const HELLO_BOARDS_MAX = 20;

export type ClientOptions = {
  /** The address of the server, such as `https://boards.example`. */
  url: string;
  /** A token, or what gives one for each connection; none where a cookie says who it is. */
  token?: string | (() => Promise<string>);
  /** Whose unsaved work to take up: the user. Work of other accounts is left alone. */
  account?: string;
  /** Where unsaved work is kept; by default not beyond the life of the process. */
  store?: Store;
  /** The WebSocket to use where there is no global one. */
  WebSocket?: new (
    url: string,
    protocols: string[],
  ) => unknown;
  /** Name and version of the program, for administrators. */
  agent?: string;
  /** Time and chance, for tests. */
  world?: World;
};

/** The first message. */
export type Hello = Extract<ClientMessage, { type: "hello" }> & { boards: HelloBoard[] };

/** The first message, with as many of the boards as fit into it. */
export function helloOf(
  client: string,
  token: string | undefined,
  agent: string | undefined,
  replicas: readonly Replica[],
): Hello {
  const hello = {
    type: "hello" as const,
    v: 1,
    client,
    ...(token && { token }),
    ...(agent && { agent }),
  };
  const boards: HelloBoard[] = [];
  for (const replica of replicas) {
    const next = [...boards, at(replica)];
    const bytes = new TextEncoder().encode(JSON.stringify({ ...hello, boards: next })).length;
    if (next.length > HELLO_BOARDS_MAX || bytes > HELLO_MAX_BYTES) break;
    boards.push(at(replica));
  }
  return { ...hello, boards };
}

/** A board with the position from which it goes on. */
export function at(replica: Replica): HelloBoard {
  return { board: replica.board, ...(replica.position && { at: replica.position }) };
}
