import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import {
  draggable,
  dropTargetForElements,
} from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { autoScrollForElements } from "@atlaskit/pragmatic-drag-and-drop-auto-scroll/element";
import type { Column } from "@boardcast/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Ellipsis } from "lucide-react";
import { lazy, memo, Suspense, useDeferredValue, useEffect, useRef, useState } from "react";
import { useBoard } from "../live.js";
import { IconButton } from "../parts/IconButton.js";
import { isRightToLeft, t } from "../text/index.js";
import { CardTile } from "./CardTile.js";
import { useCursor } from "./cursor.js";
import { useFilter, useFilteredLane } from "./filter.js";
import { Ghosts } from "./Ghosts.js";
import { heightOf } from "./height.js";
import { InlineEdit } from "./InlineEdit.js";
import { measuredLater } from "./measured.js";
import { QuickAdd } from "./QuickAdd.js";
import { canEdit, useCanEdit } from "./rights.js";

/** The room between two cards, in pixels. */
const CARD_GAP = 6;

export const loadColumn = () => import("./ColumnDialog.js");
const ColumnDialog = lazy(loadColumn);

/** One column. It renders when the column or the order of its cards changes. */
export const ColumnView = memo(function ColumnView(props: {
  column: Column;
  adding: boolean;
  setAdding(column: string | undefined): void;
}) {
  const { column } = props;
  const board = useBoard();
  const editable = useCanEdit() && !column.archived;
  const cursor = useCursor();
  const { ids, all, open } = useFilteredLane(column.id);
  const filter = useFilter();
  const scroller = useRef<HTMLDivElement>(null);
  const whole = useRef<HTMLElement>(null);
  const handle = useRef<HTMLElement>(null);
  const [over, setOver] = useState(false);
  const [edge, setEdge] = useState<"before" | "after">();
  const [renaming, setRenaming] = useState(false);
  const [menu, setMenu] = useState(false);
  // The cards of a column that comes in while somebody scrolls are made between frames.
  const withCards = useDeferredValue(true, false);

  const rows = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroller.current,
    estimateSize: (at) => heightOf(board.get("cards", ids[at] ?? "")),
    getItemKey: (at) => ids[at] ?? at,
    gap: CARD_GAP,
    overscan: 4,
    ...measuredLater,
  });

  useEffect(() => {
    return cursor.listenMoves(() => {
      const at = cursor.card ? filter.lane(board, column.id).indexOf(cursor.card) : -1;
      if (at >= 0) rows.scrollToIndex(at);
    });
  }, [board, column.id, cursor, filter, rows]);

  useEffect(() => {
    const [list, element, dragHandle] = [scroller.current, whole.current, handle.current];
    if (!list || !element || !dragHandle) return;
    return combine(
      autoScrollForElements({ element: list }),
      dropTargetForElements({
        element: list,
        canDrop: ({ source }) => source.data.kind === "card",
        getData: () => ({ kind: "lane", column: column.id }),
        onDrag: ({ location }) => setOver(location.current.dropTargets[0]?.element === list),
        onDragLeave: () => setOver(false),
        onDrop: () => setOver(false),
      }),
      draggable({
        element,
        dragHandle,
        canDrag: () => canEdit(board),
        getInitialData: () => ({ kind: "column", column: column.id }),
      }),
      dropTargetForElements({
        element,
        canDrop: ({ source }) => source.data.kind === "column" && source.data.column !== column.id,
        getData: ({ input }) => {
          const { left, width } = element.getBoundingClientRect();
          const isLeft = input.clientX < left + width / 2;
          const edge = isLeft !== isRightToLeft() ? "before" : "after";
          return { kind: "column", column: column.id, edge };
        },
        onDrag: ({ self }) => setEdge(self.data.edge as "before" | "after"),
        onDragLeave: () => setEdge(undefined),
        onDrop: () => setEdge(undefined),
      }),
    );
  }, [board, column.id]);

  const { wip } = column;
  const full = wip ? open > wip.limit || (wip.kind === "hard" && open === wip.limit) : false;
  const limit = ids.length < all ? all : wip?.limit;
  return (
    <section
      ref={whole}
      className={`column ${over ? "over" : ""} ${edge ?? ""}`}
      aria-label={column.title}
      data-column={column.id}
    >
      <header ref={handle}>
        {renaming ? (
          <InlineEdit
            label={t.columnTitle}
            text={column.title}
            done={(title) => {
              setRenaming(false);
              if (!title?.trim() || title === column.title) return;
              board.submit({ type: "column.set", column: column.id, title: title.trim() });
            }}
          />
        ) : (
          <h2>
            <button
              type="button"
              className="plain"
              disabled={!editable}
              aria-label={t.columnMenu(column.title)}
              onClick={() => setRenaming(true)}
            >
              {column.title}
            </button>
          </h2>
        )}
        <span className={full ? "count full" : "count"}>
          <span aria-hidden="true">{limit === undefined ? all : t.wip(ids.length, limit)}</span>
          <span className="unseen">
            {t.cardsIn(ids.length, column.title)}
            {wip && t.limitOf(wip.limit, wip.kind)}
          </span>
        </span>
        {column.archived && <span className="mark">{t.archivedMark}</span>}
        <IconButton
          faint
          icon={Ellipsis}
          label={t.columnDialog.open(column.title)}
          act={() => setMenu(true)}
        />
        <Suspense>{menu && <ColumnDialog column={column} close={() => setMenu(false)} />}</Suspense>
      </header>
      <div ref={scroller} className="lane">
        <ul style={{ height: rows.getTotalSize() }}>
          {(withCards ? rows.getVirtualItems() : []).map((row) => {
            const id = ids[row.index];
            return id === undefined ? null : (
              <li
                key={row.key}
                ref={rows.measureElement}
                data-index={row.index}
                style={{ top: row.start }}
              >
                <CardTile id={id} first={row.index === 0} />
              </li>
            );
          })}
        </ul>
      </div>
      <Ghosts column={column.id} />
      {editable && (
        <QuickAdd
          column={column.id}
          open={props.adding}
          setOpen={(open) => props.setAdding(open ? column.id : undefined)}
        />
      )}
    </section>
  );
});
