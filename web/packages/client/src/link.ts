// Keeps a connection to the server: connects, notices when it is dead, and comes back.
import type { ClientMessage, Goodbye, ServerMessage, Welcome } from "./protocol.js";
import { LOST, type SocketConstructor, Wire } from "./socket.js";

/** The longest delay before the first attempt to come back, in milliseconds; it doubles each time. */
const BACKOFF_MS = 500;
/** The longest delay before any attempt, in milliseconds. */
const BACKOFF_MAX_MS = 20_000;
/** A connection that has lasted so long was a good one: the delays begin anew, in milliseconds. */
const GOOD_MS = 5_000;
/** How long a connection may take until `welcome`, in milliseconds. */
const WELCOME_WITHIN_MS = 15_000;
/** Time between looks at the link, in milliseconds. */
const LOOK_MS = 5_000;
/** A silence of so many milliseconds is asked about by a `ping`. */
const SILENCE_MS = 10_000;
/** How long any sign of life may take after a `ping`, in milliseconds. */
const PONG_WITHIN_MS = 5_000;

/** Time and chance, so that tests can set them. */
export type World = {
  now(): number;
  random(): number;
  /** Calls once after some milliseconds; the returned function takes that back. */
  after(ms: number, call: () => void): () => void;
};

/** The real time and chance. */
export const REAL_WORLD: World = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Where the connection stands. */
export type LinkState =
  | { name: "connecting" }
  | { name: "live"; user: string; conn: number }
  /** It is tried again at `retry_at`, by the client's clock. */
  | { name: "waiting"; retry_at: number; code: number; reason: string }
  /** It is not tried again by itself; `code` is a close code of the protocol. */
  | { name: "closed"; code: number; reason: string };

/** What a link needs, and what it tells. */
export type LinkOptions = {
  url: string;
  socket: SocketConstructor;
  world: World;
  /** Gets ready for a connection; what it gives makes the first message, once the socket is open. */
  hello(): Promise<() => ClientMessage>;
  welcomed(message: Welcome): void;
  received(message: ServerMessage): void;
  /** A connection that was welcomed has ended. */
  lost(): void;
  changed(): void;
};

/** Whether a connection that ended with this code may be tried again. */
export function mayReturn(code: number): boolean {
  const final = [1000, 1002, 1003, 1007, 1008, 1009];
  return !final.includes(code) && (code < 4500 || code > 4999);
}

export class Link {
  state: LinkState = { name: "closed", code: 1000, reason: "not yet connected" };
  private wire: Wire | undefined;
  private attempt = 0;
  private goodbye: Goodbye | undefined;
  private welcomedAt = 0;
  private heardAt = 0;
  private lookedAt = 0;
  private pingedAt = 0;
  private stopTimer = () => {};
  private round = 0;

  constructor(private readonly options: LinkOptions) {}

  /** Connects, unless it is connected or about to be. */
  connect(): void {
    if (this.state.name === "closed") {
      this.attempt = 0;
      this.open();
    }
  }

  /** Ends the connection for good. */
  close(): void {
    this.stop(1000);
    this.become({ name: "closed", code: 1000, reason: "closed by this client" });
  }

  send(message: ClientMessage): void {
    if (this.state.name === "live") this.wire?.send(JSON.stringify(message));
  }

  /** The machine may have slept or the network may have changed: looks at once. */
  wake(): void {
    if (this.state.name === "waiting") this.open();
    else if (this.state.name === "live" && this.pingedAt === 0) this.ping();
  }

  private open(): void {
    const { options } = this;
    this.stop();
    const round = this.round;
    this.goodbye = undefined;
    this.timer(WELCOME_WITHIN_MS, () => this.ended(LOST, "no welcome in time"));
    this.become({ name: "connecting" });
    // Whoever was told may have closed it.
    if (round !== this.round) return;
    const failed = (error: unknown) => {
      if (round === this.round) this.ended(LOST, String(error));
    };
    const start = (hello: () => ClientMessage) => {
      if (round !== this.round) return;
      this.wire = new Wire(options.socket, options.url, {
        open: () => this.wire?.send(JSON.stringify(hello())),
        text: (text) => this.heard(text),
        end: (code, reason) => this.ended(code, reason),
      });
    };
    options.hello().then(start).catch(failed);
  }

  private heard(text: string): void {
    this.heardAt = this.options.world.now();
    this.pingedAt = 0;
    const message = parsed(text);
    if (message === undefined) return this.ended(LOST, "the server sent what is not JSON");
    if (Array.isArray(message)) return this.options.received(message);
    switch (message.type) {
      case "welcome":
        this.welcomedAt = this.heardAt;
        this.become({ name: "live", user: message.user, conn: message.conn });
        this.look();
        return this.options.welcomed(message);
      case "goodbye":
        this.goodbye = message;
        return;
      case "pong":
        return;
      default:
        this.options.received(message);
    }
  }

  /** Looks every few seconds whether the other side is still there. */
  private look(): void {
    const now = this.options.world.now();
    const slept = this.lookedAt > 0 && now - this.lookedAt > 2 * LOOK_MS;
    this.lookedAt = now;
    if (this.pingedAt > 0 && now - this.pingedAt >= PONG_WITHIN_MS && !slept) {
      return this.ended(LOST, "no sign of life from the server");
    }
    // After a sleep, time has passed in which nothing could be heard: the ping is asked anew.
    if (slept || (this.pingedAt === 0 && now - this.heardAt >= SILENCE_MS)) return this.ping();
    this.timer(LOOK_MS, () => this.look());
  }

  private ping(): void {
    this.pingedAt = this.options.world.now();
    this.send({ type: "ping", t: this.pingedAt });
    this.timer(PONG_WITHIN_MS, () => this.look());
  }

  private ended(code: number, reason: string): void {
    const { world } = this.options;
    const wasLive = this.state.name === "live";
    const goodbye = this.goodbye;
    if (wasLive && world.now() - this.welcomedAt >= GOOD_MS) this.attempt = 0;
    this.stop();
    if (wasLive) this.options.lost();
    if (!mayReturn(code)) return this.become({ name: "closed", code, reason });
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(this.attempt, 16));
    const delay = goodbye?.retry_ms ?? Math.floor(world.random() * longest);
    this.attempt += 1;
    this.timer(delay, () => this.open());
    // Whoever is told may connect at once.
    this.become({ name: "waiting", retry_at: world.now() + delay, code, reason });
  }

  private stop(code?: number): void {
    this.round += 1;
    this.stopTimer();
    this.wire?.drop(code);
    this.wire = undefined;
    this.pingedAt = 0;
    this.lookedAt = 0;
  }

  private timer(ms: number, call: () => void): void {
    this.stopTimer();
    this.stopTimer = this.options.world.after(ms, call);
  }

  private become(state: LinkState): void {
    this.state = state;
    this.options.changed();
  }
}

function parsed(text: string): ServerMessage | undefined {
  try {
    return JSON.parse(text) as ServerMessage;
  } catch {
    return undefined;
  }
}
