// A board as maps of things that are never changed in place: a change puts another object.
import type { Card, Column, Detail, Field, Label, Member, Sprint, View } from "./protocol.js";

/** What a board is besides its things. */
export type Head = Pick<View, "id" | "title" | "background" | "archived" | "next_number">;

/** The kinds of things on a board, with what each is. `details` holds those of opened cards only. */
export type Things = {
  head: Head;
  members: Member;
  columns: Column;
  labels: Label;
  fields: Field;
  sprints: Sprint;
  cards: Card;
  details: Detail;
};
export type Kind = keyof Things;

/** All kinds. */
export const KINDS = [
  "head",
  "members",
  "columns",
  "labels",
  "fields",
  "sprints",
  "cards",
  "details",
] as const satisfies readonly Kind[];

/** The key of the one thing of the kind `head`. */
export const HEAD = "";

type Collections = { readonly [K in Kind]: Map<string, Things[K]> };

/** Is told of each put and take: what was there, and what is there now. */
export type Watch = <K extends Kind>(
  kind: K,
  id: string,
  before: Things[K] | undefined,
  after: Things[K] | undefined,
) => void;

/** A board in memory. */
export class Board {
  private readonly things: Collections = {
    head: new Map(),
    members: new Map(),
    columns: new Map(),
    labels: new Map(),
    fields: new Map(),
    sprints: new Map(),
    cards: new Map(),
    details: new Map(),
  };

  constructor(private readonly watch?: Watch) {}

  /** The things of a kind, by id. */
  all<K extends Kind>(kind: K): ReadonlyMap<string, Things[K]> {
    return this.things[kind];
  }

  get<K extends Kind>(kind: K, id: string): Things[K] | undefined {
    return this.things[kind].get(id);
  }

  /** Puts a thing in place of the one with its id; `undefined` takes it away. */
  put<K extends Kind>(kind: K, id: string, thing: Things[K] | undefined): void {
    const things: Map<string, Things[K]> = this.things[kind];
    const before = things.get(id);
    if (thing === undefined) things.delete(id);
    else things.set(id, thing);
    this.watch?.(kind, id, before, thing);
  }

  /** Becomes the view of a snapshot. A snapshot has no details: those of present cards stay as they are. */
  load(view: View): void {
    const { members, columns, labels, fields, sprints, cards, ...head } = view;
    this.replace("head", [[HEAD, head]]);
    this.replace("members", keyed(members));
    this.replace("columns", keyed(columns));
    this.replace("labels", keyed(labels));
    this.replace("fields", keyed(fields));
    this.replace("sprints", keyed(sprints));
    this.replace("cards", keyed(cards));
    this.replace(
      "details",
      [...this.things.details].filter(([id]) => this.get("cards", id)),
    );
  }

  /** The view, in the form that is hashed; `undefined` before the first snapshot. */
  view(): View | undefined {
    const head = this.get("head", HEAD);
    if (!head) return undefined;
    const view: View = { ...head };
    for (const kind of ["members", "columns", "labels", "fields", "sprints", "cards"] as const) {
      const things = [...this.things[kind].values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      if (things.length > 0) Object.assign(view, { [kind]: things });
    }
    return view;
  }

  private replace<K extends Kind>(kind: K, entries: Iterable<[string, Things[K]]>): void {
    const fresh = new Map(entries);
    for (const id of [...this.things[kind].keys()]) {
      if (!fresh.has(id)) this.put(kind, id, undefined);
    }
    for (const [id, thing] of fresh) this.put(kind, id, thing);
  }
}

function keyed<T extends { id: string }>(things: readonly T[] | undefined): [string, T][] {
  return (things ?? []).map((thing) => [thing.id, thing]);
}

/** The same array with a thing put in its place by id. */
export function withThing<T extends { id: string }>(
  things: readonly T[] | null | undefined,
  thing: T,
): T[] {
  const others = withoutThing(things, thing.id) ?? [];
  const at = others.findIndex((other) => other.id > thing.id);
  others.splice(at < 0 ? others.length : at, 0, thing);
  return others;
}

/** The same array without a thing; `undefined` for an empty one, which the form of a board omits. */
export function withoutThing<T extends { id: string }>(
  things: readonly T[] | null | undefined,
  id: string,
): T[] | undefined {
  const others = (things ?? []).filter((other) => other.id !== id);
  return others.length > 0 ? others : undefined;
}

/** The same object without the members that are at their default, which the form of a board omits. */
export function compact<T extends object>(thing: T): T {
  const entries = Object.entries(thing);
  return Object.fromEntries(entries.filter(([key, value]) => !isDefault(key, value))) as T;
}

/** The same thing with these members: `undefined` leaves one as it is, what is empty is omitted. */
export function assigned<T extends object>(thing: T, set: object): T {
  const made = { ...thing } as Record<string, unknown>;
  for (const [key, value] of Object.entries(set)) {
    if (value === undefined) continue;
    if (isDefault(key, value)) delete made[key];
    else made[key] = value;
  }
  return made as T;
}

function isDefault(key: string, value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return key === "priority" && value === "none";
}
