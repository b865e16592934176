// Keeps unsaved work in the browser, so that a reload or a closed laptop loses nothing.
import { newId } from "./ids.js";
import type { BoardRecord, Saving, SubmitRecord } from "./pending.js";
import type { Claim, Kept, KeptView, Store, Views } from "./store.js";

const NAME = "boardcast";
const VERSION = 3;

/** What of `navigator.locks` is used. */
export type Locks = Pick<LockManager, "request">;

/** Boards that are kept of an account; the one that was kept longest ago makes room. */
export const VIEWS_MAX = 8;

type ClientRow = { client: string; account: string };
type BoardRow = BoardRecord & { client: string };
type SubmitRow = SubmitRecord & { client: string; board: string };
/** A text is written and read in a fraction of the time that thousands of objects take. */
type ViewRow = { account: string; board: string; at: number; text: string };

/** What a client keeps of its own work. */
const WORK = ["clients", "boards", "submits"] as const;
/** Views have transactions of their own: work does not wait for them. */
const VIEWS = ["views"] as const;
/** The views of an account, by when they were kept. */
const BY_TIME = "time";

/**
 * A store in IndexedDB. A client id is held by a lock of the browser, which ends with its page: the
 * next page takes over what it had not saved.
 *
 * Browsers have such locks on pages of HTTPS and of localhost only. Elsewhere each tab keeps its own
 * id in `tab` over reloads, and what a closed tab had not saved waits in the database.
 */
export class IndexedDbStore implements Store {
  private readonly database: Promise<IDBDatabase>;

  constructor(
    private readonly locks: Locks | undefined = globalThis.navigator?.locks,
    private readonly tab: Pick<Storage, "getItem" | "setItem"> | undefined = tabStorage(),
    factory: IDBFactory = indexedDB,
    /** Another server on the same host has a database of its own. */
    private readonly name = NAME,
  ) {
    const opening = factory.open(name, VERSION);
    opening.onupgradeneeded = () => {
      const db = opening.result;
      const stores = {
        clients: "client",
        boards: ["client", "board"],
        submits: ["client", "board", "key"],
      };
      for (const [name, keyPath] of Object.entries(stores)) {
        if (!db.objectStoreNames.contains(name)) db.createObjectStore(name, { keyPath });
      }
      // Views of another form come again from the server.
      if (db.objectStoreNames.contains("views")) db.deleteObjectStore("views");
      const views = db.createObjectStore("views", { keyPath: ["account", "board"] });
      views.createIndex(BY_TIME, ["account", "at"]);
    };
    this.database = answer(opening).then((db) => {
      // A newer page has come, which needs another form.
      db.onversionchange = () => db.close();
      return db;
    });
    // Each use of it throws what went wrong.
    this.database.catch(() => {});
  }

  async claim(account: string): Promise<Claim> {
    if (!this.locks) return this.claimOfTab(account);
    const busy = await this.withSubmits();
    const clients = await this.clientsOf(account);
    // What was left unsaved comes first.
    const ordered = [...clients].sort((a, b) => Number(busy.has(b)) - Number(busy.has(a)));
    for (const client of ordered) {
      const release = await this.lock(client);
      if (release) return this.load(client, release);
    }
    const client = newId();
    const release = await this.lock(client);
    if (!release) throw new Error(`a new client id is in use: ${client}`);
    await this.addClient(client, account);
    return this.load(client, release);
  }

  async orphan(account: string): Promise<Claim | undefined> {
    if (!this.locks) return undefined;
    const busy = await this.withSubmits();
    for (const client of await this.clientsOf(account)) {
      const release = busy.has(client) ? await this.lock(client) : undefined;
      if (release) return this.load(client, release);
    }
    return undefined;
  }

