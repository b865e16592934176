// What becomes of a card that is dragged: others see where it is held, and it moves where it is let go.
import { monitorForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import type { LiveBoard } from "@boardcast/client";
import { moveCard } from "./actions.js";
import { keyOf, regroup } from "./grouping.js";
import type { Group } from "./look.js";

type Data = Record<string | symbol, unknown>;

/** Tells and carries out drags of cards. */
export function watchCardDrags(board: LiveBoard, group: Group): () => void {
  const columnOf = (target: Data | undefined): string | undefined => {
    if (target?.kind === "lane") return `${target.column}`;
    return target?.kind === "card" ? board.get("cards", `${target.card}`)?.column : undefined;
  };
  const tell = (source: Data, target: Data | undefined) => {
    const column = columnOf(target);
    const at = { doing: "dragging" as const, card: `${source.card}`, ...(column && { column }) };
    board.tellPresence(at);
  };
  return monitorForElements({
    canMonitor: ({ source }) => source.data.kind === "card",
    onDragStart: ({ source }) => tell(source.data, undefined),
    onDropTargetChange: ({ source, location }) => {
      tell(source.data, location.current.dropTargets[0]?.data);
    },
    onDrop: ({ source, location }) => {
      board.tellPresence({ doing: "viewing" });
      const target = location.current.dropTargets[0]?.data;
      const column = columnOf(target);
      const card = board.get("cards", `${source.data.card}`);
      if (!target || !column || !card) return;
      const other = target.kind === "card" ? board.get("cards", `${target.card}`) : undefined;
      const lane = other ? keyOf(other, group) : `${target.lane ?? ""}`;
      const place = other && {
        [`${target.edge}` === "after" ? "after" : "before"]: other.id,
      };
      moveCard(board, card.id, column, place, regroup(card, group, lane));
    },
  });
}
