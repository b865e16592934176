import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import { monitorForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { autoScrollForElements } from "@atlaskit/pragmatic-drag-and-drop-auto-scroll/element";
import { newId } from "@boardcast/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Plus } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useBoard, useColumns } from "../live.js";
import { t } from "../text/index.js";
import { archive, canEdit, cardBeside, type Direction, moveBy, moveCard } from "./actions.js";
import { ColumnView } from "./ColumnView.js";
import { useCursor } from "./cursor.js";
import { useFilter } from "./filter.js";
import { InlineEdit } from "./InlineEdit.js";

/** The width of a column with the room beside it, in pixels. */
const COLUMN_WIDTH = 280;

const DIRECTIONS: Record<string, Direction> = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
};

/** All columns of the board, of which those in view are there. */
export function Columns() {
  const board = useBoard();
  const cursor = useCursor();
  const filter = useFilter();
  const seen = (column: string) => filter.lane(board, column);
  const columns = useColumns();
  const scroller = useRef<HTMLDivElement>(null);
  const [adding, setAdding] = useState<string>();
  const virtual = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => COLUMN_WIDTH,
    getItemKey: (at) => columns[at]?.id ?? at,
    overscan: 2,
  });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    return combine(
      autoScrollForElements({ element }),
      monitorForElements({
        onDragStart: ({ source }) => {
          if (source.data.kind !== "card") return;
          board.tellPresence({ doing: "dragging", card: `${source.data.card}` });
        },
        onDrop: ({ source, location }) => {
          board.tellPresence({ doing: "viewing" });
          const target = location.current.dropTargets[0]?.data;
          if (!target) return;
          if (source.data.kind === "column" && target.kind === "column") {
            const place = {
              [`${target.edge}` === "after" ? "after" : "before"]: `${target.column}`,
            };
            return void board.submit({
              type: "column.move",
              column: `${source.data.column}`,
              place,
            });
          }
          const card = `${source.data.card}`;
          if (target.kind === "lane") moveCard(board, card, `${target.column}`);
          if (target.kind !== "card") return;
          const column = board.get("cards", `${target.card}`)?.column;
          const place = { [`${target.edge}` === "after" ? "after" : "before"]: `${target.card}` };
          if (column) moveCard(board, card, column, place);
        },
      }),
    );
  }, [board]);

  useEffect(() => {
    return cursor.listenMoves(() => {
      const column = cursor.card && board.get("cards", cursor.card)?.column;
      const at = board.columns().findIndex(({ id }) => id === column);
      if (at >= 0) virtual.scrollToIndex(at);
    });
  }, [board, cursor, virtual]);

  function pressed(event: KeyboardEvent) {
    const { card } = cursor;
    const direction = DIRECTIONS[event.key];
    if (!card || event.ctrlKey || event.metaKey) return;
    if (!(event.target as HTMLElement).dataset.card) return;
    if (direction && event.altKey) {
      if (canEdit(board)) moveBy(board, seen, card, direction);
      cursor.go(card);
    } else if (direction) {
      const next = cardBeside(board, seen, card, direction);
      if (next) cursor.go(next);
    } else if (event.key === "n" && canEdit(board)) {
      setAdding(board.get("cards", card)?.column);
    } else if (event.key === "c" && canEdit(board)) {
      const next = cardBeside(board, seen, card, "down") ?? cardBeside(board, seen, card, "up");
      archive(board, card);
      if (next) cursor.go(next);
    } else {
      return;
    }
    event.preventDefault();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the cards inside
    <div ref={scroller} className="columns" onKeyDown={pressed}>
      <div className="track" style={{ width: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const column = columns[item.index];
          return column === undefined ? null : (
            <div
              key={item.key}
              className="slot"
              style={{ transform: `translateX(${item.start}px)`, width: COLUMN_WIDTH }}
            >
              <ColumnView column={column} adding={adding === column.id} setAdding={setAdding} />
            </div>
          );
        })}
      </div>
      {canEdit(board) && <AddColumn />}
    </div>
  );
}

function AddColumn() {
  const board = useBoard();
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" className="quiet add-column" onClick={() => setOpen(true)}>
        <Plus aria-hidden="true" />
        {t.addColumn}
      </button>
    );
  }
  return (
    <div className="add-column">
      <InlineEdit
        label={t.columnTitle}
        text=""
        done={(title) => {
          setOpen(false);
          if (!title?.trim()) return;
          board.submit({ type: "column.create", column: newId(), title: title.trim() });
        }}
      />
    </div>
  );
}
