import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  Client,
  type ClientOptions,
  type LiveBoard,
  MemoryStore,
  newId,
  type Store,
} from "../src/index.js";
import { Door, TestServer } from "./server.js";

let server: TestServer;
const clients: Client[] = [];
const doors: Door[] = [];

beforeAll(async () => {
  server = await TestServer.start("--drain-ms", "500", "--return-window-ms", "500");
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const door of doors.splice(0)) await door.stop();
});

async function open(user: string, options: Partial<ClientOptions> = {}): Promise<Client> {
  const token = server.token(user);
  const client = await Client.open({
    url: server.url,
    token,
    WebSocket,
    account: user,
    ...options,
  });
  clients.push(client);
  return client;
}

async function doorway(): Promise<Door> {
  const door = await Door.open(() => server.port);
  doors.push(door);
  return door;
}

/** Ends when the condition holds after a change that the board tells. */
function until(board: LiveBoard, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      for (const stop of stops) stop();
      resolve();
    };
    const topics = ["cards/", "columns/", "head/", "details/", "members/"] as const;
    const stops = topics.map((topic) => board.listen(topic, look));
    stops.push(board.listenStatus(look), board.listenPeople(look));
    look();
  });
}

/** A board with a column, opened by two clients of two people. */
async function shared(options: Partial<ClientOptions> = {}) {
  const ann = await open("ann");
  const id = await ann.createBoard("Release");
  const hers = ann.board(id);
  await hers.ready();
  await hers
    .submit([
      { type: "column.create", column: "todo", title: "To do" },
      { type: "column.create", column: "done", title: "Done" },
      { type: "member.add", user: "bob", role: "editor" },
    ])
    .saved();
  const bob = await open("bob", options);
  const his = bob.board(id);
  await his.ready();
  return { ann, bob, hers, his, id };
}

test("a change is seen at once by its author, then by everybody, then it is on disk", async () => {
  const { hers, his } = await shared();
  const sent = hers.submit({ type: "card.create", card: "k1", column: "todo", title: "One" });
  expect(sent.progress.state).toBe("sending");
  expect(hers.get("cards", "k1")).toMatchObject({ title: "One", number: 0 });
  expect(hers.cards("todo")).toEqual(["k1"]);
  await sent.live();
  expect(hers.get("cards", "k1")).toMatchObject({ title: "One", number: 1 });
  await until(his, () => his.get("cards", "k1") !== undefined);
  await sent.saved();
  expect(sent.progress).toEqual({ state: "saved", changed: true });
  expect(hers.status).toMatchObject({ phase: "live", role: "admin", unsaved: 0 });
  expect(await his.hash()).toBe(await hers.hash());
});

test("what is rejected is taken back, and says why", async () => {
  const { hers, his } = await shared();
  await hers.submit({ type: "member.add", user: "bob", role: "viewer" }).live();
  await until(his, () => his.status.role === "viewer");
  const sent = his.submit({ type: "card.create", card: "k1", column: "todo", title: "One" });
  expect(his.cards("todo")).toEqual(["k1"]);
  await expect(sent.saved()).rejects.toThrow();
  expect(his.cards("todo")).toEqual([]);
  expect(his.status.rejections).toMatchObject([{ reason: "forbidden" }]);
  his.dismiss(his.status.rejections[0] as never);
  expect(his.status.rejections).toEqual([]);
});

test("when two change the same field, both values are told, and mine goes on top if I want", async () => {
  const { hers, his } = await shared();
  await hers.submit({ type: "card.create", card: "k1", column: "todo", title: "One" }).live();
  await until(his, () => his.get("cards", "k1") !== undefined);
  const seen = { title: his.get("cards", "k1")?.revs?.title ?? 0 };
  await hers.submit({ type: "card.set", card: "k1", set: { title: "Hers" } }).live();
  const sent = his.submit({ type: "card.set", card: "k1", set: { title: "His" } }, seen);
  await expect(sent.saved()).rejects.toThrow("title");
  const [rejection] = his.status.rejections;
  expect(rejection?.conflict).toEqual({ field: "title", mine: "His", theirs: "Hers" });
  expect(his.get("cards", "k1")?.title).toBe("Hers");
  await his.takeMine(rejection as never)?.saved();
  expect(his.get("cards", "k1")?.title).toBe("His");
  expect(his.status.rejections).toEqual([]);
});

test("work without a connection is kept, shown, and arrives once", async () => {
  const door = await doorway();
  const { hers, his } = await shared({ url: door.url });
  door.close();
  await until(his, () => his.status.phase === "away");
  const sent = ["a", "b", "c"].map((card) =>
    his.submit({ type: "card.create", card, column: "todo", title: card }),
  );
  expect(his.cards("todo")).toEqual(["a", "b", "c"]);
  expect(his.status.unsaved).toBe(3);
  door.reopen();
  await Promise.all(sent.map((one) => one.saved()));
  await until(hers, () => hers.cards("todo").length === 3);
  expect(hers.cards("todo")).toEqual(["a", "b", "c"]);
  expect(hers.version).toBe(4);
  expect(await his.hash()).toBe(await hers.hash());
});

