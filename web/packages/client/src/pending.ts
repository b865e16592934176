// A client's own submits to one board, from the person's wish until they are on the server's disk.
import type { Command, Seq, Submit, Version } from "./protocol.js";

/** Submits that are sent and not answered at one time. */
const WINDOW = 32;
/** Submits that are sent and not durable: the server keeps the outcomes of so many. */
const NOT_DURABLE_MAX = 64;
/** Submits of a board that wait, as they gather while there is no connection. */
export const PENDING_MAX = 1_000;
/** How long a server remembers a client, in milliseconds: 90 days. */
const REMEMBERED_MS = 90 * 24 * 3_600_000;

/** A submit as it is stored. */
export type SubmitRecord = {
  /** Rises with each submit of the client to the board. */
  key: number;
  /** The number under which it is sent; none before the first time. */
  seq?: Seq;
  cmds: Command[];
  seen?: NonNullable<Submit["seen"]>;
  /** When it was made, by the client's clock. */
  at: number;
  /** The server has forgotten the client, and the person has not yet been asked. */
  held?: boolean;
};

/** What a client keeps of a board besides its submits. */
export type BoardRecord = {
  board: string;
  /** The number of the next submit. */
  next: Seq;
  /** The highest number that was told to be durable; 0 for none. */
  saved: Seq;
  /** When something was sent last, by the client's clock; 0 for never. */
  used: number;
};

/** What of a client's submits has to be stored. */
export type Saving = { board: BoardRecord; put: SubmitRecord[]; remove: number[] };

/** A submit that is not done. */
export type Own = SubmitRecord & {
  state: "queued" | "sent" | "accepted";
  /** The version as which it was applied. */
  version?: Version;
  /** Whether what it is now has been stored; nothing is sent before. */
  stored: boolean;
  /** Whether what it does is in the board that came, even if its answer has not. */
  included: boolean;
};

/** The submits of one client to one board that are not done, in order. */
export class Pending {
  readonly queue: Own[];
  private record: BoardRecord;
  private lastKey: number;
  private paused = false;
  private puts = new Map<number, SubmitRecord>();
  private removes: number[] = [];
  private recordChanged = false;

  constructor(board: string, stored?: { board?: BoardRecord; submits: SubmitRecord[] }) {
    this.record = stored?.board ?? { board, next: 1, saved: 0, used: 0 };
    const submits = [...(stored?.submits ?? [])].sort((a, b) => a.key - b.key);
    this.queue = submits.map((own) => ({ ...own, state: "queued", stored: true, included: false }));
    this.lastKey = submits.at(-1)?.key ?? 0;
  }

  /** Adds a submit behind the others. Throws {@link QueueFull}. */
  push(cmds: Command[], seen: SubmitRecord["seen"], at: number): Own {
    if (this.queue.length >= PENDING_MAX) throw new QueueFull();
    this.lastKey += 1;
    const own: Own = {
      key: this.lastKey,
      cmds,
      ...(seen && { seen }),
      at,
      state: "queued",
      stored: false,
      included: false,
    };
    this.queue.push(own);
    this.keep(own);
    return own;
  }

  /** Holds submits of another client behind the others. */
  inherit(submits: readonly SubmitRecord[]): void {
    for (const { cmds, seen, at } of submits) this.hold(this.push([...cmds], seen, at));
  }

  /** What may be sent now, in order. Numbers what has none; what is not stored stops the rest. */
  due(now: number): Submit[] {
    const submits: Submit[] = [];
    if (this.paused) return submits;
    const count = (state: Own["state"]) => this.queue.filter((own) => own.state === state).length;
    let sent = count("sent");
    let open = sent + count("accepted");
    for (const own of this.queue) {
      if (own.held || own.state !== "queued") continue;
      if (sent >= WINDOW || open >= NOT_DURABLE_MAX) break;
      if (own.seq === undefined) this.number(own);
      if (!own.stored || own.seq === undefined) break;
      own.state = "sent";
      sent += 1;
      open += 1;
      submits.push({
        board: this.record.board,
        seq: own.seq,
        cmds: own.cmds,
        ...(own.seen && { seen: own.seen }),
      });
    }
    if (submits.length > 0) this.change({ used: now });
    return submits;
  }

  /** What has to be stored since this was asked last; nothing is sent before it is. */
  saving(): Saving | undefined {
    if (!this.recordChanged && this.puts.size === 0 && this.removes.length === 0) return undefined;
    const saving = { board: this.record, put: [...this.puts.values()], remove: this.removes };
    this.puts = new Map();
    this.removes = [];
    this.recordChanged = false;
    return saving;
  }

  /** All that is stored, or about to be. */
  kept(): { board: BoardRecord; submits: SubmitRecord[] } {
    return { board: this.record, submits: this.queue.map(recordOf) };
  }

