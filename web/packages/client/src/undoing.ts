// What the person has done on a board since it was opened, in order to undo it and to do it again.
import type { Command, Epoch, Version } from "./protocol.js";
import type { Progress } from "./replica.js";

/** Submits that can be undone; the oldest makes room. */
export const DEEDS_MAX = 100;

/** A submit that can be undone. */
export type Deed = {
  /** Of the submit whose version it is. */
  key: number;
  /** What the person did in the first place. */
  cmds: readonly Command[];
  /** What the server has made of it; none before its answer. */
  version?: Version;
  /** A version counts in its epoch. */
  epoch?: Epoch;
};

/** Two stacks. A deed that is undone goes over to the other one as the version that undid it. */
export class Undoing {
  private done: Deed[] = [];
  private undone: Deed[] = [];
  /** Those that are not on disk, wherever they are: by the keys of their submits. */
  private readonly open = new Map<number, Deed>();
  private began: { what: "undo" | "redo"; deed: Deed } | undefined;

  get status(): { undo: boolean; redo: boolean } {
    return { undo: this.done.length > 0, redo: this.undone.length > 0 };
  }

  /** The next submit undoes this one, or does it again. */
  begin(what: "undo" | "redo", deed: Deed): void {
    this.began = { what, deed };
  }

  /** Something new is done: what was undone before is not done again. */
  submitted(key: number, cmds: readonly Command[]): void {
    const { began } = this;
    this.began = undefined;
    if (!began) this.undone = [];
    const stack = began?.what === "undo" ? this.undone : this.done;
    const deed = { key, cmds: began?.deed.cmds ?? cmds };
    this.open.set(key, deed);
    stack.push(deed);
    if (stack.length > DEEDS_MAX) stack.shift();
  }

  /** The newest deed, which leaves its stack. */
  take(what: "undo" | "redo"): Deed | undefined {
    return (what === "undo" ? this.done : this.undone).pop();
  }

  /** How far a submit has come. */
  step(key: number, progress: Progress, epoch: Epoch | undefined): void {
    const deed = this.open.get(key);
    if (!deed) return;
    if (progress.state === "live") Object.assign(deed, { version: progress.version, epoch });
    if (progress.state === "saved" || progress.state === "rejected") this.open.delete(key);
    const nothing = progress.state === "saved" && !progress.changed;
    if (progress.state !== "rejected" && !nothing) return;
    this.done = this.done.filter((other) => other !== deed);
    this.undone = this.undone.filter((other) => other !== deed);
  }
}
