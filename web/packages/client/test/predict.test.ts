// What is shown before the answer is what the answer then says.
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { byRank, Client, type Command, newId, type View } from "../src/index.js";
import type { LiveBoard } from "../src/live-board.js";
import { anyCommand, randomFrom } from "./plan.js";
import { TestServer } from "./server.js";

const COMMANDS = 400;
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

type Thing = { id: string; rank: string };
/** Things without their ranks, in the order of those. */
const inOrder = <T extends Thing>(things: readonly T[] | null | undefined) =>
  [...(things ?? [])].sort(byRank).map(({ rank: _, ...thing }) => thing);

/** What a person sees of a board: not what only the server knows, such as ranks, numbers and times. */
function seen(board: LiveBoard) {
  const { cards, columns, next_number: _, ...rest } = board.view() as View;
  const lanes = [...board.all("columns").keys()].sort().flatMap((column) => {
    return inOrder(cards?.filter((card) => card.column === column));
  });
  return {
    ...rest,
    columns: inOrder(columns),
    cards: lanes.map(({ number, revs, created, changed, detail, checklists, ...card }) => ({
      ...card,
      by: [created.by, changed.by],
      detail: { described: detail?.described ?? false, comments: detail?.comments ?? 0 },
      checklists: inOrder(checklists).map(({ items, ...list }) => ({
        ...list,
        items: inOrder(items),
      })),
      attachments: card.attachments?.map(({ added, ...file }) => ({ ...file, by: added.by })),
    })),
    details: [...board.all("details")].map(([card, detail]) => ({
      card,
      description: detail.description,
      comments: detail.comments?.map(({ written, edited, ...comment }) => {
        return { ...comment, by: written.by, edited: edited !== undefined };
      }),
    })),
  };
}

/** Further commands than those of the plans. */
function further(board: LiveBoard, random: () => number): Command {
  const pick = <T>(things: Iterable<T>): T | undefined => {
    const all = [...things];
    return all[Math.floor(random() * all.length)];
  };
  const card = pick(board.all("cards").values());
  const about = { card: card?.id ?? "nowhere" };
  const comment = pick(board.get("details", about.card)?.comments ?? [])?.id ?? "nowhere";
  const file = pick(card?.attachments ?? [])?.id ?? "nowhere";
  const list = pick(card?.checklists ?? []);
  const checklist = list?.id ?? "nowhere";
  const item = pick(list?.items ?? [])?.id ?? "nowhere";
  const on = random() < 0.5;
  const title = `title ${Math.floor(random() * 1_000)}`;
  const sprint = pick(board.all("sprints").keys()) ?? "nowhere";
  const field = pick(board.all("fields").keys()) ?? "nowhere";
  const commands: Command[] = [
    { type: "board.set", title, background: on ? "ocean" : null },
    { type: "comment.set", ...about, comment, text: title },
    { type: "comment.remove", ...about, comment },
    {
      type: "attachment.add",
      ...about,
      attachment: newId(),
      name: title,
      url: "https://example.org",
    },
    { type: "attachment.set", ...about, attachment: file, name: title },
    { type: "attachment.remove", ...about, attachment: file },
    { type: "checklist.set", ...about, checklist, title },
    {
      type: "checklist.move",
      ...about,
      checklist,
      place: { before: pick(card?.checklists ?? [])?.id ?? null },
    },
    {
      type: "item.move",
      ...about,
      checklist,
      item,
      place: { before: pick(list?.items ?? [])?.id ?? null },
    },
    {
      type: "item.set",
      ...about,
      checklist,
      item,
      due: on ? 5 : null,
      assignee: on ? "ann" : null,
    },
    { type: "sprint.create", sprint: newId(), title, start: 1 },
    { type: "sprint.set", sprint, title, end: on ? 9 : null },
    { type: "sprint.remove", sprint },
    {
      type: "card.set",
      ...about,
      set: { sprint, estimate: on ? 0 : null, cover: on ? "blue" : null },
    },
    { type: "field.create", field: newId(), name: title, kind: "text" },
    { type: "field.set", field, name: title },
    { type: "field.remove", field },
    { type: "card.field", ...about, field, ...(on && { value: { text: title } }) },
    { type: "member.add", user: "bob", role: on ? "viewer" : "editor", name: title },
    { type: "card.assign", ...about, user: "bob", on },
    { type: "member.remove", user: "bob" },
    { type: "card.remove", ...about },
  ];
  return pick(commands) as Command;
}

test.each([1, 2, 3])("seed %i: a prediction is what comes, or is taken back", async (seed) => {
  const random = randomFrom(seed);
  const client = await Client.open({ url: server.url, token: server.token("ann"), WebSocket });
  const board = client.board(await client.createBoard("Predicted"));
  await board.ready();
  board.submit(["a", "b"].map((column) => ({ type: "column.create", column, title: column })));
  await board.submit({ type: "card.create", card: "log", column: "a", title: "Log" }).live();
  const opened = new Set<string>();
  const kinds = new Set<string>();
  let rejected = 0;
  for (let at = 0; at < COMMANDS; at++) {
    for (const card of board.all("cards").keys()) {
      if (opened.size < 20 && !opened.has(card)) board.open(card);
      if (opened.size < 20) opened.add(card);
    }
    const command = random() < 0.6 ? anyCommand(board, random) : further(board, random);
    const before = seen(board);
    const sent = board.submit(command);
    const predicted = seen(board);
    const outcome = await sent.live().then(
      () => "live",
      () => "rejected",
    );
    if (outcome === "live") kinds.add(command.type);
    else rejected += 1;
    // Details that have just been fetched are no part of what the command does.
    const now = seen(board);
    const known = new Set(predicted.details.map(({ card }) => card));
    now.details = now.details.filter(({ card }) => known.has(card));
    expect([command, now]).toEqual([command, outcome === "live" ? predicted : before]);
  }
  expect(kinds.size).toBeGreaterThan(24);
  expect(rejected).toBeGreaterThan(5);
  client.close();
});
