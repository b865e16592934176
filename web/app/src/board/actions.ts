// What a person does to cards, in commands.
import { type Column, type Command, type LiveBoard, newId } from "@boardcast/client";
import { announce } from "../announce.js";
import { t } from "../text/index.js";

/** Commands that go in one submit. */
export const COMMANDS_MAX = 100;

/** Adds a card for each line to the end of a column. */
export function addCards(board: LiveBoard, column: string, text: string): void {
  const titles = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  for (let at = 0; at < titles.length; at += COMMANDS_MAX) {
    const some = titles.slice(at, at + COMMANDS_MAX);
    board.submit(
      some.map((title) => ({ type: "card.create", card: newId(), column, title, place: {} })),
    );
  }
  if (titles.length > 0) announce(t.created(titles.length));
}

/** Puts a card next to another one, or at the end of a column, and does what goes with the move. */
export function moveCard(
  board: LiveBoard,
  id: string,
  column: string,
  place: { after?: string; before?: string } = {},
  besides: readonly Command[] = [],
): void {
  const card = board.get("cards", id);
  if (!card) return;
  const lane = board.cards(column);
  const at = lane.indexOf(id);
  const stays =
    card.column === column &&
    ((place.before !== undefined && lane[at + 1] === place.before) ||
      (place.after !== undefined && lane[at - 1] === place.after) ||
      (!place.before && !place.after && at === lane.length - 1));
  const moves = place.before !== id && place.after !== id && !stays;
  if (!moves && besides.length === 0) return;
  const move: Command = { type: "card.move", card: id, column, place };
  board.submit(moves ? [move, ...besides] : besides);
  const now = board.cards(column);
  const title = board.get("columns", column)?.title ?? "";
  announce(t.moved(card.title, title, now.indexOf(id) + 1, now.length));
}

/** The cards of a column that the person sees. */
export type Lane = (column: string) => readonly string[];

export type Direction = "up" | "down" | "left" | "right";

/** Moves a card one place up or down, or into the column beside it. */
export function moveBy(board: LiveBoard, seen: Lane, id: string, direction: Direction): void {
  const card = board.get("cards", id);
  if (!card) return;
  const lane = seen(card.column);
  const at = lane.indexOf(id);
  if (direction === "up" || direction === "down") {
    const other = lane[at + (direction === "up" ? -1 : 1)];
    if (!other) return;
    const place = direction === "up" ? { before: other } : { after: other };
    return moveCard(board, id, card.column, place);
  }
  const column = columnBeside(board.columns(), card.column, direction);
  if (!column) return;
  const before = seen(column)[at];
  moveCard(board, id, column, before ? { before } : {});
}

/** The card that the keyboard reaches from another one. */
export function cardBeside(
  board: LiveBoard,
  seen: Lane,
  id: string,
  direction: Direction,
  columns = board.columns(),
): string | undefined {
  const card = board.get("cards", id);
  if (!card) return undefined;
  const at = seen(card.column).indexOf(id);
  if (direction === "up") return seen(card.column)[at - 1];
  if (direction === "down") return seen(card.column)[at + 1];
  for (let from = card.column; ; ) {
    const column = columnBeside(columns, from, direction);
    if (!column) return undefined;
    const lane = seen(column);
    if (lane.length > 0) return lane[Math.min(at, lane.length - 1)];
    from = column;
  }
}

function columnBeside(
  columns: readonly Column[],
  id: string,
  direction: "left" | "right",
): string | undefined {
  const at = columns.findIndex((column) => column.id === id);
  return columns[at + (direction === "left" ? -1 : 1)]?.id;
}

/** Archives a card. */
export function archive(board: LiveBoard, id: string): void {
  const card = board.get("cards", id);
  if (!card || card.archived) return;
  board.submit({ type: "card.archive", card: id, archived: true });
  announce(t.archivedCard(card.title));
}

/** Gives a card another title; the title that the person saw must still be the one. */
export function rename(board: LiveBoard, id: string, title: string, seen: number): void {
  const card = board.get("cards", id);
  const text = title.trim();
  if (!card || !text || text === card.title) return;
  board.submit({ type: "card.set", card: id, set: { title: text } }, { title: seen });
}
