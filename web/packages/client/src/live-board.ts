// A board as programs use it: what is on it now, and what to do with it.
import type { Kind, Things } from "./board.js";
import { HEAD } from "./board.js";
import { hashOf } from "./canonical.js";
import type { World } from "./link.js";
import type { QueueFull, SubmitRecord } from "./pending.js";
import type {
  ActivityPage,
  Column,
  Command,
  ErrorCode,
  Presence,
  Role,
  Submit,
  Version,
  View,
  Whereabouts,
} from "./protocol.js";
import type { Effect, Phase, Progress, Rejection, Replica } from "./replica.js";
import type { Topic } from "./shown.js";
import { type Deed, Undoing } from "./undoing.js";

/** Rejections that are kept until they are dismissed; the oldest makes room. */
const REJECTIONS_MAX = 100;
/** The shortest time between two words about where the person is, in milliseconds. */
const PRESENCE_MS = 250;

/** What the number of a submit adds to its message at most, in bytes. */
const SEQ_BYTES = 30;

/** Why the server does not give a board at the moment: a code for programs, and words for people. */
export type Refused = { code: ErrorCode; hint: string };

/** How a board stands; a new object whenever something of it has changed. */
export type BoardStatus = {
  phase: Phase["name"];
  /** Why the server does not let it in at the moment, where it has said so. */
  refused?: Refused;
  role?: Role;
  /** Whether there is something to show. */
  loaded: boolean;
  /** What is shown is what was kept at this time, by the client's clock: the server has said nothing yet. */
  asOf?: number;
  /** Submits that are not yet on the server's disk. */
  unsaved: number;
  /** Rejected submits that the person has not dismissed, oldest first. */
  rejections: readonly Rejection[];
  /** Submits that the server may or may not have done long ago: the person is asked. */
  held: readonly SubmitRecord[];
  /** Whether there is something of the person's own to undo, or to do again. */
  undo: boolean;
  redo: boolean;
};

/** What a board needs of its client. */
export type Host = {
  readonly world: World;
  perform(effect: Exclude<Effect, { type: "progress" | "held" }>): void;
  sendPresence(at: Whereabouts | null): void;
  activity(query: { card?: string; before?: Version; limit?: number }): Promise<ActivityPage>;
  closed(): void;
  /** The largest message that the server takes, in bytes. */
  messageBytes(): number;
};

/** One list of commands on its way. */
export class Sent {
  /** How far it has come. */
  progress: Progress = { state: "sending" };
  private readonly waiting: (() => void)[] = [];

  constructor(readonly key: number) {}

  /** Ends when everybody sees it, with its version; 0 where nothing changed. Throws {@link Rejected}. */
  live(): Promise<Version> {
    return this.when((progress) => {
      if (progress.state === "live") return progress.version;
      return progress.state === "saved" ? 0 : undefined;
    });
  }

  /** Ends when it is on the server's disk. Throws {@link Rejected}. */
  saved(): Promise<void> {
    return this.when((progress) => (progress.state === "saved" ? null : undefined)).then(() => {});
  }

  /** Calls back at each step. */
  step(progress: Progress): void {
    this.progress = progress;
    for (const look of this.waiting.splice(0)) look();
  }

  private when<T>(reached: (progress: Progress) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { progress } = this;
        const value = reached(progress);
        if (value !== undefined) resolve(value);
        else if (progress.state === "rejected") reject(new Rejected(progress.rejection));
        else this.waiting.push(look);
      };
      look();
    });
  }
}

/** The server did not do a submit. */
export class Rejected extends Error {
  override name = "Rejected";

  constructor(readonly rejection: Rejection) {
    super(rejection.hint || rejection.reason);
  }
}

/** The commands do not fit into one message: give fewer of them, or shorter texts. */
export class TooLarge extends Error {
  override name = "TooLarge";

  constructor(bytes: number, limit: number) {
    super(`the change has ${bytes} bytes, and the server takes ${limit}; make it smaller`);
  }
}

export class LiveBoard {
  status: BoardStatus;
  /** Who is on the board. */
  people: Presence = { board: "", count: 0, people: [] };
  /** Why the server does not let this board in; set by the client. */
  refused: Refused | undefined;
  private readonly sent = new Map<number, Sent>();
  private readonly listeners = new Set<() => void>();
  private readonly presenceListeners = new Set<() => void>();
  private rejections: readonly Rejection[] = [];
  private readonly undoing = new Undoing();
  private takingBack: Promise<unknown> = Promise.resolve();
  private whereabouts: Whereabouts | null = null;
  private toldAt = 0;
  private telling: (() => void) | undefined;

  constructor(
    private readonly replica: Replica,
    private readonly host: Host,
  ) {
    this.status = this.present();
  }

