import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import { monitorForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { autoScrollForElements } from "@atlaskit/pragmatic-drag-and-drop-auto-scroll/element";
import { newId } from "@boardcast/client";
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { Plus } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useBoard } from "../live.js";
import { t } from "../text/index.js";
import { ColumnStrip } from "./ColumnStrip.js";
import { ColumnView } from "./ColumnView.js";
import { useCursor } from "./cursor.js";
import { useFilter, useFilteredColumns } from "./filter.js";
import { InlineEdit } from "./InlineEdit.js";
import { useCardKeys } from "./keys.js";
import { useLookNow } from "./look.js";
import { watchCardDrags } from "./moves.js";
import { useCanEdit } from "./rights.js";
import { sideways } from "./sideways.js";
import { watchTouchDrags } from "./touch.js";
import { useColumnWidth } from "./width.js";

/** The width of a column that is shown as a strip. */
const STRIP_WIDTH = 54;

/** All columns of the board, of which those in view are there. */
export function Columns() {
  const board = useBoard();
  const editable = useCanEdit();
  const cursor = useCursor();
  const filter = useFilter();
  const seen = (column: string) => filter.lane(board, column);
  const columns = useFilteredColumns();
  const { collapsed } = useLookNow();
  const columnWidth = useColumnWidth();
  const scroller = useRef<HTMLDivElement>(null);
  const [adding, setAdding] = useState<string>();
  /** The column with the cursor is there also before it has been scrolled into view. */
  const [held, setHeld] = useState(0);
  const widthOf = (column: string | undefined) =>
    column !== undefined && collapsed.includes(column) ? STRIP_WIDTH : columnWidth;
  const virtual = useVirtualizer({
    ...sideways(),
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: (at) => widthOf(columns[at]?.id),
    getItemKey: (at) => columns[at]?.id ?? at,
    overscan: 2,
    rangeExtractor: (range) => {
      const seen = defaultRangeExtractor(range);
      if (held >= range.count || seen.includes(held)) return seen;
      return [...seen, held].sort((a, b) => a - b);
    },
  });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    return combine(
      autoScrollForElements({ element }),
      watchCardDrags(board, "none"),
      watchTouchDrags(board, "none", element),
      monitorForElements({
        canMonitor: ({ source }) => source.data.kind === "column",
        onDrop: ({ source, location }) => {
          const target = location.current.dropTargets[0]?.data;
          if (target?.kind !== "column") return;
          const place = { [`${target.edge}` === "after" ? "after" : "before"]: `${target.column}` };
          board.submit({ type: "column.move", column: `${source.data.column}`, place });
        },
      }),
    );
  }, [board]);

  useEffect(() => {
    return cursor.listenMoves(() => {
      const column = cursor.card && board.get("cards", cursor.card)?.column;
      const at = filter.columns(board).findIndex(({ id }) => id === column);
      if (at < 0) return;
      setHeld(at);
      virtual.scrollToIndex(at);
    });
  }, [board, cursor, filter, virtual]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the widths are those of these columns
  useEffect(() => virtual.measure(), [virtual, collapsed, columnWidth]);

  const pressed = useCardKeys({
    seen,
    beside: (card) => seen(card.column),
    columns,
    add: setAdding,
  });

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
              style={{ insetInlineStart: item.start, width: item.size }}
            >
              {collapsed.includes(column.id) ? (
                <ColumnStrip column={column} />
              ) : (
                <ColumnView column={column} adding={adding === column.id} setAdding={setAdding} />
              )}
            </div>
          );
        })}
      </div>
      {editable && <AddColumn />}
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
