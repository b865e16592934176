// Random plans: what people do to a board, from a seed.
import { type Command, newId } from "../src/index.js";
import type { LiveBoard } from "../src/live-board.js";

/** Numbers in [0, 1) that depend on the seed only. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A command that somebody could give who sees this board. */
export function anyCommand(board: LiveBoard, random: () => number): Command {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(things: Iterable<T>): T | undefined => {
    const all = [...things];
    return all[below(all.length)];
  };
  const id = () => newId();
  const column = pick(board.all("columns").keys()) ?? "nowhere";
  const others = [...board.all("cards").values()].filter((card) => card.id !== "log");
  const card = pick(others);
  const neighbour = pick(board.cards(column));
  const place = neighbour ? (below(2) ? { after: neighbour } : { before: neighbour }) : {};
  const title = `title ${below(1_000)}`;
  if (!card || random() < 0.2) return { type: "card.create", card: id(), column, title, place };
  const list = pick(card.checklists ?? []);
  const item = pick(list?.items ?? []);
  const label = pick(board.all("labels").keys());
  const on = below(2) === 0;
  const about = { card: card.id };
  const commands: (Command | undefined)[] = [
    { type: "card.move", ...about, column, place },
    { type: "card.move", ...about, column, place },
    { type: "card.set", ...about, set: { title, due: on ? null : below(1e6), complete: on } },
    { type: "card.set", ...about, set: { description: on ? title : "", priority: "high" } },
    { type: "card.archive", ...about, archived: on },
    below(4) === 0 ? { type: "card.remove", ...about } : undefined,
    { type: "column.create", column: id(), title, place: { before: column } },
    { type: "column.set", column, title, done: on },
    { type: "column.move", column, place: { after: pick(board.all("columns").keys()) ?? null } },
    below(3) === 0 ? { type: "column.remove", column } : undefined,
    { type: "label.create", label: id(), name: title, color: "blue" },
    label ? { type: "card.label", ...about, label, on } : undefined,
    label && below(3) === 0 ? { type: "label.remove", label } : undefined,
    { type: "card.assign", ...about, user: "ann", on },
    { type: "card.block", ...about, by: pick(others)?.id ?? "nowhere", on },
    { type: "comment.create", ...about, comment: id(), text: title },
    { type: "checklist.create", ...about, checklist: id(), title },
    list
      ? { type: "item.create", ...about, checklist: list.id, item: id(), text: title }
      : undefined,
    list && item
      ? { type: "item.set", ...about, checklist: list.id, item: item.id, done: on }
      : undefined,
    list && item ? { type: "item.remove", ...about, checklist: list.id, item: item.id } : undefined,
    list && below(4) === 0 ? { type: "checklist.remove", ...about, checklist: list.id } : undefined,
  ];
  return pick(commands.filter((command) => command !== undefined)) as Command;
}
