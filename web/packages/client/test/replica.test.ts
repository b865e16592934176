// The rules by which a replica believes what it receives, one by one.
import { beforeEach, describe, expect, test } from "vitest";
import type { Command, Event, VersionEntry, View } from "../src/protocol.js";
import { type Effect, Replica } from "../src/replica.js";

const NOW = 1_700_000_000_000;
const EPOCH = "05d17e7a90c421bf";
const stamp = { by: "ann", at: 1 };
const card = (id: string, rank: string, title = id) => ({
  id,
  number: 1,
  title,
  column: "todo",
  rank,
  created: stamp,
  changed: stamp,
});
const view: View = {
  id: "b",
  title: "Board",
  next_number: 3,
  members: [{ id: "ann", name: "Ann", role: "admin" }],
  columns: [
    { id: "doing", title: "Doing", rank: "W" },
    { id: "todo", title: "To do", rank: "V" },
  ],
  cards: [card("k1", "V"), card("k2", "W")],
};
const setTitle = (title: string): Command => ({ type: "card.set", card: "k1", set: { title } });
const titled = (title: string): Event => ({ type: "card.set", card: "k1", set: { title } });
const version = (...ev: Event[]): VersionEntry => ["bob", NOW, ev];
const echo = (seq: number, ...ev: Event[]): VersionEntry => ["ann", NOW, ev, "mine", seq];

let replica: Replica;
let told: Effect[];

/** Takes effects as the client does, with a store that is done at once. */
function perform(effects: Effect[]): void {
  for (const effect of effects) {
    told.push(effect);
    if (effect.type === "save") perform(replica.stored(effect.saving.put, NOW));
  }
}

const subscribed = (at: number, more: { last?: number; durable?: number; epoch?: string } = {}) =>
  perform(
    replica.subscribed(
      {
        board: "b",
        role: "admin",
        epoch: more.epoch ?? EPOCH,
        version: at,
        durable: more.durable ?? at,
        last_seq: more.last ?? 0,
        mode: replica.position ? "events" : "snapshot",
      },
      NOW,
    ),
  );
const snapshot = (at: number, shows = view, epoch = EPOCH) =>
  perform(replica.snapshot({ board: "b", epoch, version: at, view: shows }, NOW));
const batch = (from: number, ...versions: VersionEntry[]) =>
  perform(replica.batch(["b", from, versions], NOW));
const submit = (command: Command, seen?: { [key: string]: number }) => {
  const [key, effects] = replica.submit([command], seen, NOW);
  perform(effects);
  return key;
};
const sent = () => told.flatMap((effect) => (effect.type === "send" ? [effect.submit.seq] : []));
const steps = () =>
  told.flatMap((effect) => (effect.type === "progress" ? [effect.progress.state] : []));
const title = () => replica.shown.board.get("cards", "k1")?.title;

beforeEach(() => {
  told = [];
  replica = new Replica("b", { client: "mine", user: "ann" });
  subscribed(10);
  snapshot(10);
});

describe("versions", () => {
  test("are applied in order, and only from where the replica stands", () => {
    batch(10, version(titled("a")), version(titled("b")));
    expect(replica.position).toEqual({ epoch: EPOCH, version: 12 });
    batch(13, version(titled("d")));
    expect(title()).toBe("b");
    expect(told.at(-1)).toEqual({ type: "subscribe", after_ms: 0 });
    batch(12, version(titled("ignored")));
    expect(title()).toBe("b");
    subscribed(14);
    batch(12, version(titled("c")), version(titled("d")));
    expect(replica.phase.name).toBe("live");
    expect(title()).toBe("d");
  });

  test("that do not fit make the replica ask for the whole board, later each time", () => {
    const wrong = { type: "card.set", card: "nowhere", set: { title: "x" } } as Event;
    for (const after_ms of [0, 500, 1_000]) {
      batch(10, version(wrong));
      expect(told.at(-1)).toEqual({ type: "subscribe", after_ms });
      expect(replica.position).toBe(undefined);
      subscribed(10);
      snapshot(10);
    }
  });

  test("of an unknown kind end it at the second time", () => {
    const unknown = { type: "card.jumped", card: "k1" } as unknown as Event;
    batch(10, version(unknown));
    expect(told.at(-1)?.type).toBe("subscribe");
    subscribed(11);
    snapshot(11);
    batch(11, version(unknown));
    expect(replica.phase.name).toBe("outdated");
  });

  test("change only what listens to them", () => {
    const calls: string[] = [];
    for (const topic of ["cards/k1", "cards/k2", "lane/todo", "lane/doing", "columns/"] as const) {
      replica.shown.listen(topic, () => calls.push(topic));
    }
    const before = replica.shown.board.get("cards", "k2");
    batch(10, version(titled("a")));
    expect(calls).toEqual(["cards/k1"]);
    batch(11, version({ type: "card.set", card: "k1", set: { column: "doing", rank: "V" } }));
    expect(calls.slice(1).sort()).toEqual(["cards/k1", "lane/doing", "lane/todo"]);
    snapshot(20);
    expect(replica.shown.board.get("cards", "k2")).toBe(before);
    expect(calls.filter((topic) => topic === "cards/k2")).toEqual([]);
  });
});

