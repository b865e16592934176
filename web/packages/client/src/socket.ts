// A WebSocket whose messages come as text, in the order in which they were sent.

/** What of a WebSocket is used; those of browsers, of Node and of `ws` fit. */
export interface Socket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** Makes a {@link Socket}; the global `WebSocket` is one. */
export type SocketConstructor = new (url: string, protocols: string[]) => Socket;

/** What becomes of a socket. */
export type SocketEvents = {
  open(): void;
  text(text: string): void;
  /** It has ended; nothing comes after this. */
  end(code: number, reason: string): void;
};

const JSON_PROTOCOL = "boardcast.v1.json";
const DEFLATE_PROTOCOL = "boardcast.v1.json.deflate";
/** The code of an end that is not told by the other side. */
export const LOST = 1006;

/** One connection, of which nothing is heard after {@link drop}. */
export class Wire {
  private socket: Socket | undefined;
  private ended = false;
  private decoding = Promise.resolve();
  private waiting = 0;

  constructor(
    Constructor: SocketConstructor,
    url: string,
    private readonly events: SocketEvents,
  ) {
    const canInflate = typeof DecompressionStream === "function";
    const protocols = canInflate ? [DEFLATE_PROTOCOL, JSON_PROTOCOL] : [JSON_PROTOCOL];
    const socket = new Constructor(url, protocols);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.ended || events.open();
    socket.onmessage = (event: { data: unknown }) => this.receive(event.data);
    socket.onclose = (event: { code: number; reason: string }) => {
      // What came before the end is still on its way through the decoder.
      if (this.waiting === 0) this.end(event.code, event.reason);
      else this.decoding = this.decoding.then(() => this.end(event.code, event.reason));
    };
    // An error says nothing that the end after it does not.
    socket.onerror = () => {};
  }

  send(text: string): void {
    if (!this.ended) this.socket?.send(text);
  }

  /** Ends the connection; no event comes any more. */
  drop(code?: number): void {
    this.ended = true;
    const socket = this.socket;
    this.socket = undefined;
    try {
      socket?.close(code);
    } catch {
      // It was not yet open, and does not open any more.
    }
  }

  private receive(data: unknown): void {
    if (this.ended) return;
    if (typeof data === "string" && this.waiting === 0) return this.events.text(data);
    // Inflating takes a turn or more: what comes meanwhile waits, or messages would change places.
    this.waiting += 1;
    const text = typeof data === "string" ? data : inflate(data as ArrayBuffer);
    this.decoding = this.decoding.then(async () => {
      try {
        const decoded = await text;
        if (!this.ended) this.events.text(decoded);
      } catch {
        this.end(LOST, "a message could not be inflated");
      } finally {
        this.waiting -= 1;
      }
    });
  }

  private end(code: number, reason: string): void {
    if (this.ended) return;
    this.drop();
    this.events.end(code, reason);
  }
}

async function inflate(data: ArrayBuffer): Promise<string> {
  const inflated = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(inflated).text();
}