test("work that a page left unsaved is sent by the next one", async () => {
  const door = await doorway();
  const store = new MemoryStore();
  const { bob, hers, his, id } = await shared({ url: door.url, store });
  door.close();
  await until(his, () => his.status.phase === "away");
  his.submit({ type: "card.create", card: "a", column: "todo", title: "a" });
  await new Promise((resolve) => setTimeout(resolve));
  bob.close();
  const next = await open("bob", { store });
  expect(next.id).toBe(bob.id);
  expect(next.board(id).status.unsaved).toBe(1);
  await until(hers, () => hers.get("cards", "a") !== undefined);
  expect(hers.version).toBe(2);
});

test("work of several pages that are gone is sent by one", async () => {
  const door = await doorway();
  const store = new MemoryStore();
  const { hers, id } = await shared({ url: door.url, store });
  const others = await Promise.all([1, 2].map(() => open("bob", { url: door.url, store })));
  const boards = others.map((client) => client.board(id));
  await Promise.all(boards.map((board) => board.ready()));
  door.close();
  for (const [at, board] of boards.entries()) {
    await until(board, () => board.status.phase === "away");
    board.submit({ type: "card.create", card: `k${at}`, column: "todo", title: "One" });
    const refused = { type: "card.set", card: "nowhere", set: { title: "Two" } } as const;
    board.submit(refused);
  }
  await new Promise((resolve) => setTimeout(resolve));
  for (const client of clients.splice(1)) client.close();
  const next = await open("bob", { store });
  const board = next.board(id);
  await until(hers, () => hers.cards("todo").length === 2);
  await until(board, () => board.status.rejections.length === 2);
  expect(board.status.rejections.map((one) => one.reason)).toEqual(["not_found", "not_found"]);
  expect(await store.orphan("bob")).toBe(undefined);
});

test("work of a page that is gone, on a board that is not one's own any more, is told", async () => {
  const door = await doorway();
  const store = new MemoryStore();
  const { bob, hers, his, id } = await shared({ url: door.url, store });
  const other = await open("bob", { url: door.url, store });
  const boards = [his, other.board(id)];
  await Promise.all(boards.map((board) => board.ready()));
  door.close();
  for (const [at, board] of boards.entries()) {
    await until(board, () => board.status.phase === "away");
    board.submit({ type: "card.create", card: `k${at}`, column: "todo", title: "One" });
  }
  await new Promise((resolve) => setTimeout(resolve));
  await hers.submit({ type: "member.remove", user: "bob" }).live();
  bob.close();
  other.close();
  const next = await open("bob", { store });
  const board = next.board(id);
  await until(board, () => board.status.phase === "gone" && board.status.held.length === 1);
  expect(board.status.unsaved).toBe(1);
});

test("the server is killed and restarted under an open board", async () => {
  const { hers, his } = await shared();
  // The delay before the next attempt is random and grows; here it is at most 50 ms.
  for (const client of clients) {
    client.listen(() => {
      if (client.state.name === "waiting") setTimeout(() => client.reconnect(), 50);
    });
  }
  for (let round = 0; round < 3; round++) {
    const sent = Array.from({ length: 20 }, (_, at) =>
      (at % 2 ? hers : his).submit({
        type: "card.create",
        card: newId(),
        column: "todo",
        title: `${round}.${at}`,
      }),
    );
    await sent[5]?.live();
    await server.killAndRestart();
    await Promise.all(sent.map((one) => one.saved()));
  }
  expect(hers.cards("todo")).toHaveLength(60);
  await until(his, () => his.cards("todo").length === 60);
  expect(await his.hash()).toBe(await hers.hash());
});

test("an orderly stop tells when to come back, and the board goes on without a snapshot", async () => {
  const { ann, hers } = await shared();
  await server.stopAndRestart();
  await hers.ready();
  expect(ann.state.name).toBe("live");
  await hers.submit({ type: "board.set", title: "After" }).saved();
  expect(hers.head?.title).toBe("After");
});

test("an opened card shows its description and comments, and keeps them up to date", async () => {
  const { hers, his } = await shared();
  const set = { description: "In *Markdown*." };
  await hers.submit({ type: "card.create", card: "k1", column: "todo", title: "One", set }).live();
  await until(his, () => his.get("cards", "k1") !== undefined);
  expect(his.get("details", "k1")).toBe(undefined);
  const [close, closeOther] = [his.open("k1"), his.open("k1")];
  closeOther();
  closeOther();
  await until(his, () => his.get("details", "k1")?.description === "In *Markdown*.");
  hers.submit({ type: "comment.create", card: "k1", comment: "c1", text: "Good." });
  await until(his, () => his.get("details", "k1")?.comments?.length === 1);
  const sent = his.submit({ type: "comment.create", card: "k1", comment: "c2", text: "Yes." });
  expect(his.get("details", "k1")?.comments).toMatchObject([{ id: "c1" }, { text: "Yes." }]);
  await sent.saved();
  expect(his.get("cards", "k1")?.detail).toMatchObject({ comments: 2, described: true });
  close();
  expect(his.get("details", "k1")).toBe(undefined);
});

