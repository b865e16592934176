// One client's copy of one board, and the rules by which it believes what it receives. It is pure:
// messages and the time go in, effects come out.
import { ApplyError, apply, type Moment, UnknownEvent } from "./apply.js";
import { Board } from "./board.js";
import { type BoardRecord, type Own, Pending, type Saving, type SubmitRecord } from "./pending.js";
import { type Ordered, predict } from "./predict.js";
import type {
  Batch,
  CardDetail,
  Command,
  Conflict,
  Detail,
  ErrorMessage,
  Outcome,
  Position,
  Role,
  Snapshot,
  Submit,
  Subscribed,
  Version,
} from "./protocol.js";
import { Marks, Shown } from "./shown.js";
import type { KeptView } from "./store.js";

/** The first delay before a board is asked for again that gave nothing the last time, in milliseconds. */
const ASK_AGAIN_MS = 250;
/** The longest such delay, in milliseconds. */
const ASK_AGAIN_MAX_MS = 20_000;
/** When to send again what was refused without a time, in milliseconds. */
const RETRY_MS = 250;

/** How far a submit has come: everybody sees it once it is `live`, it is on disk once it is `saved`. */
export type Progress =
  | { state: "sending" }
  | { state: "live"; version: Version }
  | { state: "saved"; changed: boolean }
  | { state: "rejected"; rejection: Rejection };

/** Why a submit was not done. */
export type Rejection = {
  key: number;
  cmds: Command[];
  /** The revisions that the person saw. */
  seen?: NonNullable<Submit["seen"]>;
  /** A reason or an error code of the protocol; for programs. */
  reason: string;
  /** What was wrong and what would be right; for people. */
  hint: string;
  /** What the person wanted and what the board has, where the reason is `conflict`. */
  conflict?: Conflict;
};

/** What the owner of a replica has to do. */
export type Effect =
  | { type: "send"; submit: Submit }
  | { type: "subscribe"; after_ms: number }
  | { type: "retry"; after_ms: number }
  /** To be followed by `stored`, once it is. */
  | { type: "save"; saving: Saving }
  | { type: "open"; card: string }
  | { type: "progress"; key: number; progress: Progress }
  /** The server has forgotten the client: the person is to be asked about these. */
  | { type: "held"; submits: SubmitRecord[] };

/** Where a replica stands. */
export type Phase =
  /** Nothing has been asked, or the connection is gone. */
  | { name: "away" }
  /** Subscribed; a snapshot, where one is due, and the versions up to `until` are on their way. */
  | { name: "joining"; until: Version; snapshotDue: boolean }
  /** Everything comes as it happens. */
  | { name: "live" }
  /** There is no such board, or it is not the user's any more. */
  | { name: "gone" }
  /** The server is newer than this client can follow. */
  | { name: "outdated" };

/** The author of what is predicted, and the id of the client. */
export type Self = { client: string; user: string };

export class Replica {
  readonly shown = new Shown();
  phase: Phase = { name: "away" };
  role: Role | undefined;
  position: Position | undefined;
  /** When what is shown was confirmed, where it is what was kept and not what the server says. */
  asOf: number | undefined;
  private readonly touched = new Marks();
  private readonly confirmed = new Board((kind, id) => this.touched.add(kind, id));
  private readonly pending: Pending;
  /** How often each card is opened. */
  private readonly opened = new Map<string, number>();
  private arriving = new Map<string, { version: Version; detail: Detail }>();
  private durable = 0;
  private lastSeq = 0;
  private asks = 0;
  private unknown = 0;
  private effects: Effect[] = [];

  constructor(
    readonly board: string,
    readonly self: Self,
    stored?: { board?: BoardRecord; submits: SubmitRecord[] },
  ) {
    this.pending = new Pending(board, stored);
  }

  /** The view without predictions; `undefined` before the first snapshot. */
  view() {
    return this.confirmed.view();
  }

  /** The board as the server has confirmed it, to be kept; `undefined` while it is not live. */
  keepable(now: number): KeptView | undefined {
    const { position, role } = this;
    const view = this.phase.name === "live" ? this.view() : undefined;
    return view && position && role && { board: this.board, ...position, role, at: now, view };
  }

  /** Shows what was kept, unless the server has said something already, and goes on from there. */
  restore(kept: KeptView): void {
    if (this.phase.name !== "away" || this.position) return;
    const { view, epoch, version, role, at } = kept;
    this.asOf = at;
    this.role = role;
    this.turn(() => {
      this.confirmed.load(view);
      this.position = { epoch, version };
    });
  }

  /** Submits that are not done, in order. */
  waiting(): readonly Own[] {
    return this.pending.queue;
  }

  /** What is to be kept of it, as the store has it. */
  kept(): { board: BoardRecord; submits: SubmitRecord[] } {
    return this.pending.kept();
  }

