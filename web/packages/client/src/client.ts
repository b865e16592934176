// A client: one connection, any number of boards on it, and the work that is not yet saved.
import { at, type ClientOptions, type Hello, helloOf } from "./hello.js";
import { Keeper } from "./keep.js";
import { Link, type LinkState, REAL_WORLD, type World } from "./link.js";
import { type Host, LiveBoard } from "./live-board.js";
import type {
  ActivityPage,
  Batch,
  BoardCreated,
  BoardSummary,
  Boards,
  ErrorMessage,
  ServerMessage,
  Welcome,
} from "./protocol.js";
import { type Effect, Replica } from "./replica.js";
import { Requests } from "./requests.js";
import type { Socket, SocketConstructor } from "./socket.js";
import { type Claim, type Kept, MemoryStore, type Store } from "./store.js";

/** The largest message that a server takes, in bytes, unless it says otherwise. */
const MESSAGE_MAX_BYTES = 524_288;
/** The first delay before a board is asked for again that the server could not give, in milliseconds. */
const REFUSED_MS = 1_000;
/** The longest such delay, in milliseconds. */
const REFUSED_MAX_MS = 20_000;

/** Messages after which a board may be another, or gone. */
const KEEPS_AFTER: ReadonlySet<string> = new Set(["subscribed", "snapshot", "role", "error"]);

type Joined = {
  board: LiveBoard;
  replica: Replica;
  users: number;
  subscribing: number | undefined;
  refusals: number;
  timers: Set<() => void>;
};

export class Client {
  private readonly link: Link;
  private readonly requests: Requests;
  private readonly world: World;
  private readonly joined = new Map<string, Joined>();
  private readonly listeners = new Set<() => void>();
  private readonly stops: (() => void)[] = [];
  /** What the store has of boards that are not joined. */
  private readonly kept: Map<string, Kept>;
  private readonly keeper: Keeper;
  private user: string;
  private messageBytes = MESSAGE_MAX_BYTES;
  private closed = false;

  private constructor(
    private readonly options: ClientOptions,
    private readonly claim: Claim,
    /** Whether unsaved work is kept; not, where the store has failed. */
    public keeps = true,
  ) {
    this.kept = new Map(claim.kept);
    this.world = options.world ?? REAL_WORLD;
    this.user = options.account ?? "";
    const account = options.account ?? "";
    this.keeper = new Keeper(keeps ? options.store?.views : undefined, this.world, () => account);
    this.link = new Link({
      url: `${options.url.replace(/^http/, "ws").replace(/\/+$/, "")}/ws`,
      socket: constructorOf(options),
      world: this.world,
      hello: () => this.hello(),
      welcomed: (message) => this.welcomed(message),
      received: (message) => this.received(message),
      lost: () => this.lost(),
      changed: () => this.tell(),
    });
    this.requests = new Requests(
      (message) => this.link.send(message),
      (ms, call) => this.world.after(ms, call),
    );
  }

  /**
   * Takes up what is kept and connects. Unsaved work of earlier pages of this account is sent in the
   * background. A store that cannot be read is done without; see {@link keeps}.
   */
  static async open(options: ClientOptions): Promise<Client> {
    const store = options.store ?? new MemoryStore();
    const account = options.account ?? "";
    const client = await store.claim(account).then(
      (claim) => new Client(options, claim),
      async () => new Client(options, await new MemoryStore().claim(account), false),
    );
    for (const [board, { submits }] of client.claim.kept) {
      if (submits.length > 0) client.board(board).close();
    }
    client.watch();
    client.link.connect();
    if (client.keeps) void client.adopt(store, account);
    return client;
  }

  /** Where the connection stands; a new object at each change. */
  get state(): LinkState {
    return this.link.state;
  }

  /** The id under which the server knows this client. */
  get id(): string {
    return this.claim.client;
  }

  /** Calls back whenever {@link state} or {@link keeps} is another. Returns what ends it. */
  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  /** Connects again after an end that is final, or at once instead of after the delay. */
  reconnect(): void {
    this.link.connect();
    this.link.wake();
  }

  /** Opens a board. Each call needs a `close` of what it returned. */
  board(id: string): LiveBoard {
    let joined = this.joined.get(id);
    if (!joined) {
      joined = this.join(id);
      this.joined.set(id, joined);
      if (this.link.state.name === "live") this.subscribe(joined);
    }
    joined.users += 1;
    return joined.board;
  }

  /** A page of the user's boards, or of those that are archived, in the order of their ids. */
  boards(after?: string, archived = false): Promise<Boards> {
    const wanted = { ...(after && { after }), ...(archived && { archived }) };
    const answer = this.requests.ask({ type: "boards.list", ...wanted }, true);
    return answer as Promise<Extract<ServerMessage, { type: "boards" }>>;
  }

