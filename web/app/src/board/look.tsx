// How the person looks at a board: kept in this browser, for each board.
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import { keepLook, readLook } from "./look-store.js";

/** By what cards stand in swimlanes. */
export const GROUPS = ["none", "assignee", "label", "priority", "parent"] as const;
export type Group = (typeof GROUPS)[number];

/** How much of a card is shown. */
export const SIZES = ["small", "normal", "large"] as const;
export type Size = (typeof SIZES)[number];

type Kept = {
  size: Size;
  group: Group;
  /** Columns that are shown as a strip. */
  collapsed: readonly string[];
  /** Swimlanes whose cards are hidden, by group and key. */
  folded: readonly string[];
};

const NOTHING: Kept = { size: "normal", group: "none", collapsed: [], folded: [] };

export class Look {
  private kept: Kept;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly board: string) {
    this.kept = { ...NOTHING, ...read(board) };
  }

  get now(): Kept {
    return this.kept;
  }

  group(group: Group): void {
    this.set({ group });
  }

  /** Shows more or less of each card. */
  size(size: Size): void {
    this.set({ size });
  }

  /** Shows a column as a strip, or whole again. */
  collapse(column: string): void {
    this.set({ collapsed: toggled(this.kept.collapsed, column) });
  }

  /** Hides the cards of a swimlane, or shows them again. */
  fold(lane: string): void {
    this.set({ folded: toggled(this.kept.folded, lane) });
  }

  listen(changed: () => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }

  private set(some: Partial<Kept>): void {
    this.kept = { ...this.kept, ...some };
    keepLook(this.board, JSON.stringify(this.kept));
    for (const listener of [...this.listeners]) listener();
  }
}

function toggled(list: readonly string[], item: string): readonly string[] {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

function read(board: string): Partial<Kept> {
  try {
    const kept = JSON.parse(readLook(board) ?? "{}");
    const { group, size } = kept;
    return {
      ...kept,
      group: GROUPS.includes(group) ? group : "none",
      size: SIZES.includes(size) ? size : "normal",
    };
  } catch {
    return {};
  }
}

const LookContext = createContext(new Look(""));
export const ProvideLook = LookContext.Provider;

export function useLook(): Look {
  return useContext(LookContext);
}

/** How the person looks at the board now. */
export function useLookNow(): Kept {
  const look = useLook();
  const listen = useCallback((changed: () => void) => look.listen(changed), [look]);
  return useSyncExternalStore(listen, () => look.now);
}
