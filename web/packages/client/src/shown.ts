// What a person sees: the confirmed board with the predictions of what is on its way.
import { Board, KINDS, type Kind, type Things } from "./board.js";
import { equal } from "./canonical.js";
import { Lanes } from "./lanes.js";
import { byRank, type Ranked } from "./order.js";
import type { Ordered } from "./predict.js";
import type { Column } from "./protocol.js";

/** Things of a board by kind and id. */
export class Marks {
  private readonly ids = new Map<Kind, Set<string>>();

  add(kind: Kind, id: string): void {
    const ids = this.ids.get(kind);
    if (ids) ids.add(id);
    else this.ids.set(kind, new Set([id]));
  }

  /** Calls for each mark, and forgets all. */
  drain(each: (kind: Kind, id: string) => void): void {
    const marks = [...this.ids].flatMap(([kind, ids]) => [...ids].map((id) => [kind, id] as const));
    this.ids.clear();
    for (const [kind, id] of marks) each(kind, id);
  }
}

/** What listeners are about: a thing (`cards/ID`), all of a kind (`cards/`), or an order (`lane/ID`). */
export type Topic = `${Kind | "lane"}/${string}`;

/** A board with predictions, which tells who listens what has changed, once for each turn. */
export class Shown implements Ordered {
  readonly board: Board;
  private readonly lanes = new Lanes();
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly predicted = new Marks();
  private predicting = false;
  private before = new Map<Kind, Map<string, Things[Kind] | undefined>>();
  private staleLanes = new Set<string>();
  private ordered: readonly Column[] | undefined;

  constructor() {
    this.board = new Board((kind, id, before, after) => {
      let known = this.before.get(kind);
      if (!known) {
        known = new Map();
        this.before.set(kind, known);
      }
      if (!known.has(id)) known.set(id, before);
      if (this.predicting) this.predicted.add(kind, id);
      if (kind === "columns") this.ordered = undefined;
      if (kind !== "cards") return;
      const cards = [before, after] as [Things["cards"] | undefined, Things["cards"] | undefined];
      for (const column of this.lanes.change(...cards)) this.staleLanes.add(column);
    });
  }

  lane(column: string): readonly Ranked[] {
    return this.lanes.all(column);
  }

  /** The open cards of a column in their order; the same array while they are the same. */
  cards(column: string): readonly string[] {
    return this.lanes.cards(column, (id) => !this.board.get("cards", id)?.archived);
  }

  /** The columns that are not archived in their order; the same array while no column changes. */
  columns(): readonly Column[] {
    this.ordered ??= [...this.board.all("columns").values()]
      .filter((column) => !column.archived)
      .sort(byRank);
    return this.ordered;
  }

  /** Calls back after each turn that changed what the topic names, until the returned function is called. */
  listen(topic: Topic, changed: () => void): () => void {
    let listeners = this.listeners.get(topic);
    if (!listeners) {
      listeners = new Set();
      this.listeners.set(topic, listeners);
    }
    listeners.add(changed);
    return () => {
      listeners.delete(changed);
      if (listeners.size === 0 && this.listeners.get(topic) === listeners) {
        this.listeners.delete(topic);
      }
    };
  }

  /**
   * One turn: takes over what has changed in the confirmed board, takes all predictions back, makes
   * those that still hold, and then tells of what looks otherwise than before.
   */
  turn(confirmed: Board, changed: Marks, predict: (on: Ordered) => void): void {
    const take = (kind: Kind, id: string) => this.board.put(kind, id, confirmed.get(kind, id));
    this.predicted.drain(take);
    changed.drain(take);
    this.extend(predict);
  }

  /** Makes further predictions on top of those that are there. */
  extend(predict: (on: Ordered) => void): void {
    this.predicting = true;
    try {
      predict(this);
    } finally {
      this.predicting = false;
    }
    this.tell();
  }

  private tell(): void {
    const topics = new Set<Topic>();
    for (const kind of KINDS) {
      const before = this.before.get(kind);
      for (const [id, old] of before ?? []) {
        const now = this.board.get(kind, id);
        if (now === old) continue;
        // Listeners that compare by identity see no change where there is none.
        if (old && equal(now, old)) this.board.put(kind, id, old);
        else topics.add(`${kind}/${id}`).add(`${kind}/`);
      }
    }
    this.before = new Map();
    for (const column of this.staleLanes) topics.add(`lane/${column}`);
    this.staleLanes = new Set();
    for (const topic of topics) {
      for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
    }
  }
}
