import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Client, type LiveBoard, Rejected } from "../src/index.js";
import { TestServer } from "./server.js";

let server: TestServer;
const clients: Client[] = [];

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function opened(user: string, id?: string): Promise<LiveBoard> {
  const { url } = server;
  const client = await Client.open({ url, token: server.token(user), WebSocket, account: user });
  clients.push(client);
  const board = client.board(id ?? (await client.createBoard("Release")));
  await board.ready();
  return board;
}

const lane = (board: LiveBoard) => board.cards("todo").map((id) => board.get("cards", id)?.title);
const create = (card: string, title: string) =>
  ({ type: "card.create", card, column: "todo", title }) as const;

async function shared(): Promise<[ann: LiveBoard, bob: LiveBoard]> {
  const ann = await opened("ann");
  await ann
    .submit([
      { type: "column.create", column: "todo", title: "To do" },
      { type: "member.add", user: "bob", role: "editor" },
    ])
    .saved();
  return [ann, await opened("bob", ann.id)];
}

test("what one has done is undone step by step, and done again", async () => {
  const [ann, bob] = await shared();
  await bob.submit(create("k1", "One")).live();
  // On disk, and on its way there.
  await bob.submit({ type: "card.set", card: "k1", set: { title: "Two" } }).saved();
  bob.submit({ type: "card.archive", card: "k1", archived: true });
  expect((await bob.undo())?.cmds[0]?.type).toBe("card.archive");
  expect(lane(bob)).toEqual(["Two"]);
  expect((await bob.undo())?.cmds[0]?.type).toBe("card.set");
  expect(lane(bob)).toEqual(["One"]);
  await bob.undo();
  expect(lane(bob)).toEqual([]);
  expect(bob.status).toMatchObject({ undo: false, redo: true });
  // The deed of another is not one's own.
  expect(await bob.undo()).toBeUndefined();
  for (const titles of [["One"], ["Two"], []]) {
    await bob.redo();
    expect(lane(bob)).toEqual(titles);
  }
  expect(bob.status).toMatchObject({ undo: true, redo: false });
  await expect.poll(() => ann.version).toBe(bob.version);
  expect(await ann.hash()).toBe(await bob.hash());
});

test("what somebody has changed since stays, and is told with both values", async () => {
  const [ann, bob] = await shared();
  await bob.submit([create("k1", "One"), create("k2", "Two")]).live();
  await bob.submit({ type: "card.set", card: "k1", set: { title: "Mine" } }).live();
  await ann.submit({ type: "card.set", card: "k1", set: { title: "Theirs" } }).live();
  const error = await bob.undo().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(Rejected);
  const { rejection } = error as Rejected;
  expect(rejection).toMatchObject({
    reason: "conflict",
    conflict: { field: "title", mine: "One", theirs: "Theirs" },
  });
  expect(bob.status.rejections).toEqual([rejection]);
  // All or nothing: one of the two cards is another by now.
  await bob.undo().catch(() => {});
  expect(lane(bob)).toEqual(["Theirs", "Two"]);
  expect(bob.status).toMatchObject({ undo: false, redo: false });
});

test("something new ends what could be done again", async () => {
  const [, bob] = await shared();
  await bob.submit(create("k1", "One")).live();
  await bob.undo();
  expect(bob.status.redo).toBe(true);
  await bob.submit(create("k2", "Two")).live();
  expect(bob.status.redo).toBe(false);
  expect(await bob.redo()).toBeUndefined();
  expect(lane(bob)).toEqual(["Two"]);
});
