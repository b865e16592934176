// The cards of each column in their order, kept as cards change.
import { byRank, type Ranked } from "./order.js";
import type { Card } from "./protocol.js";

const NONE: readonly string[] = [];

/** The cards of each column, archived ones included, by rank. */
export class Lanes {
  private readonly lanes = new Map<string, Ranked[]>();
  private readonly open = new Map<string, { ids: readonly string[]; stale: boolean }>();

  /** A card came, changed or went. Returns the columns whose open cards may stand otherwise. */
  change(before: Card | undefined, after: Card | undefined): string[] {
    const moved = before?.column !== after?.column || before?.rank !== after?.rank;
    if (!moved && before?.archived === after?.archived) return [];
    const columns = new Set<string>();
    if (before) {
      if (moved) this.remove(before);
      columns.add(before.column);
    }
    if (after) {
      if (moved) this.insert(after);
      columns.add(after.column);
    }
    for (const column of columns) {
      const known = this.open.get(column);
      if (known) known.stale = true;
    }
    return [...columns];
  }

  /** The ids of the cards of a column that are not archived; the same array while they are the same. */
  cards(column: string, isOpen: (card: string) => boolean): readonly string[] {
    const known = this.open.get(column);
    if (known && !known.stale) return known.ids;
    const cards = this.all(column).map((card) => card.id);
    const open = cards.filter(isOpen);
    const same = known?.ids.length === open.length && open.every((id, at) => id === known.ids[at]);
    const ids = same && known ? known.ids : open.length > 0 ? open : NONE;
    this.open.set(column, { ids, stale: false });
    return ids;
  }

  /** All cards of a column, archived ones included. */
  all(column: string): readonly Ranked[] {
    return this.lanes.get(column) ?? [];
  }

  private insert(card: Card): void {
    let lane = this.lanes.get(card.column);
    if (!lane) {
      lane = [];
      this.lanes.set(card.column, lane);
    }
    lane.splice(position(lane, card), 0, { id: card.id, rank: card.rank });
  }

  private remove(card: Card): void {
    const lane = this.lanes.get(card.column);
    const at = lane ? position(lane, card) : 0;
    if (lane?.[at]?.id === card.id) lane.splice(at, 1);
    if (lane?.length === 0) this.lanes.delete(card.column);
  }
}

/** Where a thing stands in an ordered array, or would stand. */
export function position(lane: readonly Ranked[], thing: Ranked): number {
  let [low, high] = [0, lane.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = lane[middle];
    if (other && byRank(other, thing) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
