// What has happened becomes what is: assignments, nothing else.
import {
  type Board,
  compact,
  HEAD,
  type Head,
  type Kind,
  withoutThing,
  withThing,
} from "./board.js";
import type { Card, Checklist, Detail, Event, Version } from "./protocol.js";

/** The head of a version: what its events do not repeat. */
export type Moment = { version: Version; by: string; at: number };

/** An event that does not fit the board: it comes from another history. */
export class ApplyError extends Error {
  override name = "ApplyError";
}

/** An event of a kind that this client does not know: the server is newer. */
export class UnknownEvent extends Error {
  override name = "UnknownEvent";
}

type CardEvent = Extract<Event, { card: string }>;
type CardChanging = Exclude<CardEvent, { type: "card.ranked" | "card.removed" }>;

/**
 * Assigns what the event states.
 *
 * Throws {@link ApplyError} where it changes what is not there, and {@link UnknownEvent}; then the
 * board is as before.
 */
export function apply(board: Board, moment: Moment, event: Event): void {
  switch (event.type) {
    case "board.set":
      return setHead(board, event);
    case "member.put":
      return board.put("members", event.member.id, event.member);
    case "member.removed":
      return remove(board, "members", event.user);
    case "column.put":
      return board.put("columns", event.column.id, event.column);
    case "column.removed":
      return remove(board, "columns", event.column);
    case "label.put":
      return board.put("labels", event.label.id, event.label);
    case "label.removed":
      return remove(board, "labels", event.label);
    case "field.put":
      return board.put("fields", event.field.id, event.field);
    case "field.removed":
      return remove(board, "fields", event.field);
    case "sprint.put":
      return board.put("sprints", event.sprint.id, event.sprint);
    case "sprint.removed":
      return remove(board, "sprints", event.sprint);
    case "card.put":
      return putCard(board, event);
    case "card.removed":
      remove(board, "cards", event.card);
      return board.put("details", event.card, undefined);
    case "card.ranked":
      return board.put("cards", event.card, { ...cardOf(board, event.card), rank: event.rank });
    default:
      return changeCard(board, moment, event);
  }
}

function setHead(board: Board, event: Extract<Event, { type: "board.set" }>): void {
  const head = board.get("head", HEAD);
  if (!head) throw new ApplyError("an event changes a board that has not come");
  const { type: _, ...set } = event;
  board.put("head", HEAD, compact({ ...head, ...set }) as Head);
}

function putCard(board: Board, event: Extract<Event, { type: "card.put" }>): void {
  const head = board.get("head", HEAD);
  if (!head) throw new ApplyError("an event changes a board that has not come");
  board.put("cards", event.card.id, event.card);
  board.put("head", HEAD, { ...head, next_number: event.next_number });
  if (event.detail && board.get("details", event.card.id)) {
    board.put("details", event.card.id, event.detail);
  }
}

function changeCard(board: Board, moment: Moment, event: CardChanging): void {
  const before = board.get("cards", event.card);
  const after = changed(before, moment, event);
  board.put("cards", event.card, { ...after, changed: { by: moment.by, at: moment.at } });
  const detail = board.get("details", event.card);
  const described = detail && changedDetail(detail, event);
  if (described && described !== detail) board.put("details", event.card, described);
}

function changed(card: Card | undefined, moment: Moment, event: CardChanging): Card {
  const there = (): Card => card ?? missing("cards", event.card);
  switch (event.type) {
    case "card.set": {
      const revs = { ...there().revs };
      for (const field of Object.keys(event.set)) revs[keyOf(field)] = moment.version;
      return compact({ ...there(), ...event.set, revs } as Card);
    }
    case "card.described": {
      const described = { described: event.text !== "" };
      const card = marked(there(), moment, { ...described, digest: event.digest });
      return { ...card, revs: { ...card.revs, description: moment.version } };
    }
    case "comment.put":
    case "comment.removed":
      return marked(there(), moment, { comments: event.comments, digest: event.digest });
    case "checklist.put":
      return { ...there(), checklists: withThing(there().checklists, event.checklist) };
    case "checklist.set": {
      const list = checklistOf(there(), event.checklist);
      const set = compact({ title: event.title, rank: event.rank });
      return {
        ...there(),
        checklists: withThing(there().checklists, { ...list, ...set } as Checklist),
      };
    }
    case "checklist.removed":
      checklistOf(there(), event.checklist);
      return compact({ ...there(), checklists: withoutThing(there().checklists, event.checklist) });
    case "item.put": {
      const list = checklistOf(there(), event.checklist);
      return withList(there(), { ...list, items: withThing(list.items, event.item) });
    }
    case "item.removed": {
      const list = checklistOf(there(), event.checklist);
      if (!list.items?.some((item) => item.id === event.item)) return missing("items", event.item);
      return withList(there(), compact({ ...list, items: withoutThing(list.items, event.item) }));
    }
    case "attachment.put":
      return { ...there(), attachments: withThing(there().attachments, event.attachment) };
    case "attachment.removed": {
      const there_ = there().attachments?.some((one) => one.id === event.attachment);
      if (!there_) return missing("attachments", event.attachment);
      const attachments = withoutThing(there().attachments, event.attachment);
      return compact({ ...there(), attachments });
    }
    default:
      throw new UnknownEvent(`an event of the unknown type ${(event as Event).type}`);
  }
}

/** What the view knows of a detail, after a change of it. */
function marked(card: Card, moment: Moment, set: NonNullable<Card["detail"]>): Card {
  const { digest, comments, ...mark } = { ...card.detail, ...set, rev: moment.version };
  const present = { ...mark, ...(digest && { digest }), ...(comments && { comments }) };
  return { ...card, detail: compact(present) };
}

function changedDetail(detail: Detail, event: CardChanging): Detail {
  switch (event.type) {
    case "card.described":
      return compact({ ...detail, description: event.text || undefined });
    case "comment.put":
      return { ...detail, comments: withThing(detail.comments, event.comment) };
    case "comment.removed":
      return compact({ ...detail, comments: withoutThing(detail.comments, event.comment) });
    default:
      return detail;
  }
}

/** The revision that counts the changes of a field. */
export function keyOf(field: string): string {
  return field === "column" || field === "rank" ? "place" : field;
}

/** The same card with a checklist put in its place. */
export function withList(card: Card, list: Checklist): Card {
  return { ...card, checklists: withThing(card.checklists, list) };
}

function cardOf(board: Board, id: string): Card {
  return board.get("cards", id) ?? missing("cards", id);
}

function checklistOf(card: Card, id: string): Checklist {
  return card.checklists?.find((list) => list.id === id) ?? missing("checklists", id);
}

function remove(board: Board, kind: Kind, id: string): void {
  if (!board.get(kind, id)) missing(kind, id);
  board.put(kind, id, undefined);
}

function missing(kind: string, id: string): never {
  throw new ApplyError(`an event changes ${id} of the ${kind}, which is not on the board`);
}
