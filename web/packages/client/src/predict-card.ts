// Predictions of what commands do to one card and to what is in it.
import { assigned, type Board, compact, withoutThing, withThing } from "./board.js";
import { byRank, rankAt } from "./order.js";
import type { Author } from "./predict.js";
import type { Card, Checklist, Command, Comment, Detail, Item } from "./protocol.js";

type OnCard = Exclude<
  Extract<Command, { card: string }>,
  { type: "card.create" | "card.move" | "card.remove" }
>;

/** Shows on a board what a command about a card that is there will probably do. */
export function predictOnCard(board: Board, author: Author, command: OnCard): void {
  const card = board.get("cards", command.card);
  if (!card) return;
  const detail = board.get("details", card.id);
  const described = detail && detailAfter(detail, author, command);
  if (described && described !== detail) board.put("details", card.id, described);
  const after = cardAfter(card, author, command, described !== detail);
  if (after === card) return;
  board.put("cards", card.id, { ...after, changed: { by: author.user, at: author.at } });
}

function cardAfter(card: Card, author: Author, command: OnCard, redescribed: boolean): Card {
  switch (command.type) {
    case "card.set": {
      const { description, ...set } = command.set;
      const made = assigned(card, set);
      if (description === undefined) return made;
      return assigned(made, { detail: compact({ ...card.detail, described: !!description }) });
    }
    case "card.archive":
      return assigned(card, { archived: command.archived });
    case "card.label":
      return assigned(card, { labels: toggled(card.labels, command.label, command.on) });
    case "card.assign":
      return assigned(card, { assignees: toggled(card.assignees, command.user, command.on) });
    case "card.block":
      return assigned(card, { blocked_by: toggled(card.blocked_by, command.by, command.on) });
    case "card.field": {
      const { field: id, value } = command;
      const fields = value ? withThing(card.fields, { id, value }) : withoutThing(card.fields, id);
      return assigned(card, { fields: fields ?? null });
    }
    case "comment.create":
      return commented(card, 1);
    case "comment.remove":
      return redescribed ? commented(card, -1) : card;
    case "comment.set":
      return card;
    case "attachment.add": {
      const { type: _, card: __, attachment: id, ...file } = command;
      const added = { by: author.user, at: author.at };
      return { ...card, attachments: withThing(card.attachments, { id, ...file, added }) };
    }
    case "attachment.set": {
      const file = card.attachments?.find((file) => file.id === command.attachment);
      if (!file) return card;
      const named = { ...file, name: command.name };
      return { ...card, attachments: withThing(card.attachments, named) };
    }
    case "attachment.remove": {
      const left = withoutThing(card.attachments, command.attachment);
      const cover = card.cover === command.attachment ? null : undefined;
      return assigned(card, { attachments: left ?? null, cover });
    }
    default:
      return withLists(card, command);
  }
}

type OnList = Extract<OnCard, { checklist: string }>;

function withLists(card: Card, command: OnList): Card {
  const there = card.checklists?.find((list) => list.id === command.checklist);
  const put = (list: Checklist): Card => ({
    ...card,
    checklists: withThing(card.checklists, list),
  });
  if (command.type === "checklist.create") {
    const { checklist: id, title, place } = command;
    return there ? card : put({ id, title, rank: rankAt(ordered(card.checklists), place, id) });
  }
  if (!there) return card;
  switch (command.type) {
    case "checklist.set":
      return put(assigned(there, { title: command.title }));
    case "checklist.move":
      return put({ ...there, rank: rankAt(ordered(card.checklists), command.place, there.id) });
    case "checklist.remove":
      return assigned(card, { checklists: withoutThing(card.checklists, there.id) ?? null });
    default: {
      const items = itemsAfter(there, command);
      return items === there.items ? card : put(assigned(there, { items: items ?? null }));
    }
  }
}

type OnItem = Extract<OnList, { item: string }>;

function itemsAfter(list: Checklist, command: OnItem): Item[] | undefined {
  const there = list.items?.find((item) => item.id === command.item);
  if (command.type === "item.create") {
    const { item: id, text, place } = command;
    if (there) return list.items;
    return withThing(list.items, { id, text, rank: rankAt(ordered(list.items), place, id) });
  }
  if (!there) return list.items;
  switch (command.type) {
    case "item.set": {
      const { type: _, card: __, checklist: ___, item: ____, ...set } = command;
      return withThing(list.items, assigned(there, set));
    }
    case "item.move": {
      const rank = rankAt(ordered(list.items), command.place, there.id);
      return withThing(list.items, { ...there, rank });
    }
    case "item.remove":
      return withoutThing(list.items, there.id);
  }
}

function detailAfter(detail: Detail, author: Author, command: OnCard): Detail {
  const comment = (id: string) => detail.comments?.find((comment) => comment.id === id);
  switch (command.type) {
    case "card.set": {
      const { description } = command.set;
      if (description === undefined) return detail;
      return compact({ ...detail, description: description || undefined });
    }
    case "comment.create": {
      const { comment: id, text } = command;
      if (comment(id)) return detail;
      const made: Comment = { id, text, written: { by: author.user, at: author.at } };
      return { ...detail, comments: withThing(detail.comments, made) };
    }
    case "comment.set": {
      const there = comment(command.comment);
      if (!there) return detail;
      const edited = { ...there, text: command.text, edited: author.at };
      return { ...detail, comments: withThing(detail.comments, edited) };
    }
    case "comment.remove":
      if (!comment(command.comment)) return detail;
      return compact({ ...detail, comments: withoutThing(detail.comments, command.comment) });
    default:
      return detail;
  }
}

function commented(card: Card, by: 1 | -1): Card {
  const comments = Math.max(0, (card.detail?.comments ?? 0) + by);
  return assigned(card, { detail: { ...card.detail, comments } });
}

function toggled(ids: readonly string[] | undefined, id: string, on: boolean): string[] {
  const others = (ids ?? []).filter((other) => other !== id);
  return on ? [...others, id].sort() : others;
}

function ordered<T extends { id: string; rank: string }>(things: readonly T[] | undefined): T[] {
  return [...(things ?? [])].sort(byRank);
}