  /** These records are stored, as they were told by {@link saving}. */
  stored(records: readonly SubmitRecord[]): void {
    for (const { key, seq } of records) {
      const own = this.queue.find((own) => own.key === key);
      if (own && own.seq === seq) own.stored = true;
    }
  }

  /**
   * A subscription begins, on which everything is asked again. Returns the submits that are held
   * because the server has forgotten the client.
   */
  rejoin(last: Seq, now: number): Own[] {
    this.paused = false;
    const away = this.record.used > 0 && now - this.record.used > REMEMBERED_MS;
    const forgotten = last < this.record.saved || away;
    const next = Math.max(this.record.next, last + 1);
    this.change(forgotten ? { next, saved: 0, used: 0 } : { next });
    const held = this.queue.filter((own) => forgotten && !own.held && (own.seq || away));
    for (const own of held) this.hold(own);
    for (const own of this.queue) {
      const known = own.seq !== undefined && own.seq <= last;
      if (known && own.state === "accepted" && own.version !== undefined) continue;
      own.state = "queued";
      own.version = undefined;
      own.included = false;
    }
    return held;
  }

  /** The board that came holds what the submits up to `last` have done. */
  include(last: Seq): void {
    for (const own of this.queue) own.included ||= own.seq !== undefined && own.seq <= last;
  }

  /** `busy` at `seq`: nothing is sent until {@link resume}, and then everything from `seq` on. */
  refuse(seq: Seq): void {
    this.paused = true;
    for (const own of this.queue) {
      if (own.state === "sent" && (own.seq ?? 0) >= seq) own.state = "queued";
    }
  }

  /** The delay of `busy` is over. */
  resume(): void {
    this.paused = false;
  }

  /** Applied as `version`. Returns the submit at its first answer. */
  accept(seq: Seq, version: Version | undefined): Own | undefined {
    const own = this.find(seq);
    if (!own || own.state === "accepted") return undefined;
    own.state = "accepted";
    own.version = version;
    return own;
  }

  /** Takes out what was rejected or changed nothing. */
  finish(seq: Seq): Own | undefined {
    const own = this.find(seq);
    if (own) this.remove(own);
    return own;
  }

  /** Takes out, in order, what is durable. */
  durable(version: Version): Own[] {
    const done = this.queue.filter(
      (own) => own.state === "accepted" && own.version !== undefined && own.version <= version,
    );
    for (const own of done) {
      this.change({ saved: Math.max(this.record.saved, own.seq ?? 0) });
      this.remove(own);
    }
    return done;
  }

  /** The answer is that the server does not know any more; the person is asked. */
  forget(seq: Seq): Own | undefined {
    const own = this.find(seq);
    if (own) this.hold(own);
    return own;
  }

  /** The person wants it done: it goes under a new number, behind the others. */
  release(key: number): void {
    const own = this.queue.find((own) => own.key === key && own.held);
    if (!own) return;
    this.queue.splice(this.queue.indexOf(own), 1);
    this.removes.push(own.key);
    this.lastKey += 1;
    const { held: _, seq: __, ...rest } = own;
    const fresh: Own = { ...rest, key: this.lastKey, state: "queued", stored: false };
    this.queue.push(fresh);
    this.keep(fresh);
  }

  /** The person does not want it any more. */
  discard(key: number): void {
    const own = this.queue.find((own) => own.key === key && own.held);
    if (own) this.remove(own);
  }

  private find(seq: Seq): Own | undefined {
    return this.queue.find((own) => own.seq === seq);
  }

  private number(own: Own): void {
    own.seq = this.record.next;
    this.change({ next: own.seq + 1 });
    this.keep(own);
  }

  private hold(own: Own): void {
    own.held = true;
    own.seq = undefined;
    own.state = "queued";
    this.keep(own);
  }

  private remove(own: Own): void {
    this.queue.splice(this.queue.indexOf(own), 1);
    this.puts.delete(own.key);
    this.removes.push(own.key);
  }

  private keep(own: Own): void {
    own.stored = false;
    this.puts.set(own.key, recordOf(own));
  }

  private change(set: Partial<BoardRecord>): void {
    this.record = { ...this.record, ...set };
    this.recordChanged = true;
  }
}

function recordOf({ key, seq, cmds, seen, at, held }: Own): SubmitRecord {
  const numbered = seq === undefined ? {} : { seq };
  return { key, ...numbered, cmds, ...(seen && { seen }), at, ...(held && { held }) };
}

/** More waits than is kept: connect, or do less, before more is submitted. */
export class QueueFull extends Error {
  override name = "QueueFull";

  constructor() {
    super(`${PENDING_MAX} changes of this board wait to be sent; reconnect before making more`);
  }
}
