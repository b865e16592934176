// What a person does to many cards at once: one list of commands, done as a whole or not at all.
import { byRank, type Card, type Command, type LiveBoard } from "@boardcast/client";
import { announce } from "../announce.js";
import { t } from "../text/index.js";
import { COMMANDS_MAX } from "./actions.js";

/** The cards that are there, in the order of the board. */
export function cardsOf(board: LiveBoard, ids: ReadonlySet<string>): Card[] {
  const columns = [...board.all("columns").values()].sort(byRank);
  const order = columns.flatMap((column) => board.cardsWithArchived(column.id));
  return order.filter((id) => ids.has(id)).flatMap((id) => board.get("cards", id) ?? []);
}

/** One submit for each hundred commands, which is what one takes. */
function submit(board: LiveBoard, commands: Command[]): void {
  for (let at = 0; at < commands.length; at += COMMANDS_MAX) {
    board.submit(commands.slice(at, at + COMMANDS_MAX));
  }
}

/** Puts cards at the end of a column, in their order. */
export function moveAll(board: LiveBoard, ids: ReadonlySet<string>, column: string): void {
  const cards = cardsOf(board, ids);
  submit(
    board,
    cards.map(({ id }) => ({ type: "card.move", card: id, column, place: {} })),
  );
  announce(t.select.moved(cards.length, board.get("columns", column)?.title ?? ""));
}

/** Puts a label on cards; takes it off where all of them have it. */
export function labelAll(board: LiveBoard, ids: ReadonlySet<string>, label: string): void {
  const cards = cardsOf(board, ids);
  const on = !cards.every((card) => card.labels?.includes(label));
  const without = cards.filter((card) => (card.labels?.includes(label) ?? false) !== on);
  submit(
    board,
    without.map(({ id }) => ({ type: "card.label", card: id, label, on })),
  );
  announce(t.select.changed(without.length));
}

/** Assigns a member to cards; takes the member off where all of them have it. */
export function assignAll(board: LiveBoard, ids: ReadonlySet<string>, user: string): void {
  const cards = cardsOf(board, ids);
  const on = !cards.every((card) => card.assignees?.includes(user));
  const without = cards.filter((card) => (card.assignees?.includes(user) ?? false) !== on);
  submit(
    board,
    without.map(({ id }) => ({ type: "card.assign", card: id, user, on })),
  );
  announce(t.select.changed(without.length));
}

/** Archives cards. */
export function archiveAll(board: LiveBoard, ids: ReadonlySet<string>): void {
  const cards = cardsOf(board, ids);
  submit(
    board,
    cards.map(({ id }) => ({ type: "card.archive", card: id, archived: true })),
  );
  announce(t.select.archived(cards.length));
}