  readonly views: Views = {
    load: async (account, board) => {
      const [row] = await this.read<ViewRow>("views", IDBKeyRange.only([account, board]));
      return row && (JSON.parse(row.text) as KeptView);
    },
    list: async (account) => {
      const rows = await this.read<ViewRow>("views", ofAccount(account));
      return rows.map((row) => JSON.parse(row.text) as KeptView);
    },
    keep: (account, view) => {
      const { board, at } = view;
      const text = JSON.stringify(view);
      return this.write(VIEWS, (stores) => {
        const views = stores("views");
        views.put({ account, board, at, text } satisfies ViewRow);
        const byTime = views.index(BY_TIME).getAllKeys(ofAccount(account));
        byTime.onsuccess = () => {
          for (const old of byTime.result.slice(0, -VIEWS_MAX)) views.delete(old);
        };
      });
    },
    forget: (account, board) =>
      this.write(VIEWS, (stores) => {
        stores("views").delete(board === undefined ? ofAccount(account) : [account, board]);
      }),
  };

  private async claimOfTab(account: string): Promise<Claim> {
    const name = `${this.name}/${account}`;
    let client = this.tab?.getItem(name);
    if (!client) {
      client = newId();
      this.tab?.setItem(name, client);
      await this.addClient(client, account);
    }
    return this.load(client, () => {});
  }

  private async addClient(client: string, account: string): Promise<void> {
    await this.write(WORK, (stores) =>
      stores("clients").put({ client, account } satisfies ClientRow),
    );
  }

  private async clientsOf(account: string): Promise<string[]> {
    const rows: ClientRow[] = await this.read("clients", undefined);
    return rows.filter((row) => row.account === account).map((row) => row.client);
  }

  private async withSubmits(): Promise<Set<string>> {
    const rows: SubmitRow[] = await this.read("submits", undefined);
    return new Set(rows.map((row) => row.client));
  }

  /** Holds a client id, until the returned function is called; `undefined` where somebody else does. */
  private lock(client: string): Promise<(() => void) | undefined> {
    return new Promise((resolve, reject) => {
      const options = { mode: "exclusive", ifAvailable: true } as const;
      const held = this.locks?.request(`${this.name}/${client}`, options, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      });
      held?.catch(reject);
    });
  }

  private async load(client: string, release: () => void): Promise<Claim> {
    const range = IDBKeyRange.bound([client], [client, []]);
    const kept = new Map<string, Kept>();
    for (const { client: _, ...board } of await this.read<BoardRow>("boards", range)) {
      kept.set(board.board, { board, submits: [] });
    }
    for (const { client: _, board, ...submit } of await this.read<SubmitRow>("submits", range)) {
      const known = kept.get(board) ?? { submits: [] };
      known.submits.push(submit);
      kept.set(board, known);
    }
    return {
      client,
      kept,
      release,
      save: (saving) => this.save(client, saving),
      remove: () =>
        this.write(WORK, (stores) => {
          stores("clients").delete(client);
          stores("boards").delete(range);
          stores("submits").delete(range);
        }),
    };
  }

  private save(client: string, { board, put, remove }: Saving): Promise<void> {
    return this.write(WORK, (stores) => {
      stores("boards").put({ ...board, client } satisfies BoardRow);
      const submits = stores("submits");
      for (const key of remove) submits.delete([client, board.board, key]);
      for (const submit of put) {
        submits.put({ ...submit, client, board: board.board } satisfies SubmitRow);
      }
    });
  }

  private async read<Row>(name: string, range: IDBKeyRange | undefined): Promise<Row[]> {
    const db = await this.database;
    return answer(db.transaction(name).objectStore(name).getAll(range));
  }

  private async write<Name extends string>(
    names: readonly Name[],
    change: (stores: (name: Name) => IDBObjectStore) => void,
  ): Promise<void> {
    const db = await this.database;
    const transaction = db.transaction(names, "readwrite");
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("not stored"));
    });
    change((name) => transaction.objectStore(name));
    await done;
  }
}

function ofAccount(account: string): IDBKeyRange {
  return IDBKeyRange.bound([account], [account, []]);
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function tabStorage(): Storage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    // Where a browser is told to keep nothing, each page is a new client.
    return undefined;
  }
}