describe("predictions", () => {
  test("go in the turn in which the echo is applied", () => {
    const seen: (string | undefined)[] = [];
    replica.shown.listen("cards/k1", () => seen.push(title()));
    submit(setTitle("mine"));
    batch(10, version(titled("theirs")));
    batch(11, echo(1, titled("mine")));
    expect(seen.slice(0, 2)).toEqual(["mine", "mine"]);
    expect(title()).toBe("mine");
    expect(steps()).toEqual(["live"]);
    batch(12, version(titled("later")));
    expect(title()).toBe("later");
  });

  test("stand on top of what others do meanwhile", () => {
    submit({ type: "card.move", card: "k1", column: "todo", place: { after: "k2" } });
    batch(10, version({ type: "card.put", card: card("k3", "k"), next_number: 4 }));
    expect(replica.shown.cards("todo")).toEqual(["k2", "k1", "k3"]);
  });

  test("of what is rejected are taken back", () => {
    const key = submit(setTitle("mine"));
    const conflict = { field: "title" as const, mine: "mine", theirs: "theirs" };
    perform(
      replica.outcome(
        {
          board: "b",
          seq: 1,
          result: "rejected",
          reason: "conflict",
          hint: "it was changed",
          conflict,
        },
        NOW,
      ),
    );
    expect(title()).toBe("k1");
    const rejection = {
      key,
      cmds: [setTitle("mine")],
      reason: "conflict",
      hint: "it was changed",
      conflict,
    };
    expect(told.at(-2)).toEqual({
      type: "progress",
      key,
      progress: { state: "rejected", rejection },
    });
  });

  test("stay until the version is here, where the outcome comes before it", () => {
    submit(setTitle("mine"));
    perform(replica.outcome({ board: "b", seq: 1, result: "accepted", version: 12 }, NOW));
    perform(replica.durableTo(EPOCH, 12, NOW));
    expect([title(), steps()]).toEqual(["mine", ["live"]]);
    snapshot(12, { ...view, cards: [card("k1", "V", "mine and more")] });
    expect([title(), steps()]).toEqual(["mine and more", ["live", "saved"]]);
  });
});