  get id(): string {
    return this.replica.board;
  }

  /** The user, as the server knows them; empty before the first welcome where no account was given. */
  get user(): string {
    return this.replica.self.user;
  }

  /** Title, background, and whether the board is archived; `undefined` until the board has come. */
  get head(): Things["head"] | undefined {
    return this.get("head", HEAD);
  }

  /** One thing as the person sees it: the same object until it changes. */
  get<K extends Kind>(kind: K, id: string): Things[K] | undefined {
    return this.replica.shown.board.get(kind, id);
  }

  /** All things of a kind as the person sees them, by id. */
  all<K extends Kind>(kind: K): ReadonlyMap<string, Things[K]> {
    return this.replica.shown.board.all(kind);
  }

  /** The whole board as the person sees it; `undefined` until it has come. */
  view(): View | undefined {
    return this.replica.shown.board.view();
  }

  /** The columns that are not archived, in order; the same array until one changes. */
  columns(): readonly Column[] {
    return this.replica.shown.columns();
  }

  /** The ids of the open cards of a column, in order; the same array until that changes. */
  cards(column: string): readonly string[] {
    return this.replica.shown.cards(column);
  }

  /** The ids of all cards of a column, archived ones among them, in order. */
  cardsWithArchived(column: string): readonly string[] {
    return this.replica.shown.lane(column).map(({ id }) => id);
  }

  /**
   * Calls back whenever what the topic names has changed: `cards/ID` a card, `cards/` any card,
   * `lane/ID` the order in a column. Returns what ends it.
   */
  listen(topic: Topic, changed: () => void): () => void {
    return this.replica.shown.listen(topic, changed);
  }

