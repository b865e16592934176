// Where a client keeps its id and what it has not yet saved.
import { newId } from "./ids.js";
import type { BoardRecord, Saving, SubmitRecord } from "./pending.js";
import type { Epoch, Role, Version, View } from "./protocol.js";

/** What is kept of a board. */
export type Kept = { board?: BoardRecord; submits: SubmitRecord[] };

/** A client id that nobody else uses as long as it is held, with what is kept of it. */
export interface Claim {
  readonly client: string;
  /** What was kept when it was claimed, by board. */
  readonly kept: ReadonlyMap<string, Kept>;
  /** Keeps a change, whole or not at all. */
  save(saving: Saving): Promise<void>;
  /** Lets others claim it. */
  release(): void;
  /** Forgets it. Only for one that keeps no submit. */
  remove(): Promise<void>;
}

/** A board as the server had confirmed it. */
export type KeptView = {
  board: string;
  epoch: Epoch;
  version: Version;
  role: Role;
  /** When it was so, by the client's clock. */
  at: number;
  view: View;
};

/** Boards as accounts saw them last, to show them before the server has answered. */
export interface Views {
  load(account: string, board: string): Promise<KeptView | undefined>;
  /** All that is kept of the account. */
  list(account: string): Promise<KeptView[]>;
  /** Keeps a board in place of what was kept of it; the oldest of too many goes. */
  keep(account: string, view: KeptView): Promise<void>;
  /** Forgets a board, or all of the account. */
  forget(account: string, board?: string): Promise<void>;
}

/** A place for the work of accounts that is not yet saved. */
export interface Store {
  /** A client id for an account: one that is there and that nobody holds, or a new one. */
  claim(account: string): Promise<Claim>;
  /** Another one of the account that keeps submits and that nobody holds. */
  orphan(account: string): Promise<Claim | undefined>;
  /** Where boards are kept besides; none where they are not. */
  readonly views?: Views;
}

/** Keeps nothing beyond the life of the process. */
export class MemoryStore implements Store {
  private readonly clients = new Map<string, MemoryClient>();

  async claim(account: string): Promise<Claim> {
    const found = this.free((client) => client.account === account);
    if (found) return found;
    const id = newId();
    this.clients.set(id, { account, held: false, kept: new Map() });
    return this.hold(id);
  }

  async orphan(account: string): Promise<Claim | undefined> {
    return this.free((client) => {
      const kept = [...client.kept.values()];
      return client.account === account && kept.some(({ submits }) => submits.length > 0);
    });
  }

  private free(fits: (client: MemoryClient) => boolean): Claim | undefined {
    for (const [id, client] of this.clients) {
      if (!client.held && fits(client)) return this.hold(id);
    }
    return undefined;
  }

  private hold(id: string): Claim {
    const client = this.clients.get(id);
    if (!client) throw new Error(`there is no client ${id}`);
    client.held = true;
    return {
      client: id,
      kept: structuredClone(client.kept),
      save: async ({ board, put, remove }) => {
        const before = client.kept.get(board.board)?.submits ?? [];
        const gone = new Set([...remove, ...put.map((submit) => submit.key)]);
        const submits = [...before.filter((submit) => !gone.has(submit.key)), ...put];
        client.kept.set(board.board, structuredClone({ board, submits }));
      },
      release: () => {
        client.held = false;
      },
      remove: async () => {
        this.clients.delete(id);
      },
    };
  }
}

type MemoryClient = { account: string; held: boolean; kept: Map<string, Kept> };