test("who is on the board and what they do is told", async () => {
  const { hers, his } = await shared();
  his.tellPresence({ doing: "dragging", card: "k1" });
  const bob = () => hers.people.people?.find((person) => person.user === "bob");
  await until(hers, () => bob()?.at?.doing === "dragging");
  expect(hers.people.count).toBe(2);
  his.tellPresence(null);
  await until(hers, () => bob()?.at === undefined);
});

test("boards are listed, and what has happened is told", async () => {
  const { ann, hers, id } = await shared();
  const listed = await ann.boards();
  expect(listed.boards?.map((board) => board.board)).toContain(id);
  await hers.submit({ type: "board.set", title: "Second" }).saved();
  const page = await hers.activity({ limit: 1 });
  expect(page.entries?.[0]).toMatchObject({ n: 2, by: "ann" });
  expect(page.more).toBe(true);
});

test("a board that is not one's own is gone, and so is one that is lost", async () => {
  const { hers, his } = await shared();
  const eve = await open("eve");
  const board = eve.board(hers.id);
  await expect(board.ready()).rejects.toThrow(hers.id);
  hers.submit({ type: "member.remove", user: "bob" });
  await until(his, () => his.status.phase === "gone");
  expect(his.status.role).toBe(undefined);
});

test("a token that is not valid ends the connection for good", async () => {
  const client = await open("ann", { token: "nonsense" });
  await new Promise<void>((resolve) => {
    client.listen(() => client.state.name === "closed" && resolve());
  });
  expect(client.state).toMatchObject({ name: "closed", code: 4502 });
});

test("large messages come deflated and in order", async () => {
  let binary = 0;
  class Counting extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }) => {
        binary += Number(typeof data !== "string");
      });
    }
  }
  const { hers, his } = await shared({ WebSocket: Counting });
  const cards = Array.from({ length: 100 }, (_, at) => ({
    type: "card.create" as const,
    card: `k${at}`,
    column: "todo",
    title: `A card with a long title, the number ${at}`,
  }));
  const sent = [hers.submit(cards)];
  for (let at = 0; at < 50; at++) {
    sent.push(hers.submit({ type: "card.set", card: "k1", set: { title: `${at}` } }));
    sent.push(hers.submit({ type: "card.set", card: "k2", set: { title: `${at}`.repeat(600) } }));
  }
  await Promise.all(sent.map((one) => one.saved()));
  await until(his, () => his.version === hers.version);
  expect(await his.hash()).toBe(await hers.hash());
  expect(his.version).toBe(102);
  expect(binary).toBeGreaterThan(0);
});

test("a store that fails is told, and the work goes on", async () => {
  const broken = { claim: () => Promise.reject(new Error("no space")) } as unknown as Store;
  const client = await open("ann", { store: broken });
  expect(client.keeps).toBe(false);
  const board = client.board(await client.createBoard("Kept nowhere"));
  await board.submit({ type: "board.set", title: "Saved" }).saved();

  const store = new MemoryStore();
  const claim = await store.claim("bob");
  const failing: Store = {
    claim: async () => ({ ...claim, save: () => Promise.reject(new Error("no space")) }),
    orphan: async () => undefined,
  };
  const other = await open("bob", { store: failing });
  expect(other.keeps).toBe(true);
  const his = other.board(await other.createBoard("Kept nowhere"));
  await his.submit({ type: "board.set", title: "Saved" }).saved();
  expect(other.keeps).toBe(false);
});

test("a board that was closed and is opened again goes on with the next number", async () => {
  const store = new MemoryStore();
  const first = await open("ann", { store });
  const id = await first.createBoard("Again");
  const board = first.board(id);
  for (const title of ["a", "b"]) await board.submit({ type: "board.set", title }).saved();
  board.close();
  const again = first.board(id);
  await again.submit({ type: "board.set", title: "c" }).saved();
  expect(again.head?.title).toBe("c");
  expect([again.version, again.status.held, again.status.rejections]).toEqual([3, [], []]);
});

test("what the server would not take is refused before it is queued", async () => {
  const { hers } = await shared();
  const long = { type: "board.set" as const, background: "x".repeat(300_000) };
  expect(() => hers.submit([long, long])).toThrow(/600\d\d\d bytes, and the server takes 524288/);
  expect(hers.status.unsaved).toBe(0);
  await hers.submit({ type: "board.set", title: "Goes on" }).saved();
});