  /** Calls back whenever {@link status} is another. Returns what ends it. */
  listenStatus(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  /** Calls back whenever {@link people} are others. Returns what ends it. */
  listenPeople(changed: () => void): () => void {
    this.presenceListeners.add(changed);
    return () => this.presenceListeners.delete(changed);
  }

  /** Ends once the board is here and live; at once if it is. Throws where it cannot be. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = this.listenStatus(() => look());
      const look = () => {
        const { phase } = this.replica;
        if (phase.name === "away" || phase.name === "joining") return;
        stop();
        if (phase.name === "live") resolve();
        else if (phase.name === "gone")
          reject(new Error(`there is no board ${this.id}, or it is not yours`));
        else reject(new Error("the server is newer than this client; update it"));
      };
      look();
    });
  }

  /**
   * Shows what the commands will do, and sends them: all of them are done, or none. `seen` holds the
   * revisions that the person saw of fields of the card; where one is another now, nothing is
   * overwritten and the submit is rejected with both values.
   *
   * Throws {@link QueueFull} where too many wait already, and {@link TooLarge} where the server would
   * not take the message.
   */
  submit(commands: Command | readonly Command[], seen?: NonNullable<Submit["seen"]>): Sent {
    const cmds = Array.isArray(commands) ? [...commands] : [commands as Command];
    const message = JSON.stringify({ type: "submit", board: this.id, cmds, seen });
    const bytes = new TextEncoder().encode(message).length + SEQ_BYTES;
    const limit = this.host.messageBytes();
    if (bytes > limit) throw new TooLarge(bytes, limit);
    const [key, effects] = this.replica.submit(cmds, seen, this.host.world.now());
    const sent = new Sent(key);
    this.sent.set(key, sent);
    this.undoing.submitted(key, cmds);
    this.run(effects);
    return sent;
  }

  /**
   * Undoes what the person has done last here, as far as nobody has changed it since. The answer holds
   * the commands; `undefined` where there is nothing. Throws {@link Rejected}.
   */
  undo(): Promise<Deed | undefined> {
    return this.takeBack("undo");
  }

  /** Does again what was undone last, as {@link undo}. */
  redo(): Promise<Deed | undefined> {
    return this.takeBack("redo");
  }

  /** One after the other, so that each finds what the one before has left. */
  private takeBack(what: "undo" | "redo"): Promise<Deed | undefined> {
    const next = this.takingBack.then(() => this.takeBackNow(what));
    this.takingBack = next.catch(() => {});
    return next;
  }

  private async takeBackNow(what: "undo" | "redo"): Promise<Deed | undefined> {
    for (;;) {
      const deed = this.undoing.take(what);
      this.tell();
      if (!deed) return undefined;
      // What is still on its way has no version to name.
      if (deed.version === undefined)
        await this.sent
          .get(deed.key)
          ?.live()
          .catch(() => {});
      const { version, epoch } = deed;
      if (!version || epoch !== this.replica.position?.epoch) continue;
      this.undoing.begin(what, deed);
      await this.submit({ type: "version.undo", version }).live();
      return deed;
    }
  }

  /** The person wants what was rejected for a conflict all the same: it is sent over what is there now. */
  takeMine(rejection: Rejection): Sent | undefined {
    this.dismiss(rejection);
    const [command] = rejection.cmds;
    const card = command && "card" in command ? this.get("cards", command.card) : undefined;
    if (!command || !card) return undefined;
    const { conflict, seen } = rejection;
    if (!conflict) return this.submit(command, seen);
    return this.submit(command, { ...seen, [conflict.field]: card.revs?.[conflict.field] ?? 0 });
  }

  /** The person has read it. */
  dismiss(rejection: Rejection): void {
    this.rejections = this.rejections.filter((other) => other !== rejection);
    this.tell();
  }

  /** Does a held submit after all. */
  release(key: number): void {
    this.run(this.replica.release(key, this.host.world.now()));
  }

  /** Gives a held submit up. */
  discard(key: number): void {
    this.run(this.replica.discard(key, this.host.world.now()));
  }

  /**
   * Fetches the description and the comments of a card into `details`, and keeps them up to date
   * until the returned function is called.
   */
  open(card: string): () => void {
    this.run(this.replica.open(card));
    let open = true;
    return () => {
      if (open) this.replica.close(card);
      open = false;
    };
  }

  /** Tells the others where the person is; `null` for gone. Sent at most every 250 ms. */
  tellPresence(at: Whereabouts | null): void {
    this.whereabouts = at;
    if (this.telling) return;
    const { world } = this.host;
    const delay = Math.max(0, this.toldAt + PRESENCE_MS - world.now());
    this.telling = world.after(delay, () => {
      this.telling = undefined;
      this.toldAt = world.now();
      this.host.sendPresence(this.whereabouts);
    });
  }

  /** A page of what has happened, newest first. */
  activity(query: { card?: string; before?: Version; limit?: number } = {}): Promise<ActivityPage> {
    return this.host.activity(query);
  }

  /** The hash of the board without predictions: equal boards have equal hashes. */
  async hash(): Promise<string | undefined> {
    const view = this.replica.view();
    return view && (await hashOf(view));
  }

  /** Where the board stands: everything up to this version is in it. */
  get version(): Version {
    return this.replica.position?.version ?? 0;
  }

  /** Ends the subscription. Submits go on to be sent when the board is opened again. */
  close(): void {
    this.telling?.();
    this.telling = undefined;
    this.host.closed();
  }

  /** Takes over what the person has to hear of work that was done in the name of another client. */
  inherit(heir: LiveBoard): void {
    this.rejections = [...this.rejections, ...heir.rejections].slice(-REJECTIONS_MAX);
    this.run(this.replica.hold(heir.replica.waiting()));
  }

  /** Performs what the replica asks for. For the client. */
  run(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "progress") this.step(effect.key, effect.progress);
      else if (effect.type !== "held") this.host.perform(effect);
    }
    this.tell();
  }

  /** Others have moved. For the client. */
  setPeople(people: Presence): void {
    this.people = people;
    for (const listener of [...this.presenceListeners]) listener();
  }

  /** The connection is there again, and knows nothing of where the person is. For the client. */
  repeatPresence(): void {
    if (this.whereabouts) this.tellPresence(this.whereabouts);
  }

  /** Looks whether the status is another. For the client. */
  tell(): void {
    const status = this.present();
    const before = this.status;
    const same = (Object.keys({ ...before, ...status }) as (keyof BoardStatus)[]).every((key) =>
      key === "held" ? sameItems(before.held, status.held) : before[key] === status[key],
    );
    if (same) return;
    this.status = status;
    for (const listener of [...this.listeners]) listener();
  }

  private step(key: number, progress: Progress): void {
    if (progress.state === "rejected") {
      this.rejections = [...this.rejections, progress.rejection].slice(-REJECTIONS_MAX);
    }
    this.undoing.step(key, progress, this.replica.position?.epoch);
    this.sent.get(key)?.step(progress);
    if (progress.state === "saved" || progress.state === "rejected") this.sent.delete(key);
  }

  private present(): BoardStatus {
    const { replica } = this;
    const waiting = replica.waiting();
    const held = waiting.filter((own) => own.held);
    return {
      phase: replica.phase.name,
      ...(this.refused && { refused: this.refused }),
      ...(replica.role && { role: replica.role }),
      loaded: this.head !== undefined,
      ...(replica.asOf !== undefined && { asOf: replica.asOf }),
      unsaved: waiting.length - held.length,
      rejections: this.rejections,
      held,
      ...this.undoing.status,
    };
  }
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}
