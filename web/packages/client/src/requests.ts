// Questions to the server that have one answer each.
import type { ClientMessage, ErrorMessage, ServerMessage } from "./protocol.js";

/** Questions that wait for an answer or a connection. */
const REQUESTS_MAX = 100;
/** How long an answer may take, the time without a connection included, in milliseconds. */
const ANSWER_WITHIN_MS = 60_000;

type Asked = Extract<ClientMessage, { req: number }>;
/** A question without its number. */
export type Question = Asked extends infer A ? (A extends Asked ? Omit<A, "req"> : never) : never;
type Answer = Exclude<ServerMessage, unknown[]>;

/** The server, or the lack of one, had no answer. */
export class RequestFailed extends Error {
  override name = "RequestFailed";

  constructor(
    /** An error code of the protocol, or `lost`, `timeout` or `too_many`. */
    readonly code: string,
    hint: string,
  ) {
    super(hint);
  }
}

type Open = {
  question: Question;
  /** Whether it may be asked again after the connection was lost. */
  repeats: boolean;
  resolve(answer: Answer): void;
  reject(error: RequestFailed): void;
  stopTimer(): void;
};

export class Requests {
  private readonly open = new Map<number, Open>();
  private last = 0;

  constructor(
    private readonly send: (message: Asked) => void,
    private readonly after: (ms: number, call: () => void) => () => void,
  ) {}

  /** A number for a question that is asked and answered elsewhere. */
  number(): number {
    this.last += 1;
    return this.last;
  }

  /** Asks now, or as soon as there is a connection. Throws {@link RequestFailed}. */
  ask<T extends Answer>(question: Question, repeats: boolean): Promise<T> {
    if (this.open.size >= REQUESTS_MAX) {
      const failure = new RequestFailed("too_many", "too many questions wait for an answer; wait");
      return Promise.reject(failure);
    }
    const req = this.number();
    return new Promise((resolve, reject) => {
      const stopTimer = this.after(ANSWER_WITHIN_MS, () => {
        this.open.delete(req);
        reject(
          new RequestFailed("timeout", "the server did not answer within a minute; try again"),
        );
      });
      this.open.set(req, {
        question,
        repeats,
        resolve: (answer) => resolve(answer as T),
        reject,
        stopTimer,
      });
      this.send({ ...question, req } as Asked);
    });
  }

  /** Takes an answer; whether a question had this number. */
  answer(req: number, answer: Answer | ErrorMessage): boolean {
    const open = this.open.get(req);
    if (!open) return false;
    this.open.delete(req);
    open.stopTimer();
    if ("code" in answer && "hint" in answer)
      open.reject(new RequestFailed(answer.code, answer.hint));
    else open.resolve(answer as Answer);
    return true;
  }

  /** The connection has ended. */
  lost(): void {
    for (const [req, open] of [...this.open]) {
      if (open.repeats) continue;
      this.open.delete(req);
      open.stopTimer();
      const hint =
        "the connection was lost before the answer; look whether it was done, then try again";
      open.reject(new RequestFailed("lost", hint));
    }
  }

  /** There is a connection again. */
  again(): void {
    for (const [req, open] of this.open) this.send({ ...open.question, req } as Asked);
  }
}
