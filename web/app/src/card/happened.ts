// What happened to a card, in words.
import type { ActivityEntry, CardPatch, Event, LiveBoard } from "@boardcast/client";
import { day, list, t } from "../text/index.js";

type Was = Event | null | undefined;

/** What a version did to a card. */
export function happened(board: LiveBoard, entry: ActivityEntry, card: string): string[] {
  const events = entry.ev as Event[];
  const before = entry.was as Was[];
  const words = events.flatMap((event, at) =>
    isAbout(event, card) ? wordsOf(board, event, before[at]) : [],
  );
  return [...new Set(words)];
}

function isAbout(event: Event, card: string): boolean {
  if (event.type === "card.put") return event.card.id === card;
  return "card" in event && event.card === card;
}

function wordsOf(board: LiveBoard, event: Event, was: Was): string[] {
  const words = t.activity;
  switch (event.type) {
    case "card.put":
      // A card that is new has no revisions.
      return [event.card.revs ? words.back : words.made];
    case "card.removed":
      return [words.removed];
    case "card.set":
      return changes(board, event.set, was?.type === "card.set" ? was.set : {});
    case "card.ranked":
      return [words.ranked];
    case "card.described":
      return [words.described];
    case "comment.put":
      return [was?.type === "comment.put" ? words.commentChanged : words.commented];
    case "comment.removed":
      return [words.commentRemoved];
    case "checklist.put":
      return [words.listed(event.checklist.title)];
    case "checklist.set":
      return [words.listChanged];
    case "checklist.removed":
      return [words.listRemoved];
    case "item.put": {
      const { item } = event;
      if (was?.type !== "item.put") return [words.item(item.text)];
      const isDone = item.done ?? false;
      if (isDone === (was.item.done ?? false)) return [words.itemChanged(item.text)];
      return [isDone ? words.itemDone(item.text) : words.itemUndone(item.text)];
    }
    case "item.removed":
      return [words.itemRemoved];
    case "attachment.put":
      return [words.attached(event.attachment.name)];
    case "attachment.removed":
      return [words.unattached];
    default:
      return [];
  }
}

/** What fields of the card are now, and were before. */
function changes(board: LiveBoard, set: CardPatch, was: CardPatch): string[] {
  const words = t.activity;
  const done: string[] = [];
  const cardName = (id: string) => board.get("cards", id)?.title ?? id;
  const columnName = (id: string) => board.get("columns", id)?.title ?? id;
  /** What was added to a list and taken off it. */
  const listed = (
    key: "labels" | "assignees" | "blocked_by",
    name: (id: string) => string,
    [on, off]: [(names: string) => string, (names: string) => string],
  ) => {
    const now = set[key];
    if (!now) return;
    const then = was[key] ?? [];
    const added = now.filter((id) => !then.includes(id)).map(name);
    const gone = then.filter((id) => !now.includes(id)).map(name);
    if (added.length > 0) done.push(on(list(added)));
    if (gone.length > 0) done.push(off(list(gone)));
  };
  if (typeof set.title === "string") done.push(words.titled(set.title));
  if (set.column && set.column !== was.column) {
    const from = was.column ? columnName(was.column) : "";
    done.push(words.moved(from, columnName(set.column)));
  } else if (set.rank) {
    done.push(words.ranked);
  }
  if (typeof set.archived === "boolean") done.push(set.archived ? words.archived : words.restored);
  listed("labels", (id) => board.get("labels", id)?.name || id, [words.labelled, words.unlabelled]);
  const personName = (id: string) => board.get("members", id)?.name ?? id;
  listed("assignees", personName, [words.assigned, words.unassigned]);
  listed("blocked_by", cardName, [words.blocked, words.unblocked]);
  if (set.due !== undefined) done.push(set.due === null ? words.notDue : words.due(day(set.due)));
  if (typeof set.complete === "boolean")
    done.push(set.complete ? words.complete : words.incomplete);
  if (set.priority !== undefined) done.push(words.priority(t.priorities[set.priority ?? "none"]));
  if (set.parent !== undefined) {
    done.push(set.parent === null ? words.noParent : words.parent(cardName(set.parent)));
  }
  return done.length > 0 ? done : [words.changed];
}