  /** Makes a board, whose admin is the user. It is not tried again where the connection is lost. */
  async createBoard(title: string): Promise<string> {
    const answer = await this.requests.ask({ type: "board.create", title }, false);
    return (answer as BoardCreated).board;
  }

  /** The boards that the store keeps, in no order: those that can be opened without the server. */
  keptBoards(): Promise<BoardSummary[]> {
    return this.keeper.list();
  }

  /** Forgets what boards showed last, for a browser that others use too. What is unsaved is kept. */
  forgetViews(): Promise<void> {
    return this.keeper.forget();
  }

  /** Ends the connection. What is unsaved is kept in the store. */
  close(): void {
    this.keeper.flush();
    this.closed = true;
    for (const stop of this.stops.splice(0)) stop();
    for (const joined of this.joined.values()) this.forget(joined);
    this.link.close();
    this.claim.release();
  }

  private join(id: string): Joined {
    const self = { client: this.claim.client, user: this.user };
    const replica = new Replica(id, self, this.kept.get(id));
    const host: Host = {
      world: this.world,
      perform: (effect) => this.perform(joined, effect),
      sendPresence: (at) => this.link.send({ type: "presence", board: id, at }),
      activity: (query) =>
        this.requests.ask({ type: "activity", board: id, limit: 50, ...query }, true) as Promise<
          Extract<ServerMessage, { type: "activity" }> & ActivityPage
        >,
      closed: () => this.leave(joined),
      messageBytes: () => this.messageBytes,
    };
    const board = new LiveBoard(replica, host);
    const rest = { users: 0, subscribing: undefined, refusals: 0, timers: new Set<() => void>() };
    const joined: Joined = { board, replica, ...rest };
    void this.keeper.load(id).then((kept) => {
      if (!kept || this.closed) return;
      replica.restore(kept);
      board.tell();
    });
    return joined;
  }

  /** A board without users stays until its work is saved. */
  private leave(joined: Joined): void {
    joined.users -= 1;
    if (joined.users > 0 || joined.replica.waiting().length > 0 || this.closed) return;
    this.keeper.closed(joined.replica);
    this.forget(joined);
    this.joined.delete(joined.board.id);
    this.kept.set(joined.board.id, joined.replica.kept());
    this.link.send({ type: "unsubscribe", req: this.requests.number(), board: joined.board.id });
  }

  private forget(joined: Joined): void {
    for (const stop of joined.timers) stop();
    joined.timers.clear();
  }

  private async hello(): Promise<() => Hello> {
    const { token } = this.options;
    const known = typeof token === "function" ? await token() : token;
    // Boards that are opened while the socket is being opened are asked for as well.
    return () => {
      const replicas = [...this.joined.values()].map(({ replica }) => replica);
      const hello = helloOf(this.claim.client, known, this.options.agent, replicas);
      this.asked = new Set(hello.boards.map(({ board }) => board));
      return hello;
    };
  }

  /** The boards that `hello` has asked for. */
  private asked = new Set<string>();

  private welcomed({ user, limits }: Welcome): void {
    this.user = user;
    this.messageBytes = limits.message_bytes ?? MESSAGE_MAX_BYTES;
    for (const joined of this.joined.values()) {
      joined.replica.self.user = user;
      if (!this.asked.has(joined.board.id)) this.subscribe(joined);
    }
    this.requests.again();
  }

  private lost(): void {
    this.keeper.flush();
    this.requests.lost();
    for (const joined of this.joined.values()) {
      this.forget(joined);
      joined.subscribing = undefined;
      joined.replica.disconnected();
      joined.board.tell();
    }
  }

  private subscribe(joined: Joined): void {
    joined.subscribing = this.requests.number();
    this.link.send({ type: "subscribe", req: joined.subscribing, ...at(joined.replica) });
  }

  private received(message: ServerMessage): void {
    const now = this.world.now();
    if (Array.isArray(message)) {
      const joined = this.joined.get(message[0]);
      joined?.board.run(joined.replica.batch(message, now));
      return joined && this.keeper.changed(joined.replica);
    }
    if ("req" in message && typeof message.req === "number") {
      if (this.requests.answer(message.req, message)) return;
    }
    if (!("board" in message) || !message.board) return;
    const joined = this.joined.get(message.board);
    if (!joined) return;
    this.about(joined, message, now);
    if (KEEPS_AFTER.has(message.type)) this.keeper.changed(joined.replica);
  }

  private about(joined: Joined, message: Exclude<ServerMessage, Batch>, now: number): void {
    const { board, replica } = joined;
    switch (message.type) {
      case "subscribed":
        joined.refusals = 0;
        joined.subscribing = undefined;
        board.refused = undefined;
        board.run(replica.subscribed(message, now));
        return board.repeatPresence();
      case "snapshot":
        return board.run(replica.snapshot(message, now));
      case "durable":
        return board.run(replica.durableTo(message.epoch, message.version, now));
      case "outcome":
        return board.run(replica.outcome(message, now));
      case "role":
        replica.roleChanged(message.role ?? null);
        return board.tell();
      case "presence":
        return board.setPeople(message);
      case "error":
        return this.failed(joined, message, now);
      default:
        return;
    }
  }

