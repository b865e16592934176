// What becomes of a card that is dragged: others see where it is held, and it moves where it is let go.
import { monitorForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import type { LiveBoard } from "@boardcast/client";
import { moveCard } from "./actions.js";
import { keyOf, regroup } from "./grouping.js";
import type { Group } from "./look.js";

/** Where a card is held: at another card, or over the rest of a column or of a cell. */
export type DropTarget =
  | { kind: "card"; card: string; edge: "before" | "after" }
  | { kind: "lane"; column: string; lane: string | undefined };

/** Tells the others which card is dragged, and over which column. */
export function tellDrag(board: LiveBoard, card: string, target: DropTarget | undefined): void {
  const column = columnOf(board, target);
  board.tellPresence({ doing: "dragging", card, ...(column && { column }) });
}

/** Moves a card to where it is let go; into another swimlane it takes over what that stands for. */
export function dropCard(board: LiveBoard, group: Group, id: string, target: DropTarget): void {
  const column = columnOf(board, target);
  const card = board.get("cards", id);
  if (!column || !card) return;
  const other = target.kind === "card" ? board.get("cards", target.card) : undefined;
  const lane = other ? keyOf(other, group) : target.kind === "lane" ? target.lane : undefined;
  const place = target.kind === "card" ? { [target.edge]: target.card } : {};
  moveCard(board, id, column, place, regroup(card, group, lane ?? ""));
}

/** Tells and carries out drags of cards with a mouse. */
export function watchCardDrags(board: LiveBoard, group: Group): () => void {
  return monitorForElements({
    canMonitor: ({ source }) => source.data.kind === "card",
    onDragStart: ({ source }) => tellDrag(board, `${source.data.card}`, undefined),
    onDropTargetChange: ({ source, location }) => {
      const target = targetOf(location.current.dropTargets[0]?.data);
      tellDrag(board, `${source.data.card}`, target);
    },
    onDrop: ({ source, location }) => {
      board.tellPresence({ doing: "viewing" });
      const target = targetOf(location.current.dropTargets[0]?.data);
      if (target) dropCard(board, group, `${source.data.card}`, target);
    },
  });
}

function targetOf(data: Record<string | symbol, unknown> | undefined): DropTarget | undefined {
  if (data?.kind === "lane" || data?.kind === "card") return data as DropTarget;
  return undefined;
}

function columnOf(board: LiveBoard, target: DropTarget | undefined): string | undefined {
  if (target?.kind === "lane") return target.column;
  return target && board.get("cards", target.card)?.column;
}
