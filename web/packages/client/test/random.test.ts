// Random work of several people while connections are cut, pages reload and the server dies.
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  byRank,
  Client,
  type Command,
  type Event,
  hashOf,
  MemoryStore,
  type World,
} from "../src/index.js";
import type { LiveBoard } from "../src/live-board.js";
import type { Rejection } from "../src/replica.js";
import { anyCommand, randomFrom } from "./plan.js";
import { Door, TestServer } from "./server.js";

const SEEDS = Number(process.env.SEEDS ?? 12);
const STEPS = 120;
const PEOPLE = ["ann", "bob", "cat"];
/** Delays are shortened by this: the plan is about their order, not their length. */
const FASTER = 20;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

/** One person with a browser that may reload, behind a door that may shut. */
class Someone {
  private readonly store = new MemoryStore();
  private client: Client | undefined;
  private door: Door | undefined;
  board: LiveBoard | undefined;
  /** The markers of what was submitted, and of what was rejected. */
  readonly submitted: string[] = [];
  readonly rejected = new Set<string>();
  readonly saved = new Set<string>();

  constructor(
    private readonly user: string,
    private readonly id: string,
    private readonly random: () => number,
    private readonly world: World,
  ) {}

  async start(): Promise<void> {
    this.door ??= await Door.open(() => server.port);
    const { url } = this.door;
    const { store, user, world } = this;
    const token = server.token(user);
    this.client = await Client.open({ url, token, WebSocket, account: user, store, world });
    const board = this.client.board(this.id);
    board.listenStatus(() => this.hear(board.status.rejections));
    this.hear(board.status.rejections);
    this.board = board;
  }

  async step(): Promise<void> {
    const { board, door } = this;
    if (!board || !door) return;
    const chance = this.random();
    if (chance < 0.05) door.cut();
    else if (chance < 0.08) door.close();
    else if (chance < 0.16) door.reopen();
    else if (chance < 0.19) await this.reload();
    else if (board.head) this.submit(board);
  }

  end(): void {
    this.door?.reopen();
    this.client?.reconnect();
  }

  async stop(): Promise<void> {
    this.client?.close();
    await this.door?.stop();
  }

  slow(delay: () => number): void {
    if (this.door) this.door.delay = delay;
  }

  private async reload(): Promise<void> {
    // What was submitted in this very turn may not yet be kept.
    await new Promise((resolve) => setImmediate(resolve));
    this.client?.close();
    await this.start();
  }

  /** A submit that bears a mark of its own, which is applied as often as the submit is. */
  private submit(board: LiveBoard): void {
    const mark = `${this.user} ${this.submitted.length}`;
    const marked = { type: "card.set" as const, card: "log", set: { title: mark } };
    const sent = board.submit([anyCommand(board, this.random), marked]);
    this.submitted.push(mark);
    sent.saved().then(
      () => this.saved.add(mark),
      () => {},
    );
  }

  private hear(rejections: readonly Rejection[]): void {
    for (const { cmds } of rejections) for (const mark of marksOf(cmds)) this.rejected.add(mark);
  }
}

/** The marks that commands or events bear. */
function marksOf(changes: readonly (Command | Event)[]): string[] {
  return changes.flatMap((change) =>
    change.type === "card.set" && change.card === "log" ? [`${change.set.title}`] : [],
  );
}

/** How often each mark was set, by the server's own account of what has happened. */
async function history(board: LiveBoard): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let before: number | undefined; ; ) {
    const page = await board.activity({ limit: 200, ...(before && { before }) });
    for (const { n, ev } of page.entries ?? []) {
      before = n;
      for (const mark of marksOf(ev as Event[])) counts.set(mark, (counts.get(mark) ?? 0) + 1);
    }
    if (!page.more) return counts;
  }
}

/** Ends when everybody has everything. */
function settled(boards: LiveBoard[]): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      const version = Math.max(...boards.map((board) => board.version));
      const done = boards.every(({ status, version: here }) => {
        return status.phase === "live" && status.unsaved === 0 && here === version;
      });
      if (!done) return;
      for (const stop of stops) stop();
      resolve();
    };
    const stops = boards.flatMap((board) => [
      board.listenStatus(look),
      board.listen("cards/", look),
      board.listen("columns/", look),
      board.listen("labels/", look),
    ]);
    look();
  });
}

async function round(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const began = Date.now();
  const world: World = {
    now: () => began + (Date.now() - began) * FASTER,
    random,
    after(ms, call) {
      const timer = setTimeout(call, ms / FASTER);
      return () => clearTimeout(timer);
    },
  };
  const owner = await Client.open({ url: server.url, token: server.token("owner"), WebSocket });
  const id = await owner.createBoard(`seed ${seed}`);
  const witness = owner.board(id);
  await witness.ready();
  await witness
    .submit([
      { type: "column.create", column: "todo", title: "To do" },
      { type: "column.create", column: "done", title: "Done" },
      { type: "card.create", card: "log", column: "todo", title: "Log" },
      ...PEOPLE.map((user) => ({ type: "member.add" as const, user, role: "editor" as const })),
    ])
    .saved();

  const people = PEOPLE.map((user) => new Someone(user, id, random, world));
  for (const someone of people) await someone.start();
  for (const someone of people) someone.slow(() => (random() < 0.3 ? Math.floor(random() * 8) : 0));
  const kills = seed % 3 === 0 ? new Set([40, 80]) : new Set<number>();
  for (let at = 0; at < STEPS; at++) {
    const someone = people[Math.floor(random() * people.length)];
    await someone?.step();
    if (kills.has(at)) await server.killAndRestart();
    if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 10));
  }

  for (const someone of people) someone.end();
  owner.reconnect();
  const boards = [witness, ...people.flatMap(({ board }) => board ?? [])];
  await settled(boards);
  const hashes = await Promise.all(boards.map((board) => board.hash()));
  expect(new Set(hashes).size).toBe(1);
  for (const board of boards) {
    const view = board.view();
    expect(view && (await hashOf(view))).toBe(hashes[0]);
    for (const column of board.all("columns").keys()) {
      const cards = [...board.all("cards").values()];
      const open = cards.filter((card) => card.column === column && !card.archived).sort(byRank);
      expect(board.cards(column)).toEqual(open.map((card) => card.id));
    }
  }
  const counts = await history(witness);
  let applied = 0;
  for (const { submitted, rejected, saved, board } of people) {
    const held = new Set(board?.status.held.flatMap(({ cmds }) => marksOf(cmds)));
    // A crash takes the answers with it to what was rejected in the second before: the person is asked.
    if (kills.size === 0) expect(held.size).toBe(0);
    for (const mark of submitted) {
      const times = counts.get(mark) ?? 0;
      const done = rejected.has(mark) || held.has(mark) ? 0 : 1;
      expect([mark, times]).toEqual([mark, done]);
      applied += times;
    }
    for (const mark of saved) expect(counts.get(mark)).toBe(1);
  }
  expect(applied).toBeGreaterThan(10);
  for (const someone of people) await someone.stop();
  owner.close();
}

test.each(Array.from({ length: SEEDS }, (_, at) => at + 1))(
  "seed %i: all boards end equal, and each submit is done once or told to be rejected",
  round,
  60_000,
);