  private failed(joined: Joined, message: ErrorMessage, now: number): void {
    const { board, replica } = joined;
    const aboutSubmit = typeof message.seq === "number";
    const mayPass = ["busy", "unavailable", "limit", "not_subscribed"].includes(message.code);
    if (aboutSubmit || !mayPass) return board.run(replica.error(message, now));
    // The server cannot give the board now: it is asked for again, later each time.
    board.refused = { code: message.code, hint: message.hint };
    const delay = Math.min(REFUSED_MAX_MS, REFUSED_MS * 2 ** Math.min(joined.refusals, 10));
    joined.refusals += 1;
    board.run([{ type: "subscribe", after_ms: delay }]);
  }

  private perform(joined: Joined, effect: Exclude<Effect, { type: "progress" | "held" }>): void {
    switch (effect.type) {
      case "send":
        return this.link.send({ type: "submit", ...effect.submit });
      case "subscribe":
        return this.later(joined, effect.after_ms, () => this.subscribe(joined));
      case "retry":
        return this.later(joined, effect.after_ms, () =>
          joined.board.run(joined.replica.retry(this.world.now())),
        );
      case "save":
        return void this.save(joined, effect);
      case "open":
        return void this.openCard(joined, effect.card);
    }
  }

  private later(joined: Joined, ms: number, call: () => void): void {
    if (ms === 0) return call();
    const stop = this.world.after(ms, () => {
      joined.timers.delete(stop);
      call();
    });
    joined.timers.add(stop);
  }

  private async save(joined: Joined, { saving }: Extract<Effect, { type: "save" }>): Promise<void> {
    let kept = true;
    try {
      await this.claim.save(saving);
    } catch {
      // The work goes on without being kept, and whoever asks is told so.
      kept = false;
    }
    if (kept !== this.keeps) {
      this.keeps = kept;
      this.tell();
    }
    if (this.closed) return;
    if (saving.put.length > 0) {
      joined.board.run(joined.replica.stored(saving.put, this.world.now()));
    }
    if (joined.users === 0 && this.joined.get(joined.board.id) === joined) {
      joined.users += 1;
      this.leave(joined);
    }
  }

  private async openCard(joined: Joined, card: string): Promise<void> {
    const { board, replica } = joined;
    try {
      const question = { type: "card.open" as const, board: board.id, card };
      const answer = await this.requests.ask<Extract<ServerMessage, { type: "card" }>>(
        question,
        false,
      );
      board.run(replica.detail(answer));
    } catch {
      // It is asked again when the board is live again; a card that is not there has no detail.
    }
  }

  /** Sends what pages that are gone had not saved, one client id after the other. */
  private async adopt(store: Store, account: string): Promise<void> {
    for (;;) {
      const orphan = this.closed ? undefined : await store.orphan(account).catch(() => undefined);
      if (!orphan) return;
      const heir = new Client({ ...this.options, store }, orphan);
      this.stops.push(() => heir.close());
      const boards = [...orphan.kept].filter(([, { submits }]) => submits.length > 0);
      const done = boards.map(([id]) => heir.finish(id));
      heir.link.connect();
      await Promise.all(done);
      heir.close();
      if (this.closed) return;
      for (const [id] of boards) {
        const board = this.board(id);
        board.inherit(heir.board(id));
        board.close();
      }
      await orphan.remove().catch(() => {});
    }
  }

  /** Ends when nothing of a board waits any more, or what waits cannot be sent. */
  private finish(id: string): Promise<void> {
    const board = this.board(id);
    return new Promise((resolve) => {
      const look = () => {
        const { phase, unsaved } = board.status;
        if ((unsaved > 0 && phase !== "gone" && phase !== "outdated") || this.closed) return;
        stop();
        resolve();
      };
      const stop = board.listenStatus(look);
      look();
    });
  }

  /** Browsers tell when a page is seen again and when there is a network again. */
  private watch(): void {
    if (typeof addEventListener !== "function") return;
    const wake = () => this.link.wake();
    const hide = () => this.keeper.flush();
    addEventListener("pagehide", hide);
    this.stops.push(() => removeEventListener("pagehide", hide));
    for (const event of ["online", "pageshow", "focus"]) {
      addEventListener(event, wake);
      this.stops.push(() => removeEventListener(event, wake));
    }
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function constructorOf(options: ClientOptions): SocketConstructor {
  const found = options.WebSocket ?? globalThis.WebSocket;
  if (!found) {
    throw new Error("there is no global WebSocket here: pass one, such as that of the package ws");
  }
  return found as unknown as new (
    url: string,
    protocols: string[],
  ) => Socket;
}
