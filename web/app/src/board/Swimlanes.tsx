import { combine } from "@atlaskit/pragmatic-drag-and-drop/combine";
import { dropTargetForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { autoScrollForElements } from "@atlaskit/pragmatic-drag-and-drop-auto-scroll/element";
import type { Column } from "@boardcast/client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useAll, useBoard } from "../live.js";
import { t } from "../text/index.js";
import { CardTile } from "./CardTile.js";
import { useCursor } from "./cursor.js";
import { useFilter, useFilteredColumns, useFilterNow } from "./filter.js";
import { keyOf, lanesOf, type Swimlane } from "./grouping.js";
import { useCardKeys } from "./keys.js";
import { useLook, useLookNow } from "./look.js";
import { watchCardDrags } from "./moves.js";
import { sideways } from "./sideways.js";
import { watchTouchDrags } from "./touch.js";

/** The width of a column with the room beside it, in pixels. */
const COLUMN_WIDTH = 260;
/** Cards that a cell shows before it is asked for more. */
const CELL_CARDS = 20;

/** The board as a table: a row for each swimlane, a column for each column. */
export function Swimlanes() {
  const board = useBoard();
  const cursor = useCursor();
  const filter = useFilter();
  const query = useFilterNow();
  const columns = useFilteredColumns();
  const cards = useAll("cards");
  const labels = useAll("labels");
  const { group, folded } = useLookNow();
  const scroller = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on what these hold
  const lanes = useMemo(() => {
    return lanesOf(board, group, query.query.wantsArchived);
  }, [board, group, cards, labels, query]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on what these hold
  const cells = useMemo(() => {
    const cells = new Map<string, string[]>();
    for (const column of columns) {
      for (const id of filter.lane(board, column.id)) {
        const card = board.get("cards", id);
        if (!card) continue;
        const key = cellKey(column.id, keyOf(card, group));
        const cell = cells.get(key);
        if (cell) cell.push(id);
        else cells.set(key, [id]);
      }
    }
    return cells;
  }, [board, columns, filter, query, group, cards]);
  const cell = (column: string, lane: string) => cells.get(cellKey(column, lane)) ?? [];
  const keys = useCardKeys({
    seen: (column) => lanes.flatMap((lane) => cell(column, lane.key)),
    beside: (card) => cell(card.column, keyOf(card, group)),
    columns,
  });

  const virtual = useVirtualizer({
    ...sideways(),
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
      watchCardDrags(board, group),
      watchTouchDrags(board, group, element),
    );
  }, [board, group]);

  useEffect(() => {
    return cursor.listenMoves(() => {
      const column = cursor.card && board.get("cards", cursor.card)?.column;
      const at = filter.columns(board).findIndex(({ id }) => id === column);
      if (at >= 0) virtual.scrollToIndex(at);
    });
  }, [board, cursor, filter, virtual]);

  const inView = virtual.getVirtualItems().flatMap(({ index, start }) => {
    const column = columns[index];
    return column ? [{ column, start }] : [];
  });
  const count = (lane: string) =>
    columns.reduce((sum, column) => sum + cell(column.id, lane).length, 0);
  const shown = lanes.filter((lane) => lane.key || count(lane.key) > 0);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the cards inside
    <div ref={scroller} className="swimlanes" onKeyDown={keys}>
      <div className="track" style={{ width: virtual.getTotalSize() }}>
        <div className="heads" aria-hidden="true">
          {inView.map(({ column, start }) => (
            <span
              key={column.id}
              className="head"
              style={{ insetInlineStart: start, width: COLUMN_WIDTH }}
            >
              {column.title}
            </span>
          ))}
        </div>
        {shown.map((lane) => (
          <Row
            key={lane.key}
            lane={lane}
            id={`${group}/${lane.key}`}
            count={count(lane.key)}
            folded={folded.includes(`${group}/${lane.key}`)}
          >
            {inView.map(({ column, start }) => (
              <Cell
                key={column.id}
                column={column}
                lane={lane}
                ids={cell(column.id, lane.key)}
                start={start}
              />
            ))}
          </Row>
        ))}
      </div>
    </div>
  );
}

function cellKey(column: string, lane: string): string {
  return `${column}/${lane}`;
}

function Row(props: {
  lane: Swimlane;
  id: string;
  count: number;
  folded: boolean;
  children: React.ReactNode;
}) {
  const look = useLook();
  const { lane, folded, count } = props;
  return (
    <section className="swimlane" aria-label={lane.title}>
      <h2>
        <button
          type="button"
          className="plain"
          aria-expanded={!folded}
          onClick={() => look.fold(props.id)}
        >
          {folded ? (
            <ChevronRight className="turns" aria-hidden="true" />
          ) : (
            <ChevronDown aria-hidden="true" />
          )}
          {lane.title} <span className="count">{count}</span>
        </button>
      </h2>
      {!folded && <div className="cells">{props.children}</div>}
    </section>
  );
}

function Cell(props: { column: Column; lane: Swimlane; ids: readonly string[]; start: number }) {
  const { column, lane, ids, start } = props;
  const place = useRef<HTMLUListElement>(null);
  const [all, setAll] = useState(false);
  const over = useCellDrop(place, column.id, lane.key);
  const shown = all ? ids : ids.slice(0, CELL_CARDS);
  return (
    <div className="cell" style={{ marginInlineStart: start, width: COLUMN_WIDTH }}>
      <ul
        ref={place}
        className={over ? "over" : ""}
        data-column={column.id}
        data-lane={lane.key}
        aria-label={t.lanes.cell(column.title, lane.title)}
      >
        {shown.map((id, at) => (
          <li key={id}>
            <CardTile id={id} first={at === 0} />
          </li>
        ))}
        {shown.length < ids.length && (
          <li>
            <button type="button" className="quiet" onClick={() => setAll(true)}>
              {t.lanes.more(ids.length - shown.length)}
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}

/** Whether a card is held over a cell. */
function useCellDrop(
  place: { current: HTMLElement | null },
  column: string,
  lane: string,
): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    return dropTargetForElements({
      element,
      canDrop: ({ source }) => source.data.kind === "card",
      getData: () => ({ kind: "lane", column, lane }),
      onDragEnter: () => setOver(true),
      onDragLeave: () => setOver(false),
      onDrop: () => setOver(false),
    });
  }, [place, column, lane]);
  return over;
}
