// Keeps what boards showed last, so that they can be shown before the server has answered.
import type { World } from "./link.js";
import type { BoardSummary } from "./protocol.js";
import type { Replica } from "./replica.js";
import type { KeptView, Views } from "./store.js";

/** How long changes gather before a board is kept again, in milliseconds. */
const KEEP_MS = 20_000;
/** How soon a board is kept that has just come, in milliseconds. */
const FIRST_MS = 1_000;
/** A board with more cards is not kept: it is there again when the server is. */
export const KEPT_CARDS_MAX = 5_000;

export class Keeper {
  private readonly due = new Map<Replica, () => void>();
  private readonly known = new Set<string>();

  constructor(
    private readonly views: Views | undefined,
    private readonly world: World,
    private readonly account: () => string,
  ) {}

  /** What is kept of a board. */
  async load(board: string): Promise<KeptView | undefined> {
    // Without it the board comes from the server.
    return this.views?.load(this.account(), board).catch(() => undefined);
  }

  /** The boards that are kept, as a list of boards shows them. */
  async list(): Promise<BoardSummary[]> {
    const kept = (await this.views?.list(this.account()).catch(() => [])) ?? [];
    return kept.map(({ board, role, view: { title, archived } }) => ({
      board,
      title,
      role,
      ...(archived && { archived }),
    }));
  }

  /** Something of the board has come: it is kept soon. */
  changed(replica: Replica): void {
    if (!this.views) return;
    if (replica.phase.name === "gone") {
      this.stop(replica);
      void this.views.forget(this.account(), replica.board).catch(() => {});
      return;
    }
    if (this.due.has(replica)) return;
    const delay = this.known.has(replica.board) ? KEEP_MS : FIRST_MS;
    const stop = this.world.after(delay, () => this.keep(replica));
    this.due.set(replica, stop);
  }

  /** The page may not come back: what is due is kept now. */
  flush(): void {
    for (const replica of [...this.due.keys()]) this.keep(replica);
  }

  /** The board is closed. */
  closed(replica: Replica): void {
    if (this.due.has(replica)) this.keep(replica);
  }

  /** Forgets all boards of the account. */
  async forget(): Promise<void> {
    for (const replica of [...this.due.keys()]) this.stop(replica);
    await this.views?.forget(this.account()).catch(() => {});
  }

  private keep(replica: Replica): void {
    this.stop(replica);
    const view = replica.keepable(this.world.now());
    if (!view || (view.view.cards?.length ?? 0) > KEPT_CARDS_MAX) return;
    this.known.add(replica.board);
    // A browser that keeps nothing shows the board when the server does.
    void this.views?.keep(this.account(), view).catch(() => {});
  }

  private stop(replica: Replica): void {
    this.due.get(replica)?.();
    this.due.delete(replica);
  }
}
