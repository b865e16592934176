// Which swimlane a card stands in, and what a move into another one does to it.
import type { Card, Command, LiveBoard, Priority } from "@boardcast/client";
import { byName, t } from "../text/index.js";
import type { Group } from "./look.js";

/** A row of the board; the cards that have nothing of the kind stand in the one without a key. */
export type Swimlane = { key: string; title: string };

const PRIORITIES = ["urgent", "high", "medium", "low"] as const satisfies Priority[];

/** The swimlane of a card. One with several labels or people stands with the first. */
export function keyOf(card: Card, group: Group): string {
  switch (group) {
    case "assignee":
      return card.assignees?.[0] ?? "";
    case "label":
      return card.labels?.[0] ?? "";
    case "priority":
      return card.priority && card.priority !== "none" ? card.priority : "";
    case "parent":
      return card.parent ?? "";
    case "none":
      return "";
  }
}

/** The swimlanes in which there are cards, archived ones or not, in order; the one without a key is the last. */
export function lanesOf(board: LiveBoard, group: Group, withArchived: boolean): Swimlane[] {
  const last = { key: "", title: t.lanes.without[group] };
  if (group === "priority") {
    return [...PRIORITIES.map((key) => ({ key, title: t.priorities[key] })), last];
  }
  const used = new Set<string>();
  for (const card of board.all("cards").values()) {
    if (!card.archived || withArchived) used.add(keyOf(card, group));
  }
  used.delete("");
  const name = (key: string) => {
    if (group === "assignee") return board.get("members", key)?.name ?? key;
    if (group === "parent") return board.get("cards", key)?.title ?? key;
    const label = board.get("labels", key);
    return label?.name || label?.color || key;
  };
  const lanes = [...used].map((key) => ({ key, title: name(key) }));
  return [...lanes.sort((a, b) => byName(a.title, b.title)), last];
}

/** What makes a card one of another swimlane. */
export function regroup(card: Card, group: Group, to: string): Command[] {
  const from = keyOf(card, group);
  if (from === to) return [];
  const each = (make: (key: string, on: boolean) => Command) => [
    ...(from ? [make(from, false)] : []),
    ...(to ? [make(to, true)] : []),
  ];
  switch (group) {
    case "assignee":
      return each((user, on) => ({ type: "card.assign", card: card.id, user, on }));
    case "label":
      return each((label, on) => ({ type: "card.label", card: card.id, label, on }));
    case "priority": {
      const priority = (to || "none") as Priority;
      return [{ type: "card.set", card: card.id, set: { priority } }];
    }
    case "parent":
      return [{ type: "card.set", card: card.id, set: { parent: to || null } }];
    case "none":
      return [];
  }
}