describe("submits", () => {
  test("are numbered, and saved once their version is on disk", () => {
    submit(setTitle("a"));
    submit(setTitle("b"));
    expect(sent()).toEqual([1, 2]);
    batch(10, echo(1, titled("a")), echo(2, titled("b")));
    perform(replica.durableTo(EPOCH, 11, NOW));
    expect(steps()).toEqual(["live", "live", "saved"]);
    perform(replica.durableTo("another", 12, NOW));
    expect(steps()).toEqual(["live", "live", "saved"]);
    perform(replica.durableTo(EPOCH, 12, NOW));
    expect(replica.waiting()).toEqual([]);
  });

  test("are not sent before they are stored", () => {
    const [, effects] = replica.submit([setTitle("a")], undefined, NOW);
    expect(effects.map((effect) => effect.type)).toEqual(["save"]);
    const [save] = effects;
    if (save?.type !== "save") throw new Error("nothing was stored");
    expect(save.saving).toMatchObject({ board: { next: 2 }, put: [{ key: 1, seq: 1 }] });
    expect(replica.stored(save.saving.put, NOW).map((effect) => effect.type)).toEqual([
      "send",
      "save",
    ]);
  });

  test("wait while the server is busy, and go again from there on", () => {
    for (const name of ["a", "b", "c", "d"]) submit(setTitle(name));
    perform(replica.outcome({ board: "b", seq: 2, result: "busy", retry_ms: 40 }, NOW));
    expect(told.at(-1)).toEqual({ type: "retry", after_ms: 40 });
    perform(replica.outcome({ board: "b", seq: 3, result: "busy", retry_ms: 40 }, NOW));
    submit(setTitle("e"));
    expect(sent()).toEqual([1, 2, 3, 4]);
    perform(replica.retry(NOW));
    expect(sent()).toEqual([1, 2, 3, 4, 2, 3, 4, 5]);
  });

  test("are at most 32 without an answer, and 64 that are not on disk", () => {
    for (let at = 0; at < 100; at++) submit(setTitle(`${at}`));
    expect(sent()).toHaveLength(32);
    const echoes = Array.from({ length: 32 }, (_, at) => echo(at + 1, titled(`${at}`)));
    batch(10, ...echoes);
    expect(sent()).toHaveLength(64);
    for (let seq = 33; seq <= 64; seq++) {
      perform(replica.outcome({ board: "b", seq, result: "accepted", version: seq + 10 }, NOW));
    }
    expect(sent()).toHaveLength(64);
    perform(replica.durableTo(EPOCH, 42, NOW));
    expect(sent()).toHaveLength(96);
  });

  test("are saved by what a new subscription says is on disk", () => {
    submit(setTitle("a"));
    batch(10, echo(1, titled("a")));
    expect(steps()).toEqual(["live"]);
    replica.disconnected();
    subscribed(11, { last: 1, durable: 11 });
    expect(steps()).toEqual(["live", "saved"]);
    expect(replica.waiting()).toEqual([]);
  });

  test("go again after a crash of the server that took them back", () => {
    submit(setTitle("a"));
    submit(setTitle("b"));
    batch(10, echo(1, titled("a")), echo(2, titled("b")));
    replica.disconnected();
    replica.position = undefined;
    subscribed(11, { last: 1, epoch: "later" });
    snapshot(11, { ...view, cards: [card("k1", "V", "a")] }, "later");
    expect(sent()).toEqual([1, 2, 2]);
    expect(title()).toBe("b");
    expect(steps()).toEqual(["live", "live", "saved"]);
    batch(11, echo(2, titled("b")));
    perform(replica.durableTo("later", 12, NOW));
    expect(steps()).toEqual(["live", "live", "saved", "live", "saved"]);
  });

  test("that the server has forgotten are held, and done only if the person says so", () => {
    submit(setTitle("a"));
    batch(10, echo(1, titled("a")));
    perform(replica.durableTo(EPOCH, 11, NOW));
    const key = submit(setTitle("b"));
    replica.disconnected();
    subscribed(11, { last: 0 });
    expect(sent()).toEqual([1, 2]);
    expect(title()).toBe("a");
    expect(told.filter((effect) => effect.type === "held")).toMatchObject([{ submits: [{ key }] }]);
    perform(replica.release(key, NOW));
    expect(sent()).toEqual([1, 2, 3]);
    expect(title()).toBe("b");
  });

  test("of 90 days ago are held", () => {
    submit(setTitle("a"));
    replica.disconnected();
    const later = NOW + 91 * 24 * 3_600_000;
    const message = { board: "b", role: "admin", epoch: EPOCH, version: 10, durable: 10 } as const;
    const effects = replica.subscribed({ ...message, last_seq: 0, mode: "events" }, later);
    expect(effects.map((effect) => effect.type)).toEqual(["held", "save"]);
    expect(replica.waiting()).toMatchObject([{ held: true }]);
  });

  test("never take a number that the server has answered, even if the store has lost it", () => {
    const fresh = new Replica("b", { client: "mine", user: "ann" });
    replica = fresh;
    submit(setTitle("a"));
    subscribed(10, { last: 7 });
    snapshot(10);
    expect(sent()).toEqual([8]);
  });

  test("have a bound", () => {
    replica.disconnected();
    for (let at = 0; at < 1_000; at++) replica.submit([setTitle(`${at}`)], undefined, NOW);
    expect(() => replica.submit([setTitle("one more")], undefined, NOW)).toThrow("1000 changes");
  });
});