  /** Queues commands and shows what they will probably do. Throws `QueueFull`. */
  submit(cmds: Command[], seen: SubmitRecord["seen"], now: number): [key: number, Effect[]] {
    const own = this.pending.push(cmds, seen, now);
    this.shown.extend((on) => this.predictOne(on, own));
    return [own.key, this.pump(now)];
  }

  /** These records are stored. */
  stored(records: readonly SubmitRecord[], now: number): Effect[] {
    this.pending.stored(records);
    return this.pump(now);
  }

  /** The delay of a `retry` is over. */
  retry(now: number): Effect[] {
    this.pending.resume();
    return this.pump(now);
  }

  /** Holds submits of another client of the same person, until the person has said what to do. */
  hold(submits: readonly SubmitRecord[]): Effect[] {
    this.pending.inherit(submits);
    return this.drain();
  }

  /** The person wants a held submit to be done after all. */
  release(key: number, now: number): Effect[] {
    this.turn(() => this.pending.release(key));
    return this.pump(now);
  }

  /** The person gives a held submit up. */
  discard(key: number, now: number): Effect[] {
    this.pending.discard(key);
    return this.pump(now);
  }

  /** The connection has ended. */
  disconnected(): void {
    if (this.phase.name === "joining" || this.phase.name === "live") this.phase = { name: "away" };
    this.arriving.clear();
  }

  /** Asks for what only an opened card shows, and keeps it up to date until {@link close}. */
  open(card: string): Effect[] {
    const times = this.opened.get(card) ?? 0;
    this.opened.set(card, times + 1);
    return times === 0 && this.phase.name === "live" ? [{ type: "open", card }] : [];
  }

  close(card: string): void {
    const times = this.opened.get(card) ?? 0;
    if (times > 1) return void this.opened.set(card, times - 1);
    this.opened.delete(card);
    this.arriving.delete(card);
    this.turn(() => this.confirmed.put("details", card, undefined));
  }

  subscribed(message: Subscribed, now: number): Effect[] {
    const events = message.mode === "events" && this.position !== undefined;
    if (this.position && events) this.position = { ...this.position, epoch: message.epoch };
    this.role = message.role;
    this.durable = message.durable;
    this.lastSeq = message.last_seq;
    this.phase = { name: "joining", until: message.version, snapshotDue: !events };
    this.arriving.clear();
    this.turn(() => {
      const held = this.pending.rejoin(message.last_seq, now);
      if (held.length > 0) this.effects.push({ type: "held", submits: held });
      this.join();
    });
    return this.pump(now);
  }

  snapshot(message: Snapshot, now: number): Effect[] {
    if (this.phase.name !== "joining" && this.phase.name !== "live") return [];
    this.turn(() => {
      this.confirmed.load(message.view);
      this.position = { epoch: message.epoch, version: message.version };
      this.pending.include(this.lastSeq);
      if (this.phase.name === "joining") this.phase = { ...this.phase, snapshotDue: false };
      else for (const card of this.opened.keys()) this.effects.push({ type: "open", card });
      this.settle();
      this.join();
    });
    return this.pump(now);
  }

  batch(message: Batch, now: number): Effect[] {
    const waits = this.phase.name === "joining" && this.phase.snapshotDue;
    const takes = this.phase.name === "live" || (this.phase.name === "joining" && !waits);
    if (!takes || !this.position) return [];
    const [, from, versions, durable] = message;
    if (from !== this.position.version) return this.ask();
    try {
      this.turn(() => {
        for (const [at, version] of versions.entries()) this.take(from + at + 1, version);
        this.durable = Math.max(this.durable, durable ?? from);
        this.settle();
        this.join();
      });
    } catch (error) {
      return this.startOver(error);
    }
    this.asks = 0;
    return this.pump(now);
  }

  durableTo(epoch: string, version: Version, now: number): Effect[] {
    if (this.position?.epoch !== epoch) return [];
    this.durable = Math.max(this.durable, version);
    this.settle();
    return this.pump(now);
  }

  outcome(message: Outcome, now: number): Effect[] {
    const { seq, hint } = message;
    switch (message.result) {
      case "busy":
      case "unavailable":
        this.pending.refuse(seq);
        this.effects.push({ type: "retry", after_ms: message.retry_ms ?? RETRY_MS });
        break;
      case "accepted":
        this.turn(() => this.accept(seq, message.version ?? undefined));
        break;
      case "no_change":
        this.turn(() => {
          const own = this.pending.finish(seq);
          if (own) this.progress(own.key, { state: "saved", changed: false });
        });
        break;
      case "forgotten":
        this.turn(() => {
          const own = this.pending.forget(seq);
          if (own) this.effects.push({ type: "held", submits: [own] });
        });
        break;
      default:
        this.reject(seq, message.reason ?? message.result, hint ?? "", message.conflict);
    }
    return this.pump(now);
  }

