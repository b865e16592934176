// What a command will probably do: shown until the server has answered, and then taken back.
import { assigned, type Board, HEAD } from "./board.js";
import { byRank, type Ranked, rankAt } from "./order.js";
import { predictOnCard } from "./predict-card.js";
import type { Card, Column, ColumnPlace, Command, Member } from "./protocol.js";

/** Who commands, and when. */
export type Author = { user: string; at: number };

/** A board in which the order of the cards of a column is known. */
export type Ordered = {
  readonly board: Board;
  /** All cards of a column in their order, archived ones included. */
  lane(column: string): readonly Ranked[];
};

/**
 * Shows on a board what a command will probably do.
 *
 * A command that does not fit the board (its card is gone, its id is in use) changes nothing. Roles,
 * limits and cycles are the server's to check.
 */
export function predict(on: Ordered, author: Author, command: Command): void {
  const { board } = on;
  switch (command.type) {
    case "board.set": {
      const head = board.get("head", HEAD);
      const { type: _, ...set } = command;
      if (head) board.put("head", HEAD, assigned(head, set));
      return;
    }
    case "member.add": {
      const member: Member = {
        id: command.user,
        name: command.name ?? board.get("members", command.user)?.name ?? command.user,
        role: command.role,
      };
      return board.put("members", command.user, member);
    }
    case "member.remove":
      everyCard(board, author, (card) => withoutPerson(card, command.user));
      return board.put("members", command.user, undefined);
    case "column.create":
    case "column.set":
    case "column.move":
    case "column.remove":
      return predictColumn(on, command);
    case "label.create":
    case "field.create":
    case "sprint.create":
      return create(board, command);
    case "label.set": {
      const label = board.get("labels", command.label);
      const { type: _, label: __, ...set } = command;
      if (label) board.put("labels", label.id, assigned(label, set));
      return;
    }
    case "field.set": {
      const field = board.get("fields", command.field);
      const { type: _, field: __, ...set } = command;
      if (field) board.put("fields", field.id, assigned(field, set));
      return;
    }
    case "sprint.set": {
      const sprint = board.get("sprints", command.sprint);
      const { type: _, sprint: __, ...set } = command;
      if (sprint) board.put("sprints", sprint.id, assigned(sprint, set));
      return;
    }
    case "label.remove":
      everyCard(board, author, (card) => without(card, "labels", command.label));
      return board.put("labels", command.label, undefined);
    case "field.remove":
      everyCard(board, author, (card) => {
        const others = card.fields?.filter((field) => field.id !== command.field);
        return others?.length === card.fields?.length ? card : assigned(card, { fields: others });
      });
      return board.put("fields", command.field, undefined);
    case "sprint.remove":
      everyCard(board, author, (card) => {
        return card.sprint === command.sprint ? assigned(card, { sprint: null }) : card;
      });
      return board.put("sprints", command.sprint, undefined);
    case "card.create":
      return createCard(on, author, command);
    case "card.move": {
      const card = board.get("cards", command.card);
      if (!card || !board.get("columns", command.column)) return;
      const rank = rankAt(on.lane(command.column), command.place, card.id);
      const moved = { ...card, column: command.column, rank };
      return board.put("cards", card.id, { ...moved, changed: { by: author.user, at: author.at } });
    }
    case "card.remove":
      if (!board.get("cards", command.card)) return;
      everyCard(board, author, (card) => {
        const unblocked = without(card, "blocked_by", command.card);
        return card.parent === command.card ? assigned(unblocked, { parent: null }) : unblocked;
      });
      board.put("cards", command.card, undefined);
      return board.put("details", command.card, undefined);
    case "version.undo":
      // Only the server knows what was before.
      return;
    default:
      return predictOnCard(board, author, command);
  }
}

type ColumnCommand = Extract<Command, { type: `column.${string}` }>;

function predictColumn(on: Ordered, command: ColumnCommand): void {
  const { board } = on;
  const there = board.get("columns", command.column);
  const rank = (place: ColumnPlace | undefined) => {
    const columns = [...board.all("columns").values()].sort(byRank);
    return rankAt(columns, place, command.column);
  };
  if (command.type === "column.create") {
    if (there) return;
    const { column, title, wip, done, place } = command;
    const made: Column = { id: column, title, rank: rank(place) };
    return board.put("columns", column, assigned(made, { wip, done: done || undefined }));
  }
  if (!there) return;
  switch (command.type) {
    case "column.set": {
      const { type: _, column: __, ...set } = command;
      return board.put("columns", there.id, assigned(there, set));
    }
    case "column.move":
      return board.put("columns", there.id, { ...there, rank: rank(command.place) });
    case "column.remove":
      if (on.lane(there.id).length > 0) return;
      return board.put("columns", there.id, undefined);
  }
}

type Tag = Extract<Command, { type: "label.create" | "field.create" | "sprint.create" }>;

function create(board: Board, command: Tag): void {
  switch (command.type) {
    case "label.create": {
      const { type: _, label: id, ...label } = command;
      if (!board.get("labels", id)) board.put("labels", id, { id, ...label });
      return;
    }
    case "field.create": {
      const { type: _, field: id, ...field } = command;
      if (!board.get("fields", id)) board.put("fields", id, { id, ...field });
      return;
    }
    case "sprint.create": {
      const { type: _, sprint: id, ...sprint } = command;
      if (!board.get("sprints", id)) board.put("sprints", id, { id, ...sprint });
      return;
    }
  }
}

/** What follows for the cards from something that goes. */
function everyCard(board: Board, author: Author, change: (card: Card) => Card): void {
  for (const card of [...board.all("cards").values()]) {
    const after = change(card);
    if (after === card) continue;
    board.put("cards", card.id, { ...after, changed: { by: author.user, at: author.at } });
  }
}

function without(card: Card, list: "labels" | "assignees" | "blocked_by", id: string): Card {
  const ids = card[list];
  return ids?.includes(id) ? assigned(card, { [list]: ids.filter((other) => other !== id) }) : card;
}

function withoutPerson(card: Card, user: string): Card {
  const unassigned = without(card, "assignees", user);
  const concerned = card.checklists?.some((list) =>
    list.items?.some((item) => item.assignee === user),
  );
  if (!concerned) return unassigned;
  const checklists = card.checklists?.map((list) => ({
    ...list,
    items: list.items?.map((item) =>
      item.assignee === user ? assigned(item, { assignee: null }) : item,
    ),
  }));
  return assigned(unassigned, { checklists });
}

function createCard(
  on: Ordered,
  author: Author,
  command: Extract<Command, { type: "card.create" }>,
): void {
  const { board } = on;
  if (board.get("cards", command.card) || !board.get("columns", command.column)) return;
  const { description, ...set } = command.set ?? {};
  const stamp = { by: author.user, at: author.at };
  const card: Card = {
    id: command.card,
    // The server numbers cards; 0 says that it has not yet.
    number: 0,
    title: command.title,
    column: command.column,
    rank: rankAt(on.lane(command.column), command.place, command.card),
    created: stamp,
    changed: stamp,
  };
  const { labels, assignees } = command;
  const detail = description ? { described: true } : undefined;
  const members = { ...set, labels: sorted(labels), assignees: sorted(assignees), detail };
  board.put("cards", card.id, assigned(card, members));
}

/** A list of ids as boards have it. */
function sorted(ids: readonly string[] | null | undefined): string[] | undefined {
  return ids ? [...ids].sort() : undefined;
}
