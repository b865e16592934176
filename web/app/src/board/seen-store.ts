// Up to where each board was looked at in this browser: in a database of its own, for each account.

const NAME = "boardcast-seen";
const STORE = "boards";
/** Boards that are remembered of an account; the one that was looked at longest ago makes room. */
const BOARDS_MAX = 200;

/** Up to where a board was looked at. */
export type Looked = {
  /** The version of the board. */
  version: number;
  /** When the newest change until then was made, by the server's clock. */
  at: number;
};

type Row = Looked & { account: string; board: string; looked: number };

let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STORE, { keyPath: ["account", "board"] });
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  return opened;
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function rows(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await database()).transaction(STORE, mode).objectStore(STORE);
}

const ofAccount = (account: string) => IDBKeyRange.bound([account], [account, []]);

/** Up to where an account looked at a board; nothing where it never did, or the browser keeps nothing. */
export async function looked(account: string, board: string): Promise<Looked | undefined> {
  try {
    return await answer<Row | undefined>((await rows("readonly")).get([account, board]));
  } catch {
    return undefined;
  }
}

/** The boards that an account has looked at, the last one first. */
export async function lookedAt(account: string): Promise<string[]> {
  try {
    const all = await answer<Row[]>((await rows("readonly")).getAll(ofAccount(account)));
    return all.sort((a, b) => b.looked - a.looked).map(({ board }) => board);
  } catch {
    return [];
  }
}

/** Remembers up to where an account looks at a board. */
export async function remember(account: string, board: string, upTo: Looked): Promise<void> {
  try {
    const row: Row = { account, board, ...upTo, looked: Date.now() };
    await answer((await rows("readwrite")).put(row));
    const all = await answer<Row[]>((await rows("readonly")).getAll(ofAccount(account)));
    if (all.length <= BOARDS_MAX) return;
    const old = all.sort((a, b) => b.looked - a.looked).slice(BOARDS_MAX);
    for (const { board } of old) await answer((await rows("readwrite")).delete([account, board]));
  } catch {
    // A browser that keeps nothing marks nothing the next time.
  }
}

/** Forgets all boards of an account, for a browser that others use too. */
export async function forget(account: string): Promise<void> {
  try {
    await answer((await rows("readwrite")).delete(ofAccount(account)));
  } catch {
    // There is nothing to forget.
  }
}