  /** An error about this board. */
  error(message: ErrorMessage, now: number): Effect[] {
    if (message.code === "no_such_board") {
      this.phase = { name: "gone" };
      this.role = undefined;
    } else if (typeof message.seq === "number") {
      this.reject(message.seq, message.code, message.hint);
    }
    return this.pump(now);
  }

  /** The user's role has changed; `null` ends the subscription. */
  roleChanged(role: Role | null): void {
    this.role = role ?? undefined;
    if (role === null) this.phase = { name: "gone" };
  }

  /** The answer to an `open`. */
  detail(message: CardDetail): Effect[] {
    if (!this.opened.has(message.card) || !this.position) return [];
    // One that is older than the view lacks what happened between.
    if (message.version < this.position.version) return [{ type: "open", card: message.card }];
    const detail = { version: message.version, detail: message.detail };
    this.arriving.set(message.card, detail);
    this.turn(() => this.arrive());
    return [];
  }

  private take(version: Version, [by, at, events, client, seq]: Batch[2][number]): void {
    const moment: Moment = { version, by, at };
    for (const event of events) apply(this.confirmed, moment, event);
    if (this.position) this.position = { ...this.position, version };
    this.arrive();
    if (client === this.self.client && typeof seq === "number") this.accept(seq, version);
  }

  /** Details belong to a version: they are taken when the view is there. */
  private arrive(): void {
    for (const [card, { version, detail }] of this.arriving) {
      if (version !== this.position?.version) continue;
      this.confirmed.put("details", card, detail);
      this.arriving.delete(card);
    }
  }

  /** Ends the joining phase once all that was promised has come. */
  private join(): void {
    const { phase, position } = this;
    if (phase.name !== "joining" || phase.snapshotDue || !position) return;
    if (position.version < phase.until) return;
    this.phase = { name: "live" };
    this.asOf = undefined;
    this.pending.include(this.lastSeq);
    this.settle();
    for (const card of this.opened.keys()) this.effects.push({ type: "open", card });
  }

  private accept(seq: number, version: Version | undefined): void {
    const own = this.pending.accept(seq, version);
    if (own) this.progress(own.key, { state: "live", version: version ?? 0 });
    this.settle();
  }

  /** Tells what is on disk. What is not yet in the view stays predicted, so it is told later. */
  private settle(): void {
    const reached = Math.min(this.durable, this.position?.version ?? 0);
    for (const own of this.pending.durable(reached)) {
      this.progress(own.key, { state: "saved", changed: true });
    }
  }

  private reject(seq: number, reason: string, hint: string, conflict?: Conflict | null): void {
    this.turn(() => {
      const own = this.pending.finish(seq);
      if (!own) return;
      const { key, cmds, seen } = own;
      const why = { key, cmds, ...(seen && { seen }), reason, hint };
      const rejection: Rejection = conflict ? { ...why, conflict } : why;
      this.progress(own.key, { state: "rejected", rejection });
    });
  }

  private progress(key: number, progress: Progress): void {
    this.effects.push({ type: "progress", key, progress });
  }

  /** What came does not follow what is here: the board is asked for again, from here on. */
  private ask(): Effect[] {
    this.phase = { name: "away" };
    const after_ms = this.asks ? Math.min(ASK_AGAIN_MAX_MS, ASK_AGAIN_MS * 2 ** this.asks) : 0;
    this.asks += 1;
    return [...this.drain(), { type: "subscribe", after_ms }];
  }

  /** An event does not fit: the whole board is asked for. */
  private startOver(error: unknown): Effect[] {
    if (!(error instanceof ApplyError) && !(error instanceof UnknownEvent)) throw error;
    this.position = undefined;
    if (error instanceof UnknownEvent) this.unknown += 1;
    if (this.unknown < 2) return this.ask();
    this.phase = { name: "outdated" };
    return this.drain();
  }

  /** What may be sent, and what has to be stored before. */
  private pump(now: number): Effect[] {
    if (this.phase.name === "live") {
      for (const submit of this.pending.due(now)) this.effects.push({ type: "send", submit });
    }
    return this.drain();
  }

  private drain(): Effect[] {
    const saving = this.pending.saving();
    if (saving) this.effects.push({ type: "save", saving });
    const effects = this.effects;
    this.effects = [];
    return effects;
  }

  /** One turn: what is shown afterwards holds the change and the predictions that are left. */
  private turn(change: () => void): void {
    try {
      change();
    } finally {
      this.shown.turn(this.confirmed, this.touched, (on) => {
        for (const own of this.pending.queue) this.predictOne(on, own);
      });
    }
  }

  private predictOne(on: Ordered, own: Own): void {
    const version = own.state === "accepted" ? own.version : undefined;
    const shows = version !== undefined && version <= (this.position?.version ?? 0);
    if (own.held || own.included || shows) return;
    const author = { user: this.self.user, at: own.at };
    for (const command of own.cmds) predict(on, author, command);
  }
}
