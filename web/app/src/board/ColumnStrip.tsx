import { dropTargetForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import type { Column } from "@boardcast/client";
import { useEffect, useRef, useState } from "react";
import { useLane } from "../live.js";
import { t } from "../text/index.js";
import { useLook } from "./look.js";

/** A column that is shown as a strip; a card that is let go on it goes to its end. */
export function ColumnStrip({ column }: { column: Column }) {
  const look = useLook();
  const { length } = useLane(column.id);
  const strip = useRef<HTMLElement>(null);
  const [over, setOver] = useState(false);
  useEffect(() => {
    const element = strip.current;
    if (!element) return;
    return dropTargetForElements({
      element,
      canDrop: ({ source }) => source.data.kind === "card",
      getData: () => ({ kind: "lane", column: column.id }),
      onDragEnter: () => setOver(true),
      onDragLeave: () => setOver(false),
      onDrop: () => setOver(false),
    });
  }, [column.id]);
  return (
    <section
      ref={strip}
      className={`column strip ${over ? "over" : ""}`}
      aria-label={column.title}
      data-column={column.id}
    >
      <h2>
        <button
          type="button"
          className="plain"
          aria-expanded="false"
          aria-label={t.columnDialog.expand(column.title)}
          title={t.columnDialog.expand(column.title)}
          onClick={() => look.collapse(column.id)}
        >
          {column.title}
        </button>
      </h2>
      <span className="count">
        <span aria-hidden="true">{length}</span>
        <span className="unseen">{t.cardsIn(length, column.title)}</span>
      </span>
    </section>
  );
}
